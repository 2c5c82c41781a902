"""The widgets by themselves: lists, curves, pictures, forms, words."""

import math
from collections.abc import Sequence
from typing import overload

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.color import Color

from kanji_tui.errors import KanjiError
from kanji_tui.tui.screens.dataset_forms import existing_folder
from kanji_tui.tui.screens.form import number, whole
from kanji_tui.tui.screens.train_form import problem_of, read_config, shares
from kanji_tui.tui.theme import INK
from kanji_tui.tui.widgets import words
from kanji_tui.tui.widgets.curves import Canvas, Curves, Series, label, scale
from kanji_tui.tui.widgets.picture import braille, half_blocks, resample
from kanji_tui.tui.widgets.rows import Column, Row, Rows
from tests.tui.conftest import text_of


class Lazy(Sequence[Row]):
    """A hundred thousand rows that count how many were made."""

    def __init__(self) -> None:
        self.made = 0

    def __len__(self) -> int:
        return 100_000

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        assert isinstance(place, int)
        self.made += 1
        return Row(str(place), ("漢", f"row {place}"))


class Bare(App[None]):
    """An app with nothing but our colours."""

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(INK)
        self.theme = INK.name

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return INK.variables


class OneList(Bare):
    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__()
        self._given = rows

    def compose(self) -> ComposeResult:
        yield Rows(Column("", 2), Column("what", 0), Column("n", 6, right=True))

    def on_mount(self) -> None:
        self.query_one(Rows).show(self._given)


async def test_a_list_makes_only_the_rows_one_sees() -> None:
    rows = Lazy()
    app = OneList(rows)
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("tab", "end")
        await pilot.pause()
        assert "row 99999" in text_of(pilot)
        assert rows.made < 300


async def test_japanese_stands_in_line() -> None:
    rows = [Row("1", ("漢", "kanji", "1")), Row("2", ("a", "ascii", "22"))]
    app = OneList(rows)
    async with app.run_test(size=(40, 8)) as pilot:
        await pilot.pause()
        lines = text_of(pilot).splitlines()
        ends = {cell_len(line) for line in lines if "kanji" in line or "ascii" in line}
        assert len(ends) == 1


async def test_the_cursor_passes_headings_and_keeps_its_row() -> None:
    rows = [Row("g", ("group",), heading=True), Row("1", ("a", "one", "")), Row("2", ("b", "two", ""))]
    app = OneList(rows)
    async with app.run_test(size=(40, 8)) as pilot:
        shown = app.query_one(Rows)
        assert shown.current is not None
        assert shown.current.key == "1"
        await pilot.press("tab", "down", "up", "up")
        assert shown.current.key == "1"
        await pilot.press("down")
        shown.show([rows[0], Row("0", ("c", "none", "")), *rows[1:]])
        assert shown.current.key == "2"


def test_columns_that_do_not_fit_are_left_out() -> None:
    rows = Rows(Column("", 10), Column("", 0), Column("", 10, right=True))
    assert rows._widths(40) == [10, 18, 10]
    assert rows._widths(25) == [10, 14]


@pytest.mark.parametrize(
    ("low", "high", "percent"), [(0.01, 8.02, False), (0.2, 0.9, True), (0.5, 0.5, False), (1.0, 1.0, True)]
)
def test_scales_hold_their_values_between_round_ticks(low: float, high: float, percent: bool) -> None:
    bottom, top, ticks = scale(low, high, 4, percent)
    assert bottom <= low
    assert top >= high
    assert bottom < top
    assert 2 <= len(ticks) <= 8
    assert len({label(tick, top - bottom, percent) for tick in ticks}) == len(ticks)


def test_a_curve_goes_from_corner_to_corner() -> None:
    canvas = Canvas(10, 5, (1.0, 2.0), (0.0, 1.0))
    canvas.curve(((1.0, 0.0), (2.0, 1.0)), "$primary")
    lines = [canvas.line(y, grid=False).plain for y in range(5)]
    assert lines[0][-1] != " "
    assert lines[-1][0] != " "
    assert lines[0][0] == " "


def test_a_value_that_is_no_number_breaks_the_curve() -> None:
    canvas = Canvas(10, 5, (1.0, 3.0), (0.0, 1.0))
    canvas.curve(((1.0, 0.0), (2.0, math.nan), (3.0, 0.0)), "$primary")
    assert canvas.line(4, grid=False).plain.count(" ") == 8


async def test_curves_are_drawn_once_a_second_at_most() -> None:
    class OneCurve(Bare):
        def compose(self) -> ComposeResult:
            yield Curves("loss")

    app = OneCurve()
    async with app.run_test(size=(40, 12)) as pilot:
        curves = app.query_one(Curves)
        drawn = []
        original = curves._draw
        curves._draw = lambda: (drawn.append(1), original())  # type: ignore[method-assign,assignment]
        for last in range(2, 30):
            curves.show("run", (Series("train", "", tuple((float(x), 1.0 / x) for x in range(1, last))),), 30.0)
        await pilot.pause(1.3)
        assert len(drawn) == 2


def test_pictures_keep_their_ink_when_resampled() -> None:
    pixels = bytes(255 if 8 <= x < 24 and 8 <= y < 24 else 0 for y in range(32) for x in range(32))
    for side in (12, 16, 32, 40, 64):
        grey = resample(pixels, 32, side)
        assert sum(map(sum, grey)) / side**2 / 255 == pytest.approx(0.25, abs=0.01)


def test_a_picture_in_braille_and_in_half_blocks() -> None:
    pixels = bytes(255 if x == y else 0 for y in range(32) for x in range(32))
    dots = braille(pixels, 32, 16, 8).plain.split("\n")
    assert len(dots) == 8
    assert dots[0][0] == "⠑⢄"[0]
    assert dots[0][1] == "⢄"
    assert dots[0][5] == "⠀"
    greys = half_blocks(pixels, 32, 40, 20, Color.parse("black"), Color.parse("white"))
    assert [len(line) for line in greys.plain.split("\n")] == [32] * 16
    assert half_blocks(bytes(1024), 32, 40, 20, Color.parse("black"), Color.parse("white")).plain


def test_fields_say_what_is_wrong() -> None:
    assert whole(2, 10)("1_0") == 10
    assert whole(1, empty=True)("") is None
    for text in ("1", "11", "1.5", "x", ""):
        with pytest.raises(ValueError, match=r"\w"):
            whole(2, 10)(text)
    for text in ("0", "-1", "nan", "inf", "x"):
        with pytest.raises(ValueError, match=r"\w"):
            number(0)(text)
    with pytest.raises(ValueError, match="70/15/15"):
        shares("70/30")
    with pytest.raises(KanjiError, match="no folder"):
        existing_folder("/nowhere/at/all")


def test_the_form_of_a_training_gives_a_resolved_config() -> None:
    values = {
        "network": "v2.1", "epochs": None, "batch_size": 32, "learning_rate": None, "split": "random",
        "split_shares": (80.0, 20.0, 0.0), "sample_limit": None, "seed": 3,
    }  # fmt: skip
    config = read_config(values)
    assert (config.epochs, config.batch_size, config.split_shares) == (30, 32, (80.0, 20.0, 0.0))
    assert problem_of(values) == ""
    assert "split shares" in problem_of({**values, "split_shares": (0.0, 50.0, 50.0)})


def test_numbers_in_words() -> None:
    assert [words.size(number) for number in (None, 12, 1500, 15_400_000)] == ["-", "12 B", "1.5 kB", "15.4 MB"]
    assert [words.duration(seconds) for seconds in (None, 42, 725, 11232)] == ["-", "0:42", "12:05", "3:07:12"]
    assert words.percent(0.9731) == "97.3 %"
    assert words.bar(0.5, 8).plain == "████────"
    assert cell_len(words.bar(0.33, 8).plain) == 8
