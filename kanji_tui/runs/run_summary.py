"""Summarises runs for the list of runs: job, state and progress of each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from kanji_tui.allowed import COUNT, TEXT
from kanji_tui.errors import KanjiError
from kanji_tui.events import Damaged, Epoch, Outcome
from kanji_tui.paths import RUNS_DIR
from kanji_tui.runs.about import continued_run, read_about
from kanji_tui.runs.event_log import newest_events
from kanji_tui.runs.run_directory import RunDirectory, job_of, list_runs
from kanji_tui.runs.run_source import source_of
from kanji_tui.system.intervals import wilson_interval
from kanji_tui.system.plain_data import OPTIONAL, read_plain

NOT_BEST = b'"best": false'  # in the line of an epoch that was not the best so far
SEARCHED = 2**23  # bytes before the end of an events file, in which the newest and the best epoch are sought


@dataclass(frozen=True)
class RunSummary:
    """`epoch` of `epochs` for a training, else None.

    `problem`: what of the run's files is damaged, in a sentence; else empty. `name` and `note` are what a person
    says of it; `continues` names the run that it resumed; `source`: where its samples come from, empty where it is
    not known; `published`: its model is the one in models/.

    `validation` holds the best epoch's loss and fractions, and where the number of `samples` is known Wilson's 95 %
    interval of top1.
    """

    run: str
    job: str
    state: str
    pid: int | None
    epoch: int | None = None
    epochs: int | None = None
    validation: dict[str, Any] = field(default_factory=dict)
    problem: str = field(default="", metadata=OPTIONAL)
    name: str = ""
    note: str = ""
    continues: str | None = None
    source: str = ""
    published: bool = False


@dataclass(frozen=True)
class _Score:
    top1: float | None = None
    top3: float | None = None
    top5: float | None = None
    loss: float | None = None


@dataclass(frozen=True)
class ListedResult:
    """What lists of runs show of a job's result, as far as it has that. `test`: fractions, and the loss."""

    test: _Score | None = None
    device: str | None = None
    parameters: Annotated[int, COUNT] | None = None
    classes: Annotated[int, COUNT] | None = None
    seconds: float | None = None
    source: Annotated[str, TEXT] = ""


@dataclass(frozen=True)
class RunRecord:
    """A run's summary and what it is made from: `spec` as plain values, its newest and best epoch, its result."""

    summary: RunSummary
    path: Path
    spec: dict[str, Any] = field(default_factory=dict)
    newest: Epoch | None = None
    best: Epoch | None = None
    result: ListedResult = field(default_factory=ListedResult)


@dataclass(frozen=True)
class RunState:
    """A run and its state after a command. `note`: what that means for others, or empty."""

    run: str
    state: str
    note: str = field(default="", metadata=OPTIONAL)


@dataclass(frozen=True)
class Described:
    """A run with what a person says of it after a command."""

    run: str
    name: str
    note: str


@dataclass(frozen=True)
class Runs:
    """Runs in the order in which they are listed."""

    runs: tuple[RunSummary, ...]


def summarise(run: RunDirectory) -> RunSummary:
    """The summary of one run."""
    return read_record(run).summary


def read_record(run: RunDirectory) -> RunRecord:
    """One run, from its status and its last events; whatever is damaged is the `problem` of its summary."""
    problems: list[str] = []
    job, state, pid = job_of(run.name), "lost", None
    spec: dict[str, Any] = {}
    result: ListedResult | None = None
    newest, best = None, None
    with _noting(problems):
        status = run.read_status()
        job, state, pid = status.job, status.current_state(), status.pid or None
    with _noting(problems):
        spec = run.config().spec
    with _noting(problems):

        def skipped(line: bytes) -> bool:
            return newest is not None and NOT_BEST in line

        for _, event in newest_events(run.events, SEARCHED, skipped):
            if isinstance(event, Damaged):
                problems.append(event.reason)
            elif isinstance(event, Outcome) and result is None:
                result = ListedResult()
                with _noting(problems):
                    result = read_plain(ListedResult, event.result, f"the result in {run.events}")
            elif isinstance(event, Epoch):
                newest = newest or event
                best = event if event.best else None
                if best:
                    break
    about = read_about(run.path)
    summary = RunSummary(
        run=run.name,
        job=job,
        state=state,
        pid=pid,
        epoch=newest.epoch if newest else None,
        epochs=newest.epochs if newest else None,
        validation=_validation(best or newest) if newest else {},
        problem=problems[0] if problems else "",
        name=about.name,
        note=about.note,
        continues=continued_run(spec),
        source=source_of(run.path, job, spec, result),
    )
    return RunRecord(summary, run.path, spec, newest, best or newest, result or ListedResult())


@contextmanager
def _noting(problems: list[str]) -> Iterator[None]:
    """Add the message of a KanjiError to the problems, instead of raising it."""
    try:
        yield
    except KanjiError as error:
        problems.append(error.message)


def _validation(best: Epoch) -> dict[str, Any]:
    found = {"loss": best.val_loss, "top1": best.val_top1, "top3": best.val_top3, "top5": best.val_top5}
    if best.val_samples is None:
        return found
    return {
        **found,
        "samples": best.val_samples,
        "top1_interval": wilson_interval(best.val_top1, best.val_samples),
    }


def read_records(runs: Path = RUNS_DIR) -> tuple[RunRecord, ...]:
    """Every run, newest first."""
    return tuple(read_record(run) for run in list_runs(runs))
