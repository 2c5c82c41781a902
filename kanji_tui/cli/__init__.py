"""The command line: parses arguments, starts jobs, prints progress and results."""

import errno
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from kanji_tui.errors import BROKEN_PIPE, KanjiError, Stopped, UsageError
from kanji_tui.interrupts import waiting


def main(argv: list[str] | None = None) -> int:
    """`kanji-tui ARGUMENTS`; returns the exit code (0 done, 1 failed, 2 wrong usage, 130 stopped)."""
    given = sys.argv[1:] if argv is None else argv
    if not given:  # importing the parser of all commands would delay the first paint
        from kanji_tui.cli.workbench import workbench

        return run_guarded(lambda: Namespace(command=workbench, once=None))

    def parse() -> Namespace:
        from kanji_tui.cli.parser import parser

        return parser().parse_args(given)

    return run_guarded(parse, json="--json" in given)


def run_guarded(parse: Callable[[], Namespace], json: bool = False) -> int:
    """Run the parsed command in the home folder; prints an error on stderr and returns its exit code.

    With `json` the error is printed on stdout too: {"error": {"message", "remedy", "code"}}.
    """
    open_closed_streams()
    if isinstance(sys.stdout, TextIOWrapper):  # a file name may contain bytes that are not UTF-8
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            with waiting():
                arguments = parse()
            enter_home(getattr(arguments, "home", None))
            code: int = arguments.command(arguments)
            sys.stdout.flush()
            return code
        except KanjiError as error:
            return report_error(error, json)
        except KeyboardInterrupt:
            return report_error(Stopped(), json)
        except RuntimeError as error:
            # Python 3.11 makes this error of a Ctrl-C that comes while a class is made.
            if isinstance(error.__cause__, KeyboardInterrupt):
                return report_error(Stopped(), json)
            from kanji_tui.system.gpu import gpu_failure

            failure = gpu_failure(error)
            if failure is None:
                raise
            return report_error(failure, json)
    except BrokenPipeError:  # the reader of our output ended, for example `| head`
        discard_output()
        return BROKEN_PIPE
    except (OSError, MemoryError) as error:  # what no job foresees: full output, too many open files, no memory
        failed = system_error(error)
        with suppress(OSError, ImportError):  # Rich, and what is not imported yet, may need more of what is short
            print(f"error: {failed.message}\n  try: {failed.remedy}", file=sys.stderr, flush=True)
            if json:
                print_json_error(failed)
        discard_output()
        return failed.exit_code


def open_closed_streams() -> None:
    """Open /dev/null for what the caller has closed (`>&-`), before another file takes its number."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # the lowest free number
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 for the life of the process
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 for the life of the process


def discard_output() -> None:
    """From now on write to /dev/null: what is still in the buffers must not fail again when Python ends."""
    with suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                os.dup2(null, stream.fileno())
        os.close(null)


def system_error(error: OSError | MemoryError) -> KanjiError:
    """The error for what the system refused. What has no file name is the output, or a number of open files."""
    if isinstance(error, MemoryError):
        return KanjiError("there is not enough memory", "close other programs, or raise the limit: ulimit -v")
    reason = error.strerror or str(error)
    if error.filename is not None:
        return KanjiError(f"{error.filename!r}: {reason}", "check the disk (df -h) and the limits (ulimit -a)")
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return KanjiError(reason, "raise the limit: ulimit -n 1024")
    return KanjiError(f"the output cannot be written: {reason}", "check where it goes: df -h")


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
    try:
        from kanji_tui.cli.console import print_error
    except Exception:  # Ctrl-C has broken off an import of what it needs
        print(error.message, file=sys.stderr)
        return error.exit_code
    print_error(error)
    if json:
        print_json_error(error)
    return error.exit_code


def print_json_error(error: KanjiError) -> None:
    from kanji_tui.cli.output import put_json

    put_json({"error": error.to_json()})
