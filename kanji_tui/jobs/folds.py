"""The job `folds`: a whole cross-validation, each fold an ordinary training.

A fold that was trained before, with the same settings on the same dataset, is not trained again, and one that was
cut off after its first epoch goes on from its checkpoint: so the job goes on by being started again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from statistics import fmean, stdev

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Event, Notice, Progress, Report, raise_if_stopped
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.paths import CHECKPOINT, MODEL_INFO
from kanji_tui.runs import process
from kanji_tui.runs.following import follow
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory, list_runs
from kanji_tui.system.files import read_json
from kanji_tui.system.plain_data import from_plain
from kanji_tui.training.results import Metrics, Trained

FEWEST = 2


@dataclass(frozen=True)
class Spec:
    """`train` is what each of the `count` folds is trained as."""

    count: int
    train: TrainSpec = field(default_factory=TrainSpec)


@dataclass(frozen=True)
class Scores:
    """Fractions, and the mean cross-entropy `loss`."""

    loss: float
    top1: float
    top3: float
    top5: float
    balanced: float


@dataclass(frozen=True)
class Summary:
    """One figure over all folds, of each metric."""

    validation: Scores
    test: Scores


@dataclass(frozen=True)
class Fold:
    """`fold` as "2/5", its run, and the metrics of the best epoch's validation and of the test."""

    fold: str
    run: str
    validation: Metrics
    test: Metrics


@dataclass(frozen=True)
class CrossValidated:
    """`mean` and `std` (of a sample: divided by n - 1) over the folds."""

    folds: tuple[Fold, ...]
    mean: Summary
    std: Summary


def run(spec: Spec, report: Report) -> CrossValidated:
    """Train what folds are not trained yet, one after the other, and sum up.

    None of the models is published. Raises UsageError for fewer than two folds, KanjiError where a fold failed,
    Stopped, and its training with it, when the user asks to stop.
    """
    if spec.count < FEWEST:
        raise UsageError(f"{spec.count} is no number of folds", "two at least, for example: kanji-tui folds 5")
    assert report.directory is not None, "a cross-validation always has a run directory"
    from kanji_tui.data.dataset import open_dataset

    digest = open_dataset(spec.train.data_dir).digest
    runs = report.directory.parent
    found = []
    for number in range(1, spec.count + 1):
        raise_if_stopped(report)
        named = f"{number}/{spec.count}"
        wanted = replace(spec.train, config=replace(spec.train.config, fold=named), resume=None, publish=False)
        report(Progress("folds", number - 1, spec.count, "folds", f"fold {named}"))
        result = _result(_training(wanted, digest, runs, report), named, report)
        if result.test is None:
            raise KanjiError(f"fold {named}, run {result.run}, has no test split")
        found.append(Fold(named, result.run, result.validation, result.test))
    report(Progress("folds", spec.count, spec.count, "folds"))
    return sum_up(tuple(found))


def sum_up(folds: tuple[Fold, ...]) -> CrossValidated:
    """Mean and deviation of every metric over the folds."""
    return CrossValidated(folds, mean=_over(folds, fmean), std=_over(folds, stdev))


def _over(folds: tuple[Fold, ...], figure: Callable[[list[float]], float]) -> Summary:
    def scores(found: list[Metrics]) -> Scores:
        return Scores(*(figure([getattr(metrics, f.name) for metrics in found]) for f in fields(Scores)))

    return Summary(scores([fold.validation for fold in folds]), scores([fold.test for fold in folds]))


def _training(wanted: TrainSpec, digest: str, runs: Path, report: Report) -> RunDirectory:
    """The run that trains or has trained this fold: one that is there, or a new one."""
    same = [run for run in list_runs(runs) if _is_of(run, wanted, digest)]
    states = [run.state() for run in same]
    for state in ("finished", *ACTIVE):
        if state in states:
            run = same[states.index(state)]
            report(Notice(f"fold {wanted.config.fold}: run {run.name} is {state}, it is taken"))
            return run
    left = next((run for run in same if (run.path / CHECKPOINT).is_file() and run.state() != "failed"), None)
    return process.start("train", replace(wanted, resume=left.path if left else None), runs)


def _is_of(run: RunDirectory, wanted: TrainSpec, digest: str) -> bool:
    """Whether the run is a training of `wanted`, on the dataset with this digest as far as it came to say so."""
    try:
        config = run.config()
        if config["job"] != "train" or from_plain(TrainSpec, config["spec"]).config != wanted.config:
            return False
        if (run.path / MODEL_INFO).is_file():
            return bool(read_json(run.path / MODEL_INFO)["split"]["dataset_digest"] == digest)
    except (KanjiError, KeyError, TypeError):
        return False
    return run.state() in ACTIVE


def _result(training: RunDirectory, named: str, report: Report) -> Trained:
    """Follow the run to its end, reporting its progress; its result."""

    def hear(event: Event) -> None:
        if isinstance(event, Progress):
            report(replace(event, phase=f"fold {named}, {event.phase}"))
        elif isinstance(event, Notice):
            report(Notice(f"fold {named}: {event.message}"))

    end = follow(training, hear, report.stop_requested)
    if isinstance(end.result, Trained):
        return end.result
    raise_if_stopped(report)
    if end.failure is not None:
        raise KanjiError(f"fold {named}, run {training.name}, failed: {end.failure.message}", end.failure.remedy)
    raise KanjiError(
        f"fold {named}, run {training.name}, is {end.state}", f"see {training.log}; the same command again goes on"
    )
