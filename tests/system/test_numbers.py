"""Numbers as a person reads them."""

import time

import pytest

from kanji_tui.system import numbers


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [(None, "-"), (12, "12 B"), (1536, "1.5 KiB"), (1023 * 1024, "1023 KiB"), (15.4 * 2**20, "15.4 MiB")],
)
def test_sizes_are_in_powers_of_1024(bytes_: float | None, text: str) -> None:
    assert numbers.size(bytes_) == text


def test_the_largest_unit_has_no_end() -> None:
    assert numbers.size(5000 * 2**40) == "5000 TiB"


def test_a_share_of_a_size_has_the_unit_of_the_whole() -> None:
    assert numbers.share_of_size(24 * 2**30, 139 * 2**30) == "24.0/139 GiB"
    assert numbers.share_of_size(512 * 2**20, 16 * 2**30) == "0.5/16 GiB"
    assert numbers.share_of_size(512 * 2**20, None) == "512 MiB"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (42, "42 s"), (59.6, "1:00"), (725, "12:05"), (3599.7, "1 h 00 min"), (11232, "3 h 07 min")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_percentages() -> None:
    assert numbers.percent(0.97314) == "97.31 %"
    assert numbers.percent(0.97314, 1) == "97.3 %"
    assert numbers.percent(None) == "-"
    assert [numbers.percent(share, 1) for share in (0.0, 0.0001, 0.0006)] == ["0.0 %", "< 0.1 %", "0.1 %"]
    assert [numbers.percent(share) for share in (1e-9, 0.0001)] == ["< 0.01 %", "0.01 %"]
    assert [numbers.percent(share, 0) for share in (0.001, 0.009)] == ["< 1 %", "1 %"]
    assert [numbers.bare_percent(share) for share in (0.97314, 1.0, 0.0512, None)] == [
        "97.31",
        "100.0",
        "5.12",
        "-",
    ]


def test_energy_from_joules() -> None:
    joules = (640, 12_345, 900_000)
    assert [numbers.energy(each / numbers.JOULES_PER_KWH) for each in joules] == ["0.178 Wh", "3.43 Wh", "0.25 kWh"]


def test_rates() -> None:
    assert numbers.rate(12_345.6, "records") == "12,346 records/s"
    assert numbers.rate(2.54, "steps") == "2.5 steps/s"
    assert numbers.rate(None, "steps") == "-"


def test_a_time_of_day_has_seconds() -> None:
    then = time.mktime((2026, 1, 2, 3, 4, 5, 0, 0, -1))
    assert numbers.clock(then) == "03:04:05"
    assert numbers.clock(0) == ""
