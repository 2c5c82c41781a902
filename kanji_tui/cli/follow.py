"""Following a run from the command line: its events as they come, until it ends."""

from typing import Any

from kanji_tui.cli.console import ConsoleReport, escape, stderr
from kanji_tui.errors import Stopped
from kanji_tui.runs import following
from kanji_tui.runs.run_directory import RunDirectory


def follow(run: RunDirectory, stop_on_interrupt: bool) -> Any:
    """Show the run's events until it ends and return its result.

    Ctrl-C stops the run (`stop_on_interrupt`) or ends only the following. Raises Stopped, or KanjiError with what
    the run said, when it did not finish.
    """

    def leave() -> None:
        stderr.print(f"run {run.name} goes on; follow it again: kanji-tui attach {run.name}")
        raise Stopped("no longer following")

    with ConsoleReport() as report:
        end = following.follow(run, report, report.stop_requested, None if stop_on_interrupt else leave)
    return end.result_or_error()


def result_of(run: RunDirectory) -> Any:
    """The result of a run that has ended, or the error that says how it ended."""
    return following.end_of(run).result_or_error()


def say_where(run: RunDirectory) -> None:
    """Tell the name of a started run and how to come back to it."""
    stderr.print(
        f"run [bold]{escape(run.name)}[/]: it goes on if this terminal is lost (kanji-tui attach {run.name})"
    )
