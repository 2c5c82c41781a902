"""Summarises runs for the list of runs: job, state and progress of each."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kanji_tui.events import Epoch
from kanji_tui.paths import RUNS_DIR
from kanji_tui.runs.run_directory import RunDirectory, list_runs, read_events
from kanji_tui.system.intervals import wilson_interval


@dataclass(frozen=True)
class RunSummary:
    """`epoch` of `epochs` for a training, else None.

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


@dataclass(frozen=True)
class RunState:
    """A run and its state after a command."""

    run: str
    state: str


@dataclass(frozen=True)
class Runs:
    """All runs, newest first."""

    runs: tuple[RunSummary, ...]


def summarise(run: RunDirectory) -> RunSummary:
    """The summary of one run, from its status and its epoch events."""
    status = run.status()
    job = status.job if status else run.name.split("-")[1]
    pid = status.pid or None if status else None
    epochs = [event for _, event in read_events(run.events)[0] if isinstance(event, Epoch)]
    if not epochs:
        return RunSummary(run.name, job, run.state(), pid)
    best = next((event for event in reversed(epochs) if event.best), epochs[-1])
    return RunSummary(run.name, job, run.state(), pid, epochs[-1].epoch, epochs[-1].epochs, _validation(best))


def _validation(best: Epoch) -> dict[str, Any]:
    found = {"loss": best.val_loss, "top1": best.val_top1, "top3": best.val_top3, "top5": best.val_top5}
    if best.val_samples is None:
        return found
    return {
        **found,
        "samples": best.val_samples,
        "top1_interval": wilson_interval(best.val_top1, best.val_samples),
    }


def summarise_all(runs: Path = RUNS_DIR) -> Runs:
    """Every run's summary, newest first."""
    return Runs(tuple(summarise(run) for run in list_runs(runs)))
