"""Settings a computing process must make before it imports torch, and how many threads suit a busy machine."""

import ctypes
import os
import sys

# From malloc.h of glibc. Large tensors otherwise come from mmap and go back with every free, and each batch pays
# for fresh zeroed pages (some 5,000 page faults a training step; next to none with these settings).
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
KEPT_BYTES = 512 * 1024 * 1024

# How often a waiting OpenMP thread of GNU's runtime looks before it sleeps. Measured on 2 cores with a training
# step of v2.1, 5 runs of each in turns: 1,130 samples/s with 1,000, 1,240 with 5,000, 1,315 with 100,000. Where
# another process holds a core the waiting threads burn what the working ones need: 550, 400 and 70 samples/s.
SPIN_COUNT = 5000

BUSY_SECONDS = 0.4  # over which the load of others is measured


def prepare_process() -> None:
    """Let glibc keep freed memory, and OpenMP's threads sleep soon when they wait.

    What the user set in the environment stays. Call it before torch is imported; later it changes nothing.
    """
    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(M_MMAP_MAX, 0)
            libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
            libc.mallopt(M_TOP_PAD, 64 * 1024 * 1024)
        except (OSError, AttributeError):
            pass  # another libc: slower, not wrong
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPIN_COUNT))


def usable_cores() -> int:
    """The cores this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def busy_cores() -> float:
    """How many of the cores this process may use are at work for others: 1.5 is one and a half. Takes a moment.

    Where psutil is not installed it is the load of the last minute, of which this process may be a part.
    """
    try:
        import psutil
    except ImportError:
        return os.getloadavg()[0]
    shares = psutil.cpu_percent(BUSY_SECONDS, percpu=True)
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(len(shares))
    return sum(shares[core] for core in usable if core < len(shares)) / 100


def threads_for(cores: int, busy: float) -> int:
    """One thread for each of `cores` that others leave free, at least one.

    Threads that share a core with other work hold up all the others: each step waits for the last of them.
    """
    return max(1, cores - int(busy + 0.5))
