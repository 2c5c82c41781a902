"""What a training uses: counters read from a stand-in for pynvml and from files like those of RAPL."""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from kanji_tui.events import Energy, Epoch, Gpu, Load
from kanji_tui.system import gpu
from kanji_tui.training import energy
from kanji_tui.training.energy import COUNTER, INTEGRATED, RAPL, Meter, gpus_in_use, metering
from tests.conftest import Remembered
from tests.system.test_gpu import Refusal, SimulatedLibrary
from tests.system.test_rapl import zone

UUID = "GPU-5f3c0b1e-0000-0000-0000-000000000001"
EPOCH = Epoch(1, 2, 1.0, 0.5, 1.0, 0.5, 0.5, 0.5, 1e-3, 1.0, 100.0, True)


class Clock:
    """Time and counters that move only when told to."""

    def __init__(self) -> None:
        self.now, self.millijoules, self.milliwatts = 100.0, 5_000_000, 300_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(energy.time, "monotonic", lambda: clock.now)
    return clock


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_library", None)
    monkeypatch.setattr(gpu, "_logged", set())


def use(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", SimulatedLibrary(nvmlDeviceGetUUID=UUID, **answers))


def told(report: Remembered) -> dict[str, Energy]:
    return {event.device: event for event in report.of(Energy)}


def test_the_counter_s_difference_is_what_was_used(monkeypatch, clock: Clock, report, tmp_path: Path) -> None:
    use(monkeypatch, nvmlDeviceGetTotalEnergyConsumption=lambda handle: clock.millijoules)
    meter = Meter(report, frozenset({UUID}), tmp_path)
    clock.millijoules += 7_500
    meter(EPOCH)
    assert told(report)["GPU 0 NVIDIA H200"] == Energy("GPU 0 NVIDIA H200", 7.5, COUNTER)
    assert report.events[-1] == EPOCH, "the energy of an epoch is told before its event"
    meter.report_gpus()
    (now,) = report.of(Gpu)
    assert (now.power, now.energy) == (412.5, 7.5)


def test_without_a_counter_power_is_integrated(monkeypatch, clock: Clock, report, tmp_path: Path) -> None:
    use(
        monkeypatch,
        nvmlDeviceGetTotalEnergyConsumption=Refusal("Not Supported"),
        nvmlDeviceGetPowerUsage=lambda handle: clock.milliwatts,
    )
    meter = Meter(report, frozenset({UUID}), tmp_path)
    for milliwatts in (500_000, 500_000):
        clock.now, clock.milliwatts = clock.now + 2, milliwatts
        meter.read()
    meter.report_energy()
    assert told(report)["GPU 0 NVIDIA H200"] == Energy("GPU 0 NVIDIA H200", 400 * 2 + 500 * 2, INTEGRATED)


def test_what_nobody_counts_is_told_once_with_its_reason(monkeypatch, clock: Clock, report, tmp_path: Path) -> None:
    use(
        monkeypatch,
        nvmlDeviceGetTotalEnergyConsumption=Refusal("Not Supported"),
        nvmlDeviceGetPowerUsage=Refusal("GPU is lost"),
    )
    meter = Meter(report, frozenset({UUID}), tmp_path)
    for _ in range(3):
        meter.report_now()
    assert report.of(Energy) == [
        Energy("GPU 0 NVIDIA H200", None, "", "Not Supported"),
        Energy("CPU", None, "", f"there are no RAPL counters in {tmp_path}"),
    ]
    assert report.of(Gpu)[0].energy is None


def test_under_mig_the_whole_gpu_s_counter_is_not_taken(monkeypatch, clock: Clock, report, tmp_path: Path) -> None:
    use(monkeypatch, nvmlDeviceGetMigMode=[1, 1], nvmlDeviceGetTotalEnergyConsumption=1000)
    Meter(report, frozenset({UUID}), tmp_path).report_energy()
    found = told(report)["GPU 0 NVIDIA H200"]
    assert (found.joules, "MIG" in found.reason) == (None, True)


def test_a_gpu_of_another_s_is_not_counted(monkeypatch, clock: Clock, report, tmp_path: Path) -> None:
    uuids = {"first": "GPU-another", "second": UUID}
    monkeypatch.setitem(
        sys.modules,
        "pynvml",
        SimulatedLibrary(
            nvmlDeviceGetCount=2,
            nvmlDeviceGetHandleByIndex=lambda index: list(uuids)[index],
            nvmlDeviceGetUUID=lambda handle: uuids[handle],
            nvmlDeviceGetTotalEnergyConsumption=1000,
        ),
    )
    Meter(report, frozenset({UUID}), tmp_path).report_now()
    assert [event.index for event in report.of(Gpu)] == [1]
    assert "GPU 0 NVIDIA H200" not in told(report)
    report.events.clear()
    Meter(report, frozenset({"MIG-part"}), tmp_path).report_now()
    assert told(report)["GPU"].joules is None
    assert [event.index for event in report.of(Gpu)] == [0, 1], "what they do is shown all the same"


def test_the_processor_s_counter_may_begin_again(clock: Clock, report, tmp_path: Path) -> None:
    package = zone(tmp_path / "intel-rapl:0", "package-0", 90_000_000, largest=100_000_000)
    meter = Meter(report, frozenset(), tmp_path)
    for microjoules in (95_000_000, 5_000_000):
        (package / "energy_uj").write_text(str(microjoules))
        meter.read()
    meter.report_energy()
    assert told(report) == {"CPU package-0": Energy("CPU package-0", 15.0, RAPL)}


def test_a_thread_reads_on_and_the_end_is_told(monkeypatch, report, tmp_path: Path) -> None:
    package = zone(tmp_path / "intel-rapl:0", "package-0", 1_000_000)
    monkeypatch.setattr(energy, "READ_SECONDS", 0.01)
    monkeypatch.setattr(energy, "ENERGY_SECONDS", 0.02)
    monkeypatch.setattr(energy, "read_zones", lambda powercap: energy_zones(tmp_path))
    with metering(report) as metered:
        assert metered.directory is report.directory
        deadline = time.monotonic() + 20
        while len(report.of(Energy)) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        (package / "energy_uj").write_text("4000000")
    assert len(report.of(Energy)) >= 5
    assert report.of(Energy)[-1] == Energy("CPU package-0", 3.0, RAPL)
    assert not [thread for thread in threading.enumerate() if thread.name == "energy"]


energy_zones = energy.read_zones


def test_the_gpus_in_use_are_those_of_torch() -> None:
    import torch

    assert len(gpus_in_use()) == min(1, torch.cuda.device_count())


def test_the_load_of_the_machine_is_reported_every_few_seconds(clock: Clock, report, tmp_path: Path) -> None:
    meter = Meter(report, frozenset(), tmp_path)
    for _ in range(12):
        clock.now += 1.0
        meter.poll()
    loads = report.of(Load)
    assert len(loads) == 2
    assert all(0 < load.memory_used < load.memory_total for load in loads)
    assert all(load.own_memory > 10 * 2**20 for load in loads)
    assert all(0 <= load.own_cpu <= 1 for load in loads)


def test_energy_is_reported_each_minute_and_before_each_epoch(clock: Clock, report, tmp_path: Path) -> None:
    zone(tmp_path / "intel-rapl:0", "package-0", 1_000_000)
    meter = Meter(report, frozenset(), tmp_path)
    reported_at = []
    for second in range(1, 151):
        clock.now += 1.0
        meter.poll()
        if second == 70:
            meter(EPOCH)
        while len(reported_at) < len(report.of(Energy)):
            reported_at.append(second)
    assert reported_at == [60, 70, 130]


@pytest.mark.parametrize(("gpus", "seconds"), [(1, 5), (2, 5), (3, 10), (8, 20)])
def test_of_many_gpus_each_is_reported_less_often(
    monkeypatch, clock: Clock, report, tmp_path: Path, gpus: int, seconds: int
) -> None:
    use(monkeypatch, nvmlDeviceGetCount=gpus)
    meter = Meter(report, frozenset({UUID}), tmp_path)
    for _ in range(61):
        meter.poll()
        clock.now += 1.0
    assert [event.index for event in report.of(Gpu)] == list(range(gpus)) * (60 // seconds + 1)


def test_the_processes_of_several_ranks_are_those_below_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    assert energy.first_process() == os.getpid()
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert energy.first_process() == os.getppid()
