"""Decides the number of CPU threads of a training, anew at the beginning of each epoch.

A training may run for hours, and what else runs on the machine changes. The number sets the order of floating-point
sums: with another number the weights differ slightly. `threads: N` and OMP_NUM_THREADS fix it; resuming is then
bit-exact, and otherwise up to the end of the epoch that was interrupted.
"""

import os

import torch

from kanji_tui.events import Notice, Report
from kanji_tui.system.threads import OthersLoad, busy_cores, threads_for, usable_cores

CHOOSE = "threads: N sets a number (--set threads=N)"


class CpuThreads:
    """`wanted` is the setting, `kept` the number of the epoch that a resumed run was in the middle of."""

    def __init__(self, wanted: int | None, kept: int | None, report: Report) -> None:
        self._wanted, self._kept, self._report = wanted, kept, report
        self._load = OthersLoad()
        self._decided = False

    def begin_epoch(self, in_the_middle: bool) -> None:
        """Set the number: the setting, that of the interrupted epoch, or one for each core that is free now.

        A notice says why the first one is not the number of cores; later ones stand in the epochs' events.
        """
        cores, kept = usable_cores(), self._kept if in_the_middle else None
        self._kept = None
        if self._wanted is not None:
            torch.set_num_threads(self._wanted)
            return
        if "OMP_NUM_THREADS" in os.environ:
            return
        others = self._load.busy_cores()
        if kept is not None and kept <= cores:
            threads, why = kept, "as before in this epoch"
        else:
            threads = threads_for(cores, busy_cores() if others is None else others)
            why = "because other programs use this machine"
        torch.set_num_threads(threads)
        if threads < cores and not self._decided:
            self._report(
                Notice(f"this epoch has {threads} of {cores} threads, {why}; each epoch decides anew; {CHOOSE}")
            )
        self._decided = True

    def watch(self) -> None:
        """Note how busy the machine is; call it now and then while an epoch runs."""
        self._load.sample()
