"""Process settings that must precede the import of torch, and the number of threads for a busy machine."""

import ctypes
import os
import sys
import time
from collections import deque
from typing import Any

# From malloc.h of glibc. By default large tensors come from mmap and are returned at every free, so each batch pays
# for fresh zeroed pages (about 5,000 page faults per training step; with these settings almost none).
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
KEPT_BYTES = 512 * 1024 * 1024

# How often a waiting OpenMP thread of GNU's runtime polls before it sleeps. Measured on 2 cores with a training
# step of v2.1, 5 interleaved runs of each: 1,130 samples/s with 1,000, 1,240 with 5,000, 1,315 with 100,000. Where
# another process uses a core, the waiting threads take time from the working ones: 550, 400 and 70 samples/s.
SPIN_COUNT = 5000

BUSY_SECONDS = 0.4  # the interval over which the load of other processes is measured, at least
LOAD_SAMPLES = 12  # some 6 seconds of a training


def prepare_process() -> None:
    """Let glibc keep freed memory, and let waiting OpenMP threads sleep soon.

    Environment variables of the user take precedence. Must be called before torch is imported; later it has no
    effect.
    """
    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(M_MMAP_MAX, 0)
            libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
            libc.mallopt(M_TOP_PAD, 64 * 1024 * 1024)
        except (OSError, AttributeError):
            pass  # another libc: training is slower, the results are the same
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPIN_COUNT))


def usable_cores() -> int:
    """The number of cores that this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def busy_cores() -> float:
    """How many of the usable cores are busy, for instance 1.5. Takes BUSY_SECONDS.

    Without psutil it is the load average of the last minute, which may include this process.
    """
    try:
        import psutil
    except ImportError:
        return os.getloadavg()[0]
    shares = psutil.cpu_percent(BUSY_SECONDS, percpu=True)
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(shares))
    return sum(shares[core] for core in usable if core < len(shares)) / 100


class OthersLoad:
    """How many cores other processes keep busy, by what the system counted while this process worked.

    `sample` takes 0.2 ms. Without psutil nothing is known.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float, float]] = deque(maxlen=LOAD_SAMPLES)

    def sample(self) -> None:
        """Note the moment, the seconds that all usable cores were busy, and those of this process."""
        try:
            import psutil
        except ImportError:
            return
        counted = psutil.cpu_times(percpu=True)
        usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(counted))
        busy = sum(_busy_seconds(counted[core]) for core in usable if core < len(counted))
        own = os.times()
        self._samples.append((time.monotonic(), busy, own.user + own.system))

    def busy_cores(self) -> float | None:
        """The cores busy with others over the last samples, for instance 1.5; None for too short a time."""
        self.sample()
        if len(self._samples) < 2:
            return None
        (began, busy, own), (now, busy_now, own_now) = self._samples[0], self._samples[-1]
        if now - began < BUSY_SECONDS:
            return None
        return max(0.0, (busy_now - busy) - (own_now - own)) / (now - began)


def _busy_seconds(times: Any) -> float:
    return sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))


def threads_for(cores: int, busy: float) -> int:
    """The number of threads: one for each of `cores` that is not busy, at least one.

    A thread that shares its core with other work delays all threads, because each step waits for the slowest.
    """
    return max(1, cores - int(busy + 0.5))
