"""Measures a training from start to end: energy, by the counters of GPUs and processor, and the machine's load.

A thread reads the counters once a second. It reports the load and the GPUs every few seconds, the energy of each
device every minute; that is reported before each epoch's event and at the end too. Where a GPU has no counter its
power is integrated over time. A device that cannot be measured is reported once, with the reason; its energy is
never estimated.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import torch

from kanji_tui.events import Energy, Epoch, Event, Report, Throttle
from kanji_tui.system.gpu import read_energy, read_gpus
from kanji_tui.system.load import LoadMeter
from kanji_tui.system.rapl import POWERCAP, read_zones

READ_SECONDS = 1.0
REPORT_SECONDS = 5.0  # between two events of the load, and of a GPU
GPUS_AT_ONCE = 2  # with more of them, each is reported less often: the events of an hour stay under 2 MB
ENERGY_SECONDS = 60.0
COUNTER, INTEGRATED, RAPL = "NVML energy counter", "NVML power, integrated over time", "RAPL"


@contextmanager
def metering(report: Report) -> Iterator[Report]:
    """A report that passes all events on and adds the energy used from now on, with the state of the GPUs."""
    meter = Meter(report, gpus_in_use())
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(READ_SECONDS):
            with suppress(Exception):  # a full disk is reported by the training itself
                meter.poll()

    thread = threading.Thread(target=watch, name="energy", daemon=True)
    meter.report_now()
    thread.start()
    try:
        yield meter
    finally:
        ended.set()
        thread.join()
        with suppress(Exception):
            meter.report_now()


def gpus_in_use() -> frozenset[str]:
    """The UUIDs of the GPUs that the processes of this training use on this machine."""
    if not torch.cuda.is_available():
        return frozenset()
    devices = range(min(_ranks_here(), torch.cuda.device_count()))
    return frozenset(f"GPU-{torch.cuda.get_device_properties(device).uuid}" for device in devices)


def first_process() -> int:
    """The process above all others of this training on this machine: with several ranks torchrun."""
    return os.getppid() if _ranks_here() > 1 else os.getpid()


def _ranks_here() -> int:
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


@dataclass
class Use:
    """The energy of one device since the first reading: `joules`, or None and the `reason`."""

    measured_by: str
    joules: float | None
    reason: str
    last: float  # counter or power at the last reading
    moment: float


class Meter:
    """A report that passes events on, and reports the energy before each epoch's event. Thread-safe.

    `poll` is to be called about every READ_SECONDS.
    """

    def __init__(self, report: Report, uuids: frozenset[str], powercap: Path = POWERCAP) -> None:
        self.directory = report.directory
        self.stop_requested = report.stop_requested
        self._report = report
        self._uuids = uuids
        self._powercap = powercap
        self._lock = threading.Lock()
        self._used: dict[str, Use] = {}
        self._device_of: dict[int, str] = {}
        self._refused: set[str] = set()
        self._load, self._load_throttle = LoadMeter(first_process()), Throttle(REPORT_SECONDS)
        self._energy_throttle = Throttle(ENERGY_SECONDS)
        self._gpus_due = 0.0
        self.read()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Epoch):
            self.report_energy()
        self._report(event)

    def read(self) -> None:
        """Read every counter and add the energy since the last reading."""
        with self._lock:
            now = time.monotonic()
            gpus = read_energy(self._uuids) if self._uuids else []
            for gpu in gpus:
                device = self._device_of[gpu.index] = f"GPU {gpu.index} {gpu.name}"
                if gpu.joules is not None:
                    self._count(device, COUNTER, gpu.joules, now)
                elif gpu.watts is not None:
                    self._integrate(device, gpu.watts, now)
                else:
                    self._refuse(device, gpu.reason)
            if self._uuids and not gpus:
                self._refuse("GPU", "NVML shows no GPU with the UUID that CUDA names; a part of one, under MIG?")
            zones = read_zones(self._powercap)
            for zone in zones:
                if zone.joules is not None:
                    self._count(zone.name, RAPL, zone.joules, now, zone.largest)
                else:
                    self._refuse(zone.name, zone.reason)
            if not zones:
                self._refuse("CPU", f"there are no RAPL counters in {self._powercap}")

    def poll(self) -> None:
        """Read every counter, and report what was not reported for a while."""
        self.read()
        if self._load_throttle.due():
            self._report(self._load.read())
        if self._energy_throttle.due():
            self.report_energy()
        if self._uuids and time.monotonic() >= self._gpus_due:
            self.report_gpus()

    def report_now(self) -> None:
        """Report the energy and the GPUs as they are now: at the start and at the end."""
        self.report_energy()
        if self._uuids:
            self.report_gpus()

    def report_energy(self) -> None:
        """Read, and report the energy of each device."""
        self.read()
        self._energy_throttle.restart()
        for device, use in self._uses().items():
            if use.joules is not None or device not in self._refused:
                self._report(Energy(device, use.joules, use.measured_by, use.reason))
            if use.joules is None:
                self._refused.add(device)

    def report_gpus(self) -> None:
        """Report the state of the GPUs, with the energy that they had used when it was last read."""
        uses, gpus = self._uses(), read_gpus(self._uuids) or read_gpus()
        for gpu in gpus:
            used = uses.get(self._device_of.get(gpu.index, ""))
            self._report(replace(gpu, energy=used.joules if used else None))
        self._gpus_due = time.monotonic() + REPORT_SECONDS * max(1, ceil(len(gpus) / GPUS_AT_ONCE))

    def _uses(self) -> dict[str, Use]:
        with self._lock:
            return {device: replace(use) for device, use in self._used.items()}

    def _count(self, device: str, counter: str, joules: float, now: float, largest: float = 0.0) -> None:
        use = self._used.setdefault(device, Use(counter, 0.0, "", joules, now))
        if use.joules is None or use.measured_by != counter:
            return  # it was refused or measured in another way before; part of a run's energy is not its total
        step = joules - use.last
        use.joules += step if step >= 0 else step + largest
        use.last, use.moment = joules, now

    def _integrate(self, device: str, watts: float, now: float) -> None:
        use = self._used.setdefault(device, Use(INTEGRATED, 0.0, "", watts, now))
        if use.joules is None or use.measured_by != INTEGRATED:
            return
        use.joules += (use.last + watts) / 2 * (now - use.moment)
        use.last, use.moment = watts, now

    def _refuse(self, device: str, reason: str) -> None:
        self._used.setdefault(device, Use("", None, reason, 0.0, 0.0))
