"""Runs a function of this program in a child process and keeps its output, to say why it failed.

`python -m kanji_tui.system.child MODULE:FUNCTION ARGUMENTS` is the child. It has its own session and ignores
SIGINT: Ctrl-C is for the parent. Where libraries may print to stdout, the function calls `take_stdout` first.
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

    With `pipes`, the parent writes to `requests` and reads from `answers`. Without, stdin is empty and `output` is
    everything the child printed. `nice` lowers its priority.
    """

    def __init__(self, entry: str, *arguments: str, pipes: bool = False, nice: int = 0) -> None:
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 closed by `close`
        self._err = tempfile.TemporaryFile()  # noqa: SIM115 closed by `close`
        # This interpreter with a module of ours, and no shell.
        self._process = subprocess.Popen(  # nosec B603
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
        assert self._process.stdin is not None, "a child without pipes takes no requests"
        return self._process.stdin

    @property
    def answers(self) -> IO[bytes]:
        assert self._process.stdout is not None, "a child without pipes has `output` instead"
        return self._process.stdout

    def poll(self) -> int | None:
        """The exit code, or None while the child runs."""
        return self._process.poll()

    def wait(self, limit: float | None = None) -> int:
        """The exit code; raises TimeoutError after `limit` seconds."""
        try:
            return self._process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None

    def end(self, grace: float = 0.0) -> int:
        """Let the child end within `grace` seconds by closing its pipes, then kill its session; the exit code."""
        if grace:
            self._close_pipes()
            with contextlib.suppress(TimeoutError):
                self.wait(grace)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        self._close_pipes()  # not before: closing waits for a thread that reads from the living child
        return code

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def close(self) -> None:
        """End the child and delete its output."""
        self.end()
        self._out.close()
        self._err.close()

    @property
    def output(self) -> bytes:
        """What a child without pipes printed to stdout."""
        self._out.seek(0)
        return self._out.read()

    @property
    def errors(self) -> str:
        """What the child printed to stderr."""
        self._err.seek(0)
        return self._err.read().decode("utf-8", "replace")

    def exit_reason(self) -> str:
        """Why the child ended, in one line: its signal, the last line on stderr, or its exit code."""
        code = self._process.returncode
        if code is not None and code < 0:
            return f"it crashed ({signal.Signals(-code).name})"
        lines = [line.strip() for line in self.errors.splitlines() if line.strip()]
        return lines[-1] if lines else f"it ended with exit code {code} and printed nothing"


def take_stdout() -> IO[bytes]:
    """In a child: the stdout, for answers only; from now on what libraries print there goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def resolve(entry: str) -> "object":
    """The function named `module:function`."""
    module, _, function = entry.partition(":")
    return getattr(importlib.import_module(module), function)


def main() -> None:
    """Entry point of the child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    function = resolve(sys.argv[1])
    assert callable(function)
    try:
        function(*sys.argv[2:])
    except KanjiError as error:
        sys.exit(error.message)


if __name__ == "__main__":
    main()
