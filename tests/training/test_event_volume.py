"""How much a training writes into its events in an hour, from its intervals and events of the greatest size."""

import dataclasses
import json

import pytest

from kanji_tui.events import Energy, Epoch, Event, Gpu, Load, Progress, Step, to_json
from kanji_tui.training import energy, trainer

HOUR = 3600
MOST = 2_000_000  # bytes an hour
EPOCH_SECONDS = 30
LONG, SHARE, COUNT, BYTES = 12345.678901234567, 0.12345678901234567, 999_999_999, 999_999_999_999
NAME = "NVIDIA RTX PRO 6000 Blackwell Server Edition"
GREATEST = (
    Progress("validation by class", COUNT, COUNT, "samples", "epoch 999 of 999", LONG, LONG, None),
    Step(COUNT, LONG, LONG, LONG, SHARE, SHARE, LONG),
    Load(SHARE, BYTES, BYTES, BYTES, LONG),
    Gpu(7, NAME, SHARE, BYTES, BYTES, LONG, LONG, "", LONG),
    Energy(NAME, LONG, energy.INTEGRATED),
    Epoch(999, 999, *[LONG] * 9, False, SHARE, COUNT, 99),
)  # fmt: skip


def size(event: Event) -> int:
    return len(json.dumps(to_json(event, 1767323045.123)).encode()) + 1


@pytest.mark.parametrize("gpus", [0, 1])
def test_an_hour_of_training_writes_less_than_two_megabytes(gpus: int) -> None:
    """On a CPU and on one GPU; each further GPU adds 0.4 megabytes."""
    progress, step, load, gpu, used, epoch = map(size, GREATEST)
    by_the_meter = load + gpus * gpu + (gpus + 1) * used  # the processor and each GPU
    found = HOUR * (
        progress / trainer.REPORT_SECONDS
        + step / trainer.STEP_SECONDS
        + by_the_meter / energy.REPORT_SECONDS
        + epoch / EPOCH_SECONDS
    )
    assert MOST / 4 < found < MOST, f"{found:,.0f} bytes"


@pytest.mark.parametrize("event", GREATEST, ids=lambda event: event.type)
def test_every_field_has_its_greatest_value(event: Event) -> None:
    said = [field.name for field in dataclasses.fields(event) if getattr(event, field.name) is None]
    assert said in ([], ["bytes_per_second"])  # which no training reports
