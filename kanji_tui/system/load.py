"""How busy the machine is, and how much of that is a job: processors, memory, disks, network.

Whatever cannot be read is None.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kanji_tui.events import Load
from kanji_tui.system.machine import memory
from kanji_tui.system.threads import usable_cores

if TYPE_CHECKING:
    import psutil

Pair = tuple[int | None, int | None]
LOOPBACK = ("lo", "lo0")  # what it carries leaves no machine


@dataclass(frozen=True)
class Counters:
    """What only grows: bytes of all disks and of the network, seconds of CPU that the job's processes used."""

    disk_read: float | None = None
    disk_write: float | None = None
    network_in: float | None = None
    network_out: float | None = None
    own_cpu: float | None = None


class LoadMeter:
    """Each `read` gives the means since the one before, or since this object was made.

    The job is the process `job`, by default the calling one, and all below it.
    """

    def __init__(self, job: int | None = None) -> None:
        self._job = os.getpid() if job is None else job
        self._moment = time.monotonic()
        self._counters = _counters(processes(self._job))
        _busy_share()  # the first one says nothing

    def read(self) -> Load:
        """The load since the last call."""
        family = processes(self._job)
        now, before, counters = time.monotonic(), self._counters, _counters(family)
        since = max(1e-3, now - self._moment)

        def a_second(name: str) -> float | None:
            """How fast a counter grew; an interface that goes away takes its bytes along."""
            new, old = getattr(counters, name), getattr(before, name)
            return None if new is None or old is None else max(0.0, new - old) / since

        self._moment, self._counters = now, counters
        found, cores = memory(), a_second("own_cpu")
        return Load(
            cpu=_busy_share(),
            memory_used=max(0, found.total - found.available),
            memory_total=found.total,
            own_memory=_resident_bytes(family),
            disk_read=a_second("disk_read"),
            disk_write=a_second("disk_write"),
            network_in=a_second("network_in"),
            network_out=a_second("network_out"),
            own_cpu=None if cores is None else min(1.0, cores / usable_cores()),
        )


def processes(first: int) -> list[int]:
    """The process and all below it; those that end meanwhile may be among them."""
    found = [first]
    for pid in found:  # which grows
        found += [child for child in _children(pid) if child not in found]
    return found


def _children(pid: int) -> list[int]:
    """The children of a process. Linux lists them; elsewhere the whole table of processes is searched."""
    with suppress(OSError, ValueError):
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        lists = [thread / "children" for thread in threads]
        if lists and lists[0].exists():
            return [int(child) for each in lists for child in _words(each)]
    with suppress(Exception):
        import psutil

        return [child.pid for child in psutil.Process(pid).children()]
    return []


def _words(path: Path) -> list[str]:
    with suppress(OSError):  # the thread has ended
        return path.read_text().split()
    return []


def _counters(family: list[int]) -> Counters:
    (read, written), (received, sent) = _disk_bytes(), _network_bytes()
    return Counters(read, written, received, sent, _cpu_seconds(family))


def _busy_share() -> float | None:
    """The busy share 0-1 of the cores that this process may use, since the last call."""
    with suppress(Exception):
        import psutil

        shares = psutil.cpu_percent(None, percpu=True)
        usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(shares))
        found = [shares[core] for core in usable if core < len(shares)]
        return sum(found) / len(found) / 100 if found else None
    return None


def _cpu_seconds(family: list[int]) -> float | None:
    """The CPU time of these processes and of those of their children that have ended."""
    # user, system, and both of the children
    return _sum_over(family, lambda process: sum(process.cpu_times()[:4]))


def _resident_bytes(family: list[int]) -> int | None:
    found = _sum_over(family, lambda process: process.memory_info().rss)
    return None if found is None else int(found)


def _sum_over(family: list[int], of: Callable[["psutil.Process"], float]) -> float | None:
    """The sum over those of the processes that still run."""
    with suppress(ImportError):
        import psutil

        known = []
        for pid in family:
            with suppress(psutil.Error, OSError):
                known.append(of(psutil.Process(pid)))
        return sum(known) if known else None
    return None


def _disk_bytes() -> Pair:
    """Bytes that all disks have read and written."""
    with suppress(Exception):
        import psutil

        counters = psutil.disk_io_counters()
        if counters:
            return int(counters.read_bytes), int(counters.write_bytes)
    return None, None


def _network_bytes() -> Pair:
    """Bytes that all interfaces but loopback have received and sent."""
    with suppress(Exception):
        import psutil

        found = [each for name, each in psutil.net_io_counters(pernic=True).items() if name not in LOOPBACK]
        if found:
            return sum(int(each.bytes_recv) for each in found), sum(int(each.bytes_sent) for each in found)
    return None, None
