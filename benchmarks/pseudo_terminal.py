"""A program on a pseudo-terminal: send keys, count and time its output."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from pathlib import Path

import psutil

CHUNK = 65536


class OnTerminal:
    """`python ARGUMENTS` in `home`, on a truecolour pseudo-terminal; `received` counts the bytes it wrote."""

    def __init__(self, home: Path, *arguments: str, columns: int = 120, rows: int = 40) -> None:
        self.received = 0
        self.began = time.perf_counter()
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(home)
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(sys.executable, [sys.executable, *arguments])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = psutil.Process(pid)

    def __enter__(self) -> "OnTerminal":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.drain(1)
        self.process.wait(10)
        os.close(self.terminal)

    def keys(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def read(self, seconds: float) -> bytes:
        """The next output; empty after `seconds` without output, or when the program has ended."""
        if not select.select([self.terminal], [], [], max(0.0, seconds))[0]:
            return b""
        try:
            found = os.read(self.terminal, CHUNK)
        except OSError:
            return b""
        self.received += len(found)
        return found

    def drain(self, seconds: float) -> int:
        """Read its output for `seconds`; the number of bytes."""
        before, until = self.received, time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if not self.read(left) and not self.process.is_running():
                break
        return self.received - before

    def settle(self, quiet: float, longest: float) -> None:
        """Read until there was no output for `quiet` seconds, at most `longest` seconds."""
        until = time.perf_counter() + longest
        while time.perf_counter() < until and self.read(quiet):
            pass

    def wait_for(self, mark: str, longest: float) -> float:
        """Seconds until it has written `mark`; TimeoutError after `longest`."""
        began, seen = time.perf_counter(), b""
        while mark.encode() not in seen:
            left = began + longest - time.perf_counter()
            if left <= 0:
                raise TimeoutError(f"'{mark}' was not written within {longest} s")
            seen = (seen + self.read(left))[-CHUNK * 4 :]
        return time.perf_counter() - began

    def seconds_used(self) -> float:
        """CPU seconds of the program and the children it waited for; jobs are not among them."""
        times = self.process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)

    def own_seconds_used(self) -> float:
        """CPU seconds of the program itself: a child counts when it has ended, however long before it worked."""
        times = self.process.cpu_times()
        return float(times.user + times.system)
