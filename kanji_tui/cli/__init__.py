"""The command line: arguments in, jobs started, progress and results out. It does no work of its own."""

import os
import sys
from argparse import Namespace
from io import TextIOWrapper
from pathlib import Path

from kanji_tui.errors import KanjiError, UsageError


def main(argv: list[str] | None = None) -> int:
    """`kanji-tui ARGUMENTS`; returns the exit code (0 done, 1 failed, 2 wrong usage, 130 stopped)."""
    if not (sys.argv[1:] if argv is None else argv):  # the first paint does not wait for a parser of all commands
        from kanji_tui.cli.workbench import workbench

        return run_guarded(Namespace(command=workbench, once=None))
    from kanji_tui.cli.parser import parser

    return run_guarded(parser().parse_args(argv))


def run_guarded(arguments: object) -> int:
    """Run the command the arguments chose, from the home folder; every error becomes sentences on stderr."""
    if isinstance(sys.stdout, TextIOWrapper):  # a file's name may hold what UTF-8 cannot
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        enter_home(getattr(arguments, "home", None))
        code: int = arguments.command(arguments)  # type: ignore[attr-defined]
        sys.stdout.flush()
        return code
    except KanjiError as error:
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:
        complain(KanjiError("stopped"))
        return 130
    except BrokenPipeError:  # the reader of our output left, `| head` say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def enter_home(home: Path | None) -> None:
    """Make --home or KANJI_TUI_HOME, where given, the folder that all relative paths start from."""
    chosen = home or os.environ.get("KANJI_TUI_HOME")
    if not chosen:
        return
    try:
        Path(chosen).mkdir(parents=True, exist_ok=True)
        os.chdir(chosen)
        os.environ["KANJI_TUI_HOME"] = os.getcwd()  # a command that this one starts stays here
    except OSError as error:
        raise UsageError(
            f"the home folder {chosen} cannot be used: {error.strerror}", "name another: --home DIR"
        ) from None


def complain(error: KanjiError) -> None:
    """The error in sentences on stderr."""
    from kanji_tui.cli.console import print_error

    print_error(error)
