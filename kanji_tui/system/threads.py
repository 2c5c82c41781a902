"""Settings a computing process must make before it imports torch."""

import ctypes
import os
import sys

# From malloc.h of glibc. Large tensors otherwise come from mmap and go back with every free, and each batch pays
# for fresh zeroed pages: 1.35-2.2 times the time of a training step on 2 cores.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
KEPT_BYTES = 512 * 1024 * 1024


def prepare_process() -> None:
    """Let glibc keep freed memory, and give OpenMP as many threads as this process may use cores."""
    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(M_MMAP_MAX, 0)
            libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
            libc.mallopt(M_TOP_PAD, 64 * 1024 * 1024)
        except (OSError, AttributeError):
            pass  # another libc: slower, not wrong
    os.environ.setdefault("OMP_NUM_THREADS", str(usable_cores()))
    # Threads that wait spin only briefly: with another process on a core, spinning makes all of them wait.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def usable_cores() -> int:
    """The cores this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
