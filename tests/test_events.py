"""Throttling a job's progress events, and how events are written."""

import pytest

from kanji_tui import events
from kanji_tui.events import Energy, Epoch, Outcome, Progress, Throttle, to_json


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock of `events`; write element 0 to set it."""
    now = [100.0]
    monkeypatch.setattr(events.time, "monotonic", lambda: now[0])
    return now


def test_a_report_is_due_once_an_interval(clock: list[float]) -> None:
    throttle = Throttle(0.5)
    due = []
    for clock[0] in (100.0, 100.4, 100.5, 100.6, 100.9, 101.0, 103.0, 103.4):
        due.append(throttle.due())
    assert due == [False, False, True, False, False, True, True, False]


def test_progress_has_the_mean_rate_and_the_time_left(clock: list[float]) -> None:
    throttle = Throttle()
    clock[0] += 4
    assert throttle.progress("sample", 8, 20, "records", "ETL9G_01") == Progress(
        "sample", 8, 20, "records", "ETL9G_01", rate=2.0, remaining=6.0
    )
    assert throttle.progress("sample", 0, 20, "records").remaining is None


def test_what_was_just_reported_is_not_due(clock: list[float]) -> None:
    throttle = Throttle(0.5)
    clock[0] = 100.4
    throttle.restart()
    due = []
    for clock[0] in (100.6, 100.9):
        due.append(throttle.due())
    assert due == [False, True]


def test_numbers_of_frequent_events_are_short_and_those_of_results_exact() -> None:
    third = 1 / 3
    progress = to_json(Progress("training", 123_456_789_012, 2, rate=1e4 * third, remaining=float("nan")), 0.0)
    assert (progress["rate"], progress["done"]) == (3333.333, 123_456_789_012)
    assert progress["remaining"] != progress["remaining"]  # the writer makes it null
    assert to_json(Energy("GPU 0", 1e9 * third), 0.0)["joules"] == 333_333_300.0
    epoch = Epoch(1, 2, third, third, third, third, third, third, third, 1.0, 1.0, best=True)
    assert to_json(epoch, 0.0)["val_top1"] == third
    assert to_json(Outcome({"top1": third}), 0.0)["result"] == {"top1": third}
