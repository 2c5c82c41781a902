"""How many threads a training computes with on a CPU: decided once, and kept when it is resumed.

The number decides how sums are added up: with another one a resumed training ends with slightly other weights.
"""

import os

import torch

from kanji_tui.events import Notice, Report
from kanji_tui.system.threads import busy_cores, threads_for, usable_cores

CHOOSE = "OMP_NUM_THREADS=N chooses another number"


def use_threads(before: int | None, report: Report) -> None:
    """Set the number of threads: as many as `before`, in the run that is resumed, or one for each free core.

    What the user said with OMP_NUM_THREADS stays.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return
    cores = usable_cores()
    kept = before is not None and before <= cores
    threads = before if before is not None and kept else threads_for(cores, busy_cores())
    torch.set_num_threads(threads)
    if threads < cores:
        why = "as the run it goes on from" if kept else "because others keep this machine busy"
        report(Notice(f"training with {threads} of {cores} threads to its end, {why}; {CHOOSE}"))
