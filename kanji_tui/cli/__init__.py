"""The command line: arguments in, jobs started, progress and results out. It does no work of its own."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

from kanji_tui.errors import KanjiError, Stopped, UsageError


def main(argv: list[str] | None = None) -> int:
    """`kanji-tui ARGUMENTS`; returns the exit code (0 done, 1 failed, 2 wrong usage, 130 stopped)."""
    words = sys.argv[1:] if argv is None else argv
    if not words:  # the first paint does not wait for a parser of all commands
        from kanji_tui.cli.workbench import workbench

        return run_guarded(lambda: Namespace(command=workbench, once=None))
    from kanji_tui.cli.parser import parser

    return run_guarded(lambda: parser().parse_args(words), json="--json" in words)


def run_guarded(parse: Callable[[], Namespace], json: bool = False) -> int:
    """Run the command that the parsed arguments chose, from the home folder; an error becomes sentences on stderr.

    With `json` it is one object on stdout too: {"error": {"message", "remedy", "code"}}.
    """
    if isinstance(sys.stdout, TextIOWrapper):  # a file's name may hold what UTF-8 cannot
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        arguments = parse()
        enter_home(getattr(arguments, "home", None))
        code: int = arguments.command(arguments)
        sys.stdout.flush()
        return code
    except KanjiError as error:
        return complain(error, json)
    except KeyboardInterrupt:
        return complain(Stopped(), json)
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


def complain(error: KanjiError, json: bool) -> int:
    """The error in sentences on stderr, with `json` as an object on stdout; returns the exit code."""
    from kanji_tui.cli.console import print_error
    from kanji_tui.system.files import strict_json

    print_error(error)
    if json:
        print(strict_json({"error": error.to_json()}), flush=True)
    return error.exit_code
