"""Throttling a job's progress events."""

import pytest

from kanji_tui import events
from kanji_tui.events import Progress, Throttle


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
