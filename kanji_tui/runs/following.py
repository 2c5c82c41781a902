"""Following a run to its end through its directory: the one way for commands, folds and searches."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.events import Event, Failure, Outcome
from kanji_tui.runs.process import read_result
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory, read_events

POLL_SECONDS = 0.25
RESUMABLE = ("train", "search")


@dataclass(frozen=True)
class RunEnd:
    """How a run ended: its state, its result where it has one, what it failed with."""

    run: RunDirectory
    state: str
    result: Any
    failure: Failure | None

    def result_or_error(self) -> Any:
        """The result of a finished run; Stopped, or KanjiError in the run's own words, for any other."""
        if self.state == "finished" and self.result is not None:
            return self.result
        name, job = self.run.name, self.run.config()["job"]
        again = f"kanji-tui {job} --resume {name}" if job in RESUMABLE else "the same command again"
        if self.state == "stopped":
            raise Stopped(f"run {name} was stopped; what it did is kept", f"go on with: {again}")
        if self.failure is not None:
            error = KanjiError(f"run {name} failed: {self.failure.message}", self.failure.remedy)
            error.exit_code = self.failure.exit_code
            raise error
        raise KanjiError(
            f"run {name} is lost: its process ended without a word", f"see {self.run.log}; go on with: {again}"
        )


def follow(
    run: RunDirectory,
    hear: Callable[[Event], None],
    stop_requested: Callable[[], bool] = lambda: False,
    stop: Callable[[], object] | None = None,
) -> RunEnd:
    """Hand every event of the run to `hear` until it ends.

    Once `stop_requested` is true, `stop` is called (asking the run to stop, unless given); what it raises ends the
    following.
    """
    offset, asked = 0, False
    result, failure = None, None
    while True:
        state = run.state()  # before the events: once it has ended, none can be missed
        fresh, offset = read_events(run.events, offset)
        for _, event in fresh:
            hear(event)
            if isinstance(event, Outcome):
                result = read_result(run.config()["job"], event.result)
            elif isinstance(event, Failure):
                failure = event
        if state not in ACTIVE:
            return RunEnd(run, state, result, failure)
        if not asked and stop_requested():
            asked = True
            (stop or run.request_stop)()
        time.sleep(POLL_SECONDS)


def end_of(run: RunDirectory) -> RunEnd:
    """How a run ended that has ended already."""
    return follow(run, lambda event: None)
