"""The command line: parses arguments, starts jobs, prints progress and results."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

from kanji_tui.errors import KanjiError, Stopped, UsageError


def main(argv: list[str] | None = None) -> int:
    """`kanji-tui ARGUMENTS`; returns the exit code (0 done, 1 failed, 2 wrong usage, 130 stopped)."""
    given = sys.argv[1:] if argv is None else argv
    if not given:  # importing the parser of all commands would delay the first paint
        from kanji_tui.cli.workbench import workbench

        return run_guarded(lambda: Namespace(command=workbench, once=None))
    from kanji_tui.cli.parser import parser

    return run_guarded(lambda: parser().parse_args(given), json="--json" in given)


def run_guarded(parse: Callable[[], Namespace], json: bool = False) -> int:
    """Run the parsed command in the home folder; prints an error on stderr and returns its exit code.

    With `json` the error is printed on stdout too: {"error": {"message", "remedy", "code"}}.
    """
    if isinstance(sys.stdout, TextIOWrapper):  # a file name may contain bytes that are not UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        arguments = parse()
        enter_home(getattr(arguments, "home", None))
        code: int = arguments.command(arguments)
        sys.stdout.flush()
        return code
    except KanjiError as error:
        return report_error(error, json)
    except KeyboardInterrupt:
        return report_error(Stopped(), json)
    except BrokenPipeError:  # the reader of our output ended, for example `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def enter_home(home: Path | None) -> None:
    """Make --home or KANJI_TUI_HOME, if given, the current directory."""
    chosen = home or os.environ.get("KANJI_TUI_HOME")
    if not chosen:
        return
    try:
        Path(chosen).mkdir(parents=True, exist_ok=True)
        os.chdir(chosen)
        os.environ["KANJI_TUI_HOME"] = os.getcwd()  # for child processes
    except OSError as error:
        raise UsageError(
            f"the home folder {chosen} cannot be used: {error.strerror}", "choose another: --home DIR"
        ) from None


def report_error(error: KanjiError, json: bool) -> int:
    """Print the error on stderr, with `json` also as an object on stdout; returns the exit code."""
    from kanji_tui.cli.console import print_error
    from kanji_tui.system.files import strict_json

    print_error(error)
    if json:
        print(strict_json({"error": error.to_json()}), flush=True)
    return error.exit_code
