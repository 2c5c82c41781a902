import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.system.intervals import wilson_interval
from kanji_tui.system.numbers import accuracy


@pytest.mark.parametrize(
    ("hits", "samples", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_that_of_a_published_table(hits, samples, low, high):
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3."""
    assert wilson_interval(hits / samples, samples) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(samples=st.integers(1, 10**6), share=st.floats(0, 1))
def test_it_holds_the_share_and_is_symmetric(samples, share):
    hits = round(share * samples)
    low, high = wilson_interval(hits / samples, samples)
    assert 0 <= low <= hits / samples <= high <= 1
    assert low < high
    mirrored = wilson_interval((samples - hits) / samples, samples)
    assert mirrored == (pytest.approx(1 - high, abs=1e-12), pytest.approx(1 - low, abs=1e-12))


def test_nothing_is_known_without_samples():
    assert wilson_interval(0.0, 0) == (0.0, 1.0)
    assert wilson_interval(7.0, 10)[1] >= 1.0  # a damaged file: no error


def test_an_accuracy_stands_beside_its_interval_where_the_samples_are_known():
    assert accuracy(0.973, 1000, 1) == "97.3 % (96.1-98.1)"
    assert accuracy(0.973, 1000) == "97.30 % (96.10-98.14)"
    assert accuracy(1.0, 30) == "100.00 % (88.65-100.00)"
    assert accuracy(0.973, None, 1) == "97.3 %"
    assert accuracy(None, 1000) == "-"
