"""Following a run from the command line: its events as they come, until it ends."""

import time
from typing import Any

from kanji_tui import events
from kanji_tui.cli.console import ConsoleReport, escape, stderr
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory, read_events

LOOK_SECONDS = 0.25


def follow(run: RunDirectory, stop_on_interrupt: bool) -> dict[str, Any]:
    """Show the run's events until it ends and return its result.

    Ctrl-C stops the run (`stop_on_interrupt`) or ends only the following. Raises Stopped, or KanjiError with what
    the run said, when it did not finish.
    """
    offset = 0
    asked = False
    with ConsoleReport() as report:
        while True:
            state = run.state()  # looked at before the events: none can be missed
            fresh, offset = read_events(run.events, offset)
            for _, event in fresh:
                report(event)
            if state not in ACTIVE:
                break
            if report.stop_requested() and not asked:
                asked = True
                if not stop_on_interrupt:
                    stderr.print(f"run {run.name} goes on; follow it again: kanji-tui attach {run.name}")
                    raise Stopped("no longer following")
                run.request_stop()
            time.sleep(LOOK_SECONDS)
    return result_of(run)


def result_of(run: RunDirectory) -> dict[str, Any]:
    """The result of a run that has ended, or the error that says how it ended."""
    state = run.state()
    told = [event for _, event in read_events(run.events)[0]]
    result = next((event.result for event in reversed(told) if isinstance(event, events.Outcome)), None)
    if state == "finished" and result is not None:
        return result
    job = run.config()["job"]
    again = f"kanji-tui {job} --resume {run.name}" if job in ("train", "search") else "the same command again"
    if state == "stopped":
        raise Stopped(f"run {run.name} was stopped; what it did is kept", f"go on with: {again}")
    failure = next((event for event in reversed(told) if isinstance(event, events.Failure)), None)
    if failure is not None:
        error = KanjiError(f"run {run.name} failed: {failure.message}", failure.remedy)
        error.exit_code = failure.exit_code
        raise error
    raise KanjiError(
        f"run {run.name} is lost: its process ended without a word", f"see {run.log}; go on with: {again}"
    )


def say_where(run: RunDirectory) -> None:
    """Tell the name of a started run and how to come back to it."""
    stderr.print(
        f"run [bold]{escape(run.name)}[/]: it goes on if this terminal is lost (kanji-tui attach {run.name})"
    )
