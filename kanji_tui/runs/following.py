"""Follows a run to its end through its directory, for commands, folds and searches."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.events import Event, Failure, Outcome
from kanji_tui.paths import CHECKPOINT
from kanji_tui.runs.event_log import newest_events, read_events
from kanji_tui.runs.process import read_result
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory, directory_removed

POLL_SECONDS = 0.25
END_BYTES = 2**27  # of an events file: the result is among the last lines, and may be long
RESUMABLE = ("train", "search")
FULL_BYTES = 2**20  # with less space on its disk a run may end without a trace


@dataclass(frozen=True)
class RunEnd:
    """How a run ended: its state, its result or None, and the failure or None."""

    run: RunDirectory
    state: str
    result: Any
    failure: Failure | None

    def result_or_error(self) -> Any:
        """The result of a finished run; for any other raises Stopped, or KanjiError with the run's own message."""
        if self.state == "finished" and self.result is not None:
            return self.result
        if not self.run.path.is_dir():
            raise directory_removed(self.run)
        name, job = self.run.name, self.run.config().job
        again = f"kanji-tui {job} --resume {name}" if job in RESUMABLE else "the same command again"
        if self.state == "stopped" and job == "train" and not (self.run.path / CHECKPOINT).is_file():
            raise Stopped(f"run {name} was stopped before it learned anything", f"begin it anew with: {again}")
        if self.state == "stopped":
            raise Stopped(f"run {name} was stopped; its work is kept", f"go on with: {again}")
        if self.failure is not None:
            error = KanjiError(f"run {name} failed: {self.failure.message}", self.failure.remedy)
            error.exit_code = self.failure.exit_code
            raise error
        if shutil.disk_usage(self.run.path).free < FULL_BYTES:
            raise KanjiError(
                f"run {name} crashed: the disk is full, and it could not even report that",
                f"free some space (df -h {self.run.path}); go on with: {again}",
            )
        raise KanjiError(
            f"run {name} crashed: its process ended without reporting an error",
            f"see {self.run.log}; go on with: {again}",
        )


def follow(
    run: RunDirectory,
    on_event: Callable[[Event], None],
    stop_requested: Callable[[], bool] = lambda: False,
    stop: Callable[[], object] | None = None,
    offset: int = 0,
) -> RunEnd:
    """Pass every event of the run, those after byte `offset`, to `on_event` until the run ends.

    Once `stop_requested` returns true, `stop` is called; by default it requests the run to stop. An exception from
    `stop` ends the following.
    """
    asked = False
    while True:
        state = run.state()  # read before the events, so that none is missed after the end
        before = -1
        while offset != before:
            before = offset
            fresh, offset = read_events(run.events, offset)
            for _, event in fresh:
                on_event(event)
        if state not in ACTIVE:
            return end_of(run)
        if not asked and stop_requested():
            asked = True
            (stop or run.request_stop)()
        time.sleep(POLL_SECONDS)


def end_of(run: RunDirectory) -> RunEnd:
    """The end of a run that has already ended, from its last events. KanjiError where they cannot be read."""
    state = run.state()
    last = next((e for _, e in newest_events(run.events, END_BYTES) if isinstance(e, Outcome | Failure)), None)
    if isinstance(last, Outcome):
        return RunEnd(run, state, read_result(run.config().job, last.result), None)
    return RunEnd(run, state, None, last)
