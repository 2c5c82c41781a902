"""The workbench as a process on a pseudo terminal."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyte

SECONDS = 60.0  # until something is painted, or nothing any more
LEAVE = b"\x11"  # ctrl+q
START = b"\x1b[?1049h"  # of a program that takes the whole screen


@dataclass
class Painted:
    """The cells of a terminal since a program took it, and what has come since they were last asked for."""

    cells: pyte.Screen
    stream: pyte.ByteStream
    later: bytes = b""


PAINTED: dict[int, Painted] = {}


def started(home: Path, **variables: str) -> tuple[int, "subprocess.Popen[bytes]"]:
    """The terminal, of 80 x 24 cells, and the process of a workbench that works in `home` with these variables."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LINES": "24", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-m", "kanji_tui"],
        cwd=home,
        env={**environment, **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    return ours, process


@contextmanager
def workbench(home: Path, **variables: str) -> Iterator[int]:
    """The terminal of such a workbench, which is left at the end."""
    ours, process = started(home, **variables)
    try:
        yield ours
        os.write(ours, LEAVE)
        deadline = time.monotonic() + SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            read(ours, 0.02)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        PAINTED.pop(ours, None)
        os.close(ours)


def without_torch(folder: Path) -> str:
    """A PYTHONPATH on which torch cannot be imported, so that Preflight's child answers at once."""
    (folder / "torch.py").write_text("raise ImportError('not here')\n")
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


def press(terminal: int, keys: str) -> None:
    os.write(terminal, keys.encode())


def read(terminal: int, seconds: float) -> bytes:
    """What comes within `seconds`."""
    found = b""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            try:
                found += os.read(terminal, 65536)
            except OSError:  # the process has ended
                break
    if START in found or terminal not in PAINTED:
        cells = pyte.Screen(80, 24)
        PAINTED[terminal] = Painted(cells, pyte.ByteStream(cells))
    PAINTED[terminal].later += found
    return found


def terminal_screen(terminal: int) -> pyte.Screen:
    """The cells of the terminal, as far as its output was read."""
    painted = PAINTED[terminal]
    painted.stream.feed(painted.later)
    painted.later = b""
    return painted.cells


def shown(terminal: int) -> str:
    """The text on the terminal, as far as its output was read."""
    return "\n".join(terminal_screen(terminal).display)


def read_until(terminal: int, text: str) -> bytes:
    """All that comes until `text` is painted."""
    found = b""
    deadline = time.monotonic() + SECONDS
    while text not in plain(found):
        assert time.monotonic() < deadline, f"{text!r} is never painted: {plain(found)}"
        found += read(terminal, 0.02)
    return found


def read_until_shown(terminal: int, text: str) -> None:
    """Read until `text` is on the terminal, whenever it was painted."""
    deadline = time.monotonic() + SECONDS
    while text not in shown(terminal):
        assert time.monotonic() < deadline, f"{text!r} is never shown: {shown(terminal)}"
        read(terminal, 0.05)


def read_until_hidden(terminal: int, text: str) -> None:
    """Read until `text` is no longer on the terminal."""
    deadline = time.monotonic() + SECONDS
    while text in shown(terminal):
        assert time.monotonic() < deadline, f"{text!r} stays: {shown(terminal)}"
        read(terminal, 0.05)


def read_until_quiet(terminal: int, seconds: float) -> bytes:
    """All that comes until nothing more has come for `seconds`."""
    found = b""
    deadline = time.monotonic() + SECONDS
    while fresh := read(terminal, seconds):
        found += fresh
        assert time.monotonic() < deadline, "the workbench never falls silent"
    return found


def read_until_silent(terminal: int, seconds: float) -> bytes:
    """All that comes until nothing has come for `seconds` since the last of it."""
    found = b""
    deadline = time.monotonic() + SECONDS
    while select.select([terminal], [], [], seconds)[0]:
        found += read(terminal, 0.02)
        assert time.monotonic() < deadline, "the workbench never falls silent"
    return found


def plain(painted: bytes) -> str:
    """The text without colours and cursor movements."""
    return re.sub(r"\x1b\[[0-9;?<>=]*[ -/]*[@-~]", "", painted.decode("utf-8", "replace"))
