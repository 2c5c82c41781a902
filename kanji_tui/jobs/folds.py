"""The job `folds`: a cross-validation, in which each fold is a training run.

A fold that has been trained with the same settings on the same dataset is not trained again, and one that was
interrupted after its first epoch resumes from its checkpoint. Starting the job again therefore resumes it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, stdev

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Event, Notice, Progress, Report, raise_if_stopped
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.paths import CHECKPOINT, MODEL_INFO
from kanji_tui.runs import process
from kanji_tui.runs.following import follow
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory, list_runs
from kanji_tui.system.intervals import Interval, fill_intervals
from kanji_tui.system.plain_data import from_plain, read_as
from kanji_tui.training.results import Metrics, Trained

MIN_FOLDS = 2


@dataclass(frozen=True)
class Spec:
    """`train`: the training of each of the `count` folds."""

    count: int
    train: TrainSpec = field(default_factory=TrainSpec)


@dataclass(frozen=True)
class Scores:
    """Fractions, and the mean cross-entropy `loss`. A mean has intervals: Wilson's, at 95 %, for `samples`.

    These are the samples of all folds together; each of them is tested once. `None`: of a deviation.
    """

    loss: float
    top1: float
    top3: float
    top5: float
    balanced: float
    samples: int | None = None
    top1_interval: Interval | None = None
    top3_interval: Interval | None = None
    top5_interval: Interval | None = None

    def __post_init__(self) -> None:
        if self.samples is not None:
            fill_intervals(self, "top1", "top3", "top5")


@dataclass(frozen=True)
class Summary:
    """One statistic, mean or deviation, of each metric over all folds."""

    validation: Scores
    test: Scores


@dataclass(frozen=True)
class Fold:
    """`fold` as "2/5", its run, the validation metrics of the best epoch and the test metrics."""

    fold: str
    run: str
    validation: Metrics
    test: Metrics


@dataclass(frozen=True)
class CrossValidated:
    """`mean` and `std` (sample standard deviation: divided by n - 1) over the folds."""

    folds: tuple[Fold, ...]
    mean: Summary
    std: Summary


def run(spec: Spec, report: Report) -> CrossValidated:
    """Train the folds that are not trained yet, one after the other, and summarise all.

    No model is published. Raises UsageError for fewer than two folds, KanjiError where a fold failed, and Stopped
    when the user asks to stop, which also stops the training.
    """
    if spec.count < MIN_FOLDS:
        raise UsageError(
            f"{spec.count} is not a number of folds", "give two or more, for example: kanji-tui folds 5"
        )
    assert report.directory is not None, "a cross-validation always has a run directory"
    from kanji_tui.data.dataset import open_dataset

    digest = open_dataset(spec.train.data_dir).digest
    runs = report.directory.parent
    found = []
    for number in range(1, spec.count + 1):
        raise_if_stopped(report)
        fold = f"{number}/{spec.count}"
        wanted = replace(spec.train, config=replace(spec.train.config, fold=fold), resume=None, publish=False)
        report(Progress("folds", number - 1, spec.count, "folds", f"fold {fold}"))
        result = _result(_find_or_start(wanted, digest, runs, report), fold, report)
        if result.test is None:
            raise KanjiError(f"fold {fold}, run {result.run}, has no test split")
        found.append(Fold(fold, result.run, result.validation, result.test))
    report(Progress("folds", spec.count, spec.count, "folds"))
    return summarise(tuple(found))


def summarise(folds: tuple[Fold, ...]) -> CrossValidated:
    """Mean and deviation of every metric over the folds."""
    validation, test = [fold.validation for fold in folds], [fold.test for fold in folds]
    std = Summary(_over(validation, stdev), _over(test, stdev))
    return CrossValidated(folds, Summary(_mean(validation), _mean(test)), std)


def _mean(found: list[Metrics]) -> Scores:
    return replace(_over(found, fmean), samples=sum(metrics.samples for metrics in found))


def _over(found: list[Metrics], statistic: Callable[[list[float]], float]) -> Scores:
    def over(name: str) -> float:
        return statistic([getattr(metrics, name) for metrics in found])

    return Scores(over("loss"), over("top1"), over("top3"), over("top5"), over("balanced"))


def _find_or_start(wanted: TrainSpec, digest: str, runs: Path, report: Report) -> RunDirectory:
    """The run that trains or has trained this fold: an existing one, or a new one."""
    same = [run for run in list_runs(runs) if _trains(run, wanted, digest)]
    states = [run.state() for run in same]
    for state in ("finished", *ACTIVE):
        if state in states:
            run = same[states.index(state)]
            report(Notice(f"fold {wanted.config.fold}: uses run {run.name}, which is {state}"))
            return run
    interrupted = next((run for run in same if (run.path / CHECKPOINT).is_file() and run.state() != "failed"), None)
    return process.start("train", replace(wanted, resume=interrupted.path if interrupted else None), runs)


@dataclass(frozen=True)
class _Split:
    dataset_digest: str


@dataclass(frozen=True)
class _TrainedOn:
    """What the metadata of a run's model say about its dataset."""

    split: _Split


def _trains(run: RunDirectory, wanted: TrainSpec, digest: str) -> bool:
    """Whether the run is a training of `wanted` on this dataset, whose digest is known after the first epoch."""
    try:
        config = run.config()
        if config.job != "train" or from_plain(TrainSpec, config.spec).config != wanted.config:
            return False
        if (run.path / MODEL_INFO).is_file():
            return read_as(_TrainedOn, run.path / MODEL_INFO).split.dataset_digest == digest
    except KanjiError:
        return False
    return run.state() in ACTIVE


def _result(training: RunDirectory, fold: str, report: Report) -> Trained:
    """Follow the run to its end and forward its progress; returns its result."""

    def on_event(event: Event) -> None:
        if isinstance(event, Progress):
            report(replace(event, phase=f"fold {fold}, {event.phase}"))
        elif isinstance(event, Notice):
            report(Notice(f"fold {fold}: {event.message}"))

    end = follow(training, on_event, report.stop_requested)
    if isinstance(end.result, Trained):
        return end.result
    raise_if_stopped(report)
    if end.failure is not None:
        raise KanjiError(f"fold {fold}, run {training.name}, failed: {end.failure.message}", end.failure.remedy)
    state = "has crashed" if end.state == "lost" else f"is {end.state}"
    raise KanjiError(
        f"fold {fold}, run {training.name}, {state}", f"see {training.log}; resume with the same command"
    )
