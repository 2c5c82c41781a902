"""Chooses the number of CPU threads of a training, once; a resumed training keeps it.

The number sets the order of floating-point sums: with another number a resumed training ends with slightly
different weights.
"""

import os

import torch

from kanji_tui.events import Notice, Report
from kanji_tui.system.threads import busy_cores, threads_for, usable_cores

CHOOSE = "OMP_NUM_THREADS=N chooses another number"


def use_threads(before: int | None, report: Report) -> None:
    """Set the number of threads: `before`, that of the resumed run, or one per free core.

    OMP_NUM_THREADS, where it is set, is left as it is.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return
    cores = usable_cores()
    kept = before is not None and before <= cores
    threads = before if before is not None and kept else threads_for(cores, busy_cores())
    torch.set_num_threads(threads)
    if threads < cores:
        why = "as in the resumed run" if kept else "because other programs use this machine"
        report(Notice(f"training with {threads} of {cores} threads throughout, {why}; {CHOOSE}"))
