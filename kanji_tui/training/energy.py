"""Measures a training from start to end: energy, by the counters of GPUs and processor, and the machine's load.

A thread reads the counters once a second; the energy is reported every five seconds, before each epoch's event and
at the end. Where a GPU has no counter its power is integrated over time. A device that cannot be measured is
reported once, with the reason; its energy is never estimated.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from kanji_tui.events import Energy, Epoch, Event, Report
from kanji_tui.system.gpu import read_energy, read_gpus
from kanji_tui.system.load import LoadMeter
from kanji_tui.system.rapl import POWERCAP, read_zones

READ_SECONDS = 1.0
REPORT_SECONDS = 5.0
COUNTER, INTEGRATED, RAPL = "NVML energy counter", "NVML power, integrated over time", "RAPL"


@contextmanager
def metering(report: Report) -> Iterator[Report]:
    """A report that passes all events on and adds the energy used from now on, with the state of the GPUs."""
    meter = Meter(report, gpus_in_use())
    ended = threading.Event()

    def watch() -> None:
        reported_at = time.monotonic()
        while not ended.wait(READ_SECONDS):
            with suppress(Exception):  # a full disk is reported by the training itself
                meter.read()
                if time.monotonic() - reported_at >= REPORT_SECONDS:
                    reported_at = time.monotonic()
                    meter.report_energy()

    thread = threading.Thread(target=watch, name="energy", daemon=True)
    meter.report_energy()
    thread.start()
    try:
        yield meter
    finally:
        ended.set()
        thread.join()
        with suppress(Exception):
            meter.report_energy()


def gpus_in_use() -> frozenset[str]:
    """The UUIDs of the GPUs that the processes of this training use on this machine."""
    if not torch.cuda.is_available():
        return frozenset()
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    devices = range(min(processes, torch.cuda.device_count()))
    return frozenset(f"GPU-{torch.cuda.get_device_properties(device).uuid}" for device in devices)


@dataclass
class Use:
    """The energy of one device since the first reading: `joules`, or None and the `reason`."""

    measured_by: str
    joules: float | None
    reason: str
    last: float  # counter or power at the last reading
    moment: float


class Meter:
    """A report that passes events on, and reports the energy before each epoch's event. Thread-safe."""

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
        self._load, self._load_reported = LoadMeter(), time.monotonic()
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

    def report_energy(self) -> None:
        """Read, and report the energy of each device and the state of the GPUs."""
        self.read()
        with self._lock:
            uses = {device: replace(use) for device, use in self._used.items()}
        if self._load_due():
            self._report(self._load.read())
        for device, use in uses.items():
            if use.joules is not None or device not in self._refused:
                self._report(Energy(device, use.joules, use.measured_by, use.reason))
            if use.joules is None:
                self._refused.add(device)
        for gpu in (read_gpus(self._uuids) or read_gpus()) if self._uuids else []:
            used = uses.get(self._device_of.get(gpu.index, ""))
            self._report(replace(gpu, energy=used.joules if used else None))

    def _load_due(self) -> bool:
        """Whether the load was not reported for a while: an epoch reports the energy too, and may be short."""
        now = time.monotonic()
        due = now - self._load_reported >= REPORT_SECONDS - READ_SECONDS
        self._load_reported = now if due else self._load_reported
        return due

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
