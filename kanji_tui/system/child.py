"""A function of this program in a process of its own, whose last words are kept for when it fails.

`python -m kanji_tui.system.child MODULE:FUNCTION ARGUMENTS` is the child. It has a session of its own and ignores
SIGINT: Ctrl-C is for the process that asks. Where libraries may print, the function calls `take_stdout` first.
"""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import IO

from kanji_tui.errors import KanjiError


class Child:
    """Runs `entry`, a `module:function` that takes strings. Use it in a `with` block, or call `close`.

    With `pipes` the child is asked on `requests` and answers on `answers`; else its stdin is empty and `output` is
    everything it printed. `nice` lowers its priority.
    """

    def __init__(self, entry: str, *arguments: str, pipes: bool = False, nice: int = 0) -> None:
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 closed by `close`
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 closed by `close`
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kanji_tui.system.child", entry, *arguments],
            stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipes else self._out,
            stderr=self._err,
            start_new_session=True,
        )
        if nice:
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, nice)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def requests(self) -> IO[bytes]:
        assert self._process.stdin is not None, "a child without pipes is not asked"
        return self._process.stdin

    @property
    def answers(self) -> IO[bytes]:
        assert self._process.stdout is not None, "a child without pipes answers by its output"
        return self._process.stdout

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return self._process.poll()

    def wait(self, limit: float | None = None) -> int:
        """The exit code; raises TimeoutError after `limit` seconds."""
        try:
            return self._process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None

    def end(self, patience: float = 0.0) -> int:
        """End the child and whatever it started; with `patience` it may first end by itself, its pipes closed."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        if patience:
            with contextlib.suppress(TimeoutError):
                self.wait(patience)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()

    def close(self) -> None:
        """End the child and forget what it printed."""
        self.end()
        self._out.close()
        self._err.close()

    @property
    def output(self) -> bytes:
        """What it printed on stdout, of a child without pipes."""
        self._out.seek(0)
        return self._out.read()

    @property
    def printed(self) -> str:
        """What it printed on stderr."""
        self._err.seek(0)
        return self._err.read().decode("utf-8", "replace")

    def last_words(self) -> str:
        """Why it ended, in a line: the signal, the last line that it printed, or its exit code."""
        code = self._process.returncode
        if code is not None and code < 0:
            return f"it crashed ({signal.Signals(-code).name})"
        lines = [line.strip() for line in self.printed.splitlines() if line.strip()]
        return lines[-1] if lines else f"it ended with exit code {code} and printed nothing"


def take_stdout() -> IO[bytes]:
    """In a child: stdout for answers alone; whatever a library prints there goes to stderr from now on."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def resolve(entry: str) -> "object":
    """The function named `module:function`."""
    module, _, function = entry.partition(":")
    return getattr(importlib.import_module(module), function)


def main() -> None:
    """The child's beginning."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    function = resolve(sys.argv[1])
    assert callable(function)
    try:
        function(*sys.argv[2:])
    except KanjiError as error:
        sys.exit(error.message)


if __name__ == "__main__":
    main()
