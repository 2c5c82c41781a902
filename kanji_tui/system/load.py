"""How busy the machine is: processors, memory, disk reads. Whatever cannot be read is None."""

import os
import time
from contextlib import suppress

from kanji_tui.events import Load
from kanji_tui.system.machine import memory


class LoadMeter:
    """Each `read` gives the means since the one before."""

    def __init__(self) -> None:
        self._moment = time.monotonic()
        self._bytes = _disk_bytes()
        _busy_share()  # the first one says nothing

    def read(self) -> Load:
        """The load since the last call, or since this object was made."""
        now, read = time.monotonic(), _disk_bytes()
        since = max(1e-3, now - self._moment)
        disk = None if read is None or self._bytes is None else max(0, read - self._bytes) / since
        self._moment, self._bytes = now, read
        found = memory()
        return Load(_busy_share(), max(0, found.total - found.available), found.total, _own_memory(), disk)


def _busy_share() -> float | None:
    """The busy share 0-1 of the cores that this process may use, since the last call."""
    with suppress(Exception):
        import psutil

        shares = psutil.cpu_percent(None, percpu=True)
        usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(shares))
        found = [shares[core] for core in usable if core < len(shares)]
        return sum(found) / len(found) / 100 if found else None
    return None


def _own_memory() -> int | None:
    with suppress(Exception):
        import psutil

        return int(psutil.Process().memory_info().rss)
    return None


def _disk_bytes() -> int | None:
    """Bytes that all disks have read; None where the system does not say."""
    with suppress(Exception):
        import psutil

        counters = psutil.disk_io_counters()
        return int(counters.read_bytes) if counters else None
    return None
