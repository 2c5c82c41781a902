"""Settings a computing process must make before it imports torch."""

import ctypes
import os
import sys

# From malloc.h of glibc. Large tensors otherwise come from mmap and go back with every free, and each batch pays
# for fresh zeroed pages (some 5,000 page faults a training step; next to none with these settings).
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
KEPT_BYTES = 512 * 1024 * 1024

# How often a waiting OpenMP thread of GNU's runtime looks before it sleeps. Measured on 2 cores with a training
# step: the default loses two thirds of the speed as soon as another process holds a core, because the waiting
# threads burn what the working ones need; 1,000 keeps half then, and costs 6 % on an idle machine.
# OMP_WAIT_POLICY=PASSIVE, which never looks, costs 16 %.
SPIN_COUNT = 1000


def prepare_process() -> None:
    """Let glibc keep freed memory, and give OpenMP as many threads as this process may use cores.

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
    os.environ.setdefault("OMP_NUM_THREADS", str(usable_cores()))
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(SPIN_COUNT))


def usable_cores() -> int:
    """The cores this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
