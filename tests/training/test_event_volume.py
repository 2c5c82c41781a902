"""How much a training writes into its events in an hour, from its intervals and events of the greatest size."""

import dataclasses
import sys
from collections import Counter
from pathlib import Path

import pytest

from kanji_tui.events import Energy, Epoch, Event, Gpu, Load, Logged, Progress, Step, to_json
from kanji_tui.runs import recorder
from kanji_tui.system import gpu
from kanji_tui.system.files import strict_json
from kanji_tui.training import energy, trainer
from kanji_tui.training.energy import Meter
from tests.conftest import Remembered
from tests.system.test_gpu import SimulatedLibrary
from tests.system.test_rapl import zone

HOUR, TENTH = 3600, 360
MOST = 2_000_000  # bytes an hour
EPOCH_SECONDS = 30
LONG, SHARE, COUNT, BYTES = 12345.678901234567, 0.12345678901234567, 999_999_999, 999_999_999_999
NAME = "NVIDIA RTX PRO 6000 Blackwell Server Edition"
GREATEST = {
    type(event): event
    for event in (
        Progress("validation by class", COUNT, COUNT, "samples", "epoch 999 of 999", LONG, LONG, None),
        Step(COUNT, LONG, LONG, LONG, SHARE, SHARE, LONG),
        Load(SHARE, BYTES, BYTES, BYTES, *[1e9 / 3] * 4, SHARE),
        Gpu(7, NAME, SHARE, BYTES, BYTES, LONG, LONG, "", 1e9 / 3),
        Energy(NAME, 1e9 / 3, energy.INTEGRATED),
        Epoch(999, 999, *[LONG] * 9, False, SHARE, COUNT, 99),
        Logged(COUNT),
    )
}


def size(event: Event) -> int:
    return len((strict_json(to_json(event, 1767323045.123)) + "\n").encode())


def tenth_of_an_hour(monkeypatch: pytest.MonkeyPatch, gpus: int, powercap: Path) -> Counter[type[Event]]:
    """How many events of each type the meter of a training on so many GPUs reports in six minutes."""
    now = [100.0]
    uuids = [f"GPU-{number}" for number in range(gpus)]
    library = SimulatedLibrary(
        nvmlDeviceGetCount=gpus,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUUID=lambda handle: uuids[handle],
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: int(now[0] * 700_000),
    )
    monkeypatch.setattr(gpu, "_library", None)
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.setattr(energy.time, "monotonic", lambda: now[0])
    zone(powercap / "intel-rapl:0", "package-0", 1_000_000)
    report = Remembered()
    meter = Meter(report, frozenset(uuids), powercap)
    for second in range(TENTH):
        now[0] += energy.READ_SECONDS
        meter.poll()
        if second % EPOCH_SECONDS == 0:
            meter(GREATEST[Epoch])
    return Counter(type(event) for event in report.events)


@pytest.mark.parametrize("gpus", [0, 1, 2, 8])
def test_an_hour_of_training_writes_less_than_two_megabytes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gpus: int
) -> None:
    """Its log grows all the time, which is rare."""
    in_a_tenth = tenth_of_an_hour(monkeypatch, gpus, tmp_path)
    written = Counter({kind: 10 * many for kind, many in in_a_tenth.items()})
    written[Progress] = round(HOUR / trainer.REPORT_SECONDS)
    written[Step] = round(HOUR / trainer.STEP_SECONDS)
    written[Logged] = round(HOUR / recorder.HEARTBEAT_SECONDS)
    assert set(written) == set(GREATEST) - ({Gpu} if gpus == 0 else set())
    found = sum(many * size(GREATEST[kind]) for kind, many in written.items())
    assert MOST / 2 < found < MOST, f"{found:,} bytes"


@pytest.mark.parametrize("event", GREATEST.values(), ids=lambda event: event.type)
def test_every_field_has_its_greatest_value(event: Event) -> None:
    said = [field.name for field in dataclasses.fields(event) if getattr(event, field.name) is None]
    assert said in ([], ["bytes_per_second"])  # which no training reports
