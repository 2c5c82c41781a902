"""Following a run from the command line: its events until it ends."""

from typing import Any

from kanji_tui.cli.console import ConsoleReport
from kanji_tui.cli.output import escape, stderr
from kanji_tui.errors import Stopped
from kanji_tui.runs import following
from kanji_tui.runs.run_directory import RunDirectory


def follow(run: RunDirectory, stop_on_interrupt: bool, offset: int = 0) -> Any:
    """Show the run's events, those after byte `offset`, until it ends and return its result.

    Ctrl-C stops the run (`stop_on_interrupt`) or ends only the following. If the run did not finish, raises Stopped
    or KanjiError with the run's own message.
    """

    def leave() -> None:
        stderr.print(f"run {escape(run.name)} continues; follow it again: kanji-tui attach {escape(run.name)}")
        raise Stopped("no longer following")

    with ConsoleReport() as report:
        end = following.follow(run, report, report.stop_requested, None if stop_on_interrupt else leave, offset)
    return end.result_or_error()


def result_of(run: RunDirectory) -> Any:
    """The result of an ended run; raises an error if it has none."""
    return following.end_of(run).result_or_error()


def print_run_name(run: RunDirectory) -> None:
    """Print the name of a started run and the command to follow it."""
    stderr.print(
        f"run [bold]{escape(run.name)}[/] continues if this terminal is closed "
        f"(kanji-tui attach {escape(run.name)})"
    )
