"""Locks of folders, between processes and between threads."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.02


@contextmanager
def locked(folder: Path, seconds: float = 0.0) -> Iterator[bool]:
    """Lock a folder, made where there is none; False where another has it, still after so many seconds.

    The lock ends with the process at the latest. OSError where the folder cannot be made or read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _lock(handle, time.monotonic() + seconds)
    finally:
        os.close(handle)


def _lock(handle: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
        time.sleep(POLL_SECONDS)
