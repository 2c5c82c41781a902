"""Bars and states."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kanji_tui.presentation import marks
from kanji_tui.presentation.document import text_of


@given(st.floats(-1, 2), st.integers(1, 40))
def test_a_bar_is_as_wide_as_asked(fraction: float, width: int) -> None:
    assert cell_len(text_of(marks.bar(fraction, width))) == width


def test_half_a_bar() -> None:
    assert text_of(marks.bar(0.5, 8)) == "████────"


def test_a_lost_run_has_crashed() -> None:
    assert marks.state("lost").text == "crashed"
