"""The job `folds`: a whole cross-validation, each fold an ordinary training.

A fold that was trained before, with the same settings on the same dataset, is not trained again, and one that was
cut off after its first epoch goes on from its checkpoint: so the job goes on by being started again.
"""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Failure, Notice, Outcome, Progress, Report, raise_if_stopped
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.paths import CHECKPOINT, MODEL_INFO
from kanji_tui.runs import process
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory, list_runs, read_events
from kanji_tui.system.files import read_json
from kanji_tui.system.plain_data import from_plain

FEWEST = 2
LOOK_SECONDS = 0.25
MEASURED = ("validation", "test")


@dataclass(frozen=True)
class Spec:
    """`train` is what each of the `count` folds is trained as."""

    count: int
    train: TrainSpec = field(default_factory=TrainSpec)


@dataclass(frozen=True)
class Fold:
    """`fold` as "2/5", its run, and what that found: fractions, of the best epoch's validation and of the test."""

    fold: str
    run: str
    validation: dict[str, Any]
    test: dict[str, Any]


@dataclass(frozen=True)
class CrossValidated:
    """`mean` and `std` (of a sample: divided by n - 1) over the folds, as {"validation": {...}, "test": {...}}."""

    folds: tuple[Fold, ...]
    mean: dict[str, dict[str, float]]
    std: dict[str, dict[str, float]]


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
        found.append(Fold(named, result["run"], result["validation"], result["test"]))
    report(Progress("folds", spec.count, spec.count, "folds"))
    return sum_up(tuple(found))


def sum_up(folds: tuple[Fold, ...]) -> CrossValidated:
    """Mean and deviation over the folds of every figure but the number of samples."""
    columns = {
        part: {
            name: [getattr(fold, part)[name] for fold in folds]
            for name in getattr(folds[0], part)
            if name != "samples"
        }
        for part in MEASURED
    }
    return CrossValidated(
        folds,
        mean={part: {name: fmean(values) for name, values in figures.items()} for part, figures in columns.items()},
        std={part: {name: stdev(values) for name, values in figures.items()} for part, figures in columns.items()},
    )


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


def _result(training: RunDirectory, named: str, report: Report) -> dict[str, Any]:
    """Follow the run to its end, telling how far it is; its result."""
    offset, result, failure = 0, None, None
    while True:
        state = training.state()  # looked at before the events: none can be missed
        told, offset = read_events(training.events, offset)
        for _, event in told:
            if isinstance(event, Progress):
                report(replace(event, phase=f"fold {named}, {event.phase}"))
            elif isinstance(event, Notice):
                report(Notice(f"fold {named}: {event.message}"))
            elif isinstance(event, Outcome):
                result = event.result
            elif isinstance(event, Failure):
                failure = event
        if state not in ACTIVE:
            break
        if report.stop_requested():
            training.request_stop()
        time.sleep(LOOK_SECONDS)
    if result is not None:
        return result
    raise_if_stopped(report)
    if failure is not None:
        raise KanjiError(f"fold {named}, run {training.name}, failed: {failure.message}", failure.remedy)
    raise KanjiError(
        f"fold {named}, run {training.name}, is {state}", f"see {training.log}; the same command again goes on"
    )
