"""Curves: what is made ready to be drawn, the axes, the canvas, and how often it is drawn."""

import math
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import ComposeResult
from textual.content import Content

from kanji_tui.presentation import charts
from kanji_tui.presentation.chart_legend import brief_legend, common_legend, legend, too_long
from kanji_tui.presentation.curve_data import (
    NARROWEST,
    Chart,
    Series,
    follow,
    smooth,
    value_at,
    within,
    zoom,
)
from kanji_tui.presentation.document import cells_of
from kanji_tui.presentation.document import text_of as plain_text
from kanji_tui.runs.about import About
from kanji_tui.system.numbers import moment
from kanji_tui.tui.widgets import curves as curves_widget
from kanji_tui.tui.widgets.axes import axis, label, scale
from kanji_tui.tui.widgets.braille_canvas import DASH, BrailleCanvas
from kanji_tui.tui.widgets.curves import Curves
from kanji_tui.workspace.run_curves import StepPoint
from kanji_tui.workspace.run_views import RunView
from tests.tui.conftest import text_of, until
from tests.tui.recorded import epochs
from tests.tui.test_widgets import Bare

numbers = st.floats(-1e6, 1e6)
curves = st.lists(numbers | st.just(math.nan), min_size=1, max_size=40).map(
    lambda ys: tuple((float(x), y) for x, y in enumerate(ys, start=1))
)


@st.composite
def windows(draw: Callable) -> tuple[tuple[float, float], tuple[float, float]]:
    """A window and the whole it lies in."""
    last = draw(st.floats(NARROWEST + 1, 1000))
    low = draw(st.floats(1, last - NARROWEST))
    return (low, draw(st.floats(low + NARROWEST, last))), (1.0, last)


@given(curves, st.floats(0.0, 0.99))
def test_smoothing_stays_between_what_it_has_seen(points, weight: float) -> None:
    smoothed = smooth(points, weight)
    assert [x for x, _ in smoothed] == [x for x, _ in points]
    seen: list[float] = []
    for (_, raw), (_, even) in zip(points, smoothed, strict=True):
        if math.isnan(raw):
            assert math.isnan(even)
            continue
        seen.append(raw)
        assert min(seen) - 1e-3 <= even <= max(seen) + 1e-3


@given(st.floats(-10, 10), st.integers(1, 30))
def test_smoothing_leaves_a_constant_alone(value: float, count: int) -> None:
    smoothed = smooth(tuple((float(x), value) for x in range(count)))
    assert all(math.isclose(y, value, abs_tol=1e-9) for _, y in smoothed)


@given(windows(), st.sampled_from([0.5, 2.0, 0.1, 100.0]), st.floats(-5, 1100))
def test_a_zoomed_window_stays_inside(given_windows, factor: float, centre: float) -> None:
    window, whole = given_windows
    low, high = zoom(window, whole, factor, centre)
    assert whole[0] <= low < high <= whole[1] + 1e-6
    width = window[1] - window[0]
    assert high - low == pytest.approx(min(whole[1] - whole[0], max(NARROWEST, width * factor)))


@given(windows(), st.data())
def test_a_window_follows_the_cursor(given_windows, data) -> None:
    window, whole = given_windows
    x = data.draw(st.floats(*whole))
    low, high = follow(window, whole, x)
    assert low - 1e-6 <= x <= high + 1e-6
    assert high - low == pytest.approx(window[1] - window[0])
    if window[0] <= x <= window[1]:
        assert (low, high) == pytest.approx(window)


@given(curves, st.floats(1, 20), st.floats(0, 20))
def test_what_is_in_the_window_is_a_part_of_the_curve(points, low: float, width: float) -> None:
    part = within(points, (low, low + width))
    assert set(map(id, part)) <= set(map(id, points))
    inside = [x for x, _ in points if low <= x <= low + width]
    assert set(inside) <= {x for x, _ in part}
    assert len(part) <= len(inside) + 2


def test_the_cursor_reads_only_what_is_there() -> None:
    points = ((1.0, 0.5), (2.0, math.nan))
    assert [value_at(points, x) for x in (1.0, 2.0, 3.0)] == [0.5, None, None]


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20), st.booleans(), st.booleans(), st.integers(2, 8))
def test_an_axis_holds_every_value_in_order(values, percent: bool, log: bool, wanted: int) -> None:
    if percent:
        values = [max(1e-7, value / 1e6) for value in values]  # no dataset is so large
    made = axis(values, wanted, percent, log)
    assert made.bottom < made.top
    heights = [made.height(value) for value in sorted(values)]
    assert heights == sorted(heights)
    assert all(0 <= height <= 1 for height in heights)
    assert made.height(made.bottom) == pytest.approx(0)
    assert made.height(made.top) == pytest.approx(1)
    if len(made.ticks) > 1:
        assert len({text for _, text in made.ticks}) == len(made.ticks)


def test_a_logarithmic_axis_spreads_small_losses_and_high_accuracies() -> None:
    loss = axis([0.01, 1.0], 5, percent=False, log=True)
    assert loss.height(0.1) == pytest.approx(0.5)
    accuracy = axis([0.9, 0.999], 5, percent=True, log=True)
    assert accuracy.height(0.99) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("low", "high", "percent"), [(0.01, 8.02, False), (0.2, 0.9, True), (0.5, 0.5, False), (1.0, 1.0, True)]
)
def test_scales_hold_their_values_between_round_ticks(low: float, high: float, percent: bool) -> None:
    bottom, top, ticks = scale(low, high, 4, percent)
    assert bottom <= low
    assert top >= high
    assert bottom < top
    assert 2 <= len(ticks) <= 8
    labels = [label(tick, ticks[1] - ticks[0], percent) for tick in ticks]
    for tick, text in zip(ticks, labels, strict=True):
        assert float(text.rstrip("%")) / (100 if percent else 1) == pytest.approx(tick, abs=1e-9)


def canvas(last: float) -> BrailleCanvas:
    return BrailleCanvas(10, 5, (1.0, last), lambda y: y)


def test_a_curve_goes_from_corner_to_corner() -> None:
    drawn = canvas(2.0)
    drawn.curve(((1.0, 0.0), (2.0, 1.0)), "$primary")
    lines = [drawn.line(y).plain for y in range(5)]
    assert lines[0][-1] != " "
    assert lines[-1][0] != " "
    assert lines[0][0] == " "


def test_a_value_that_is_no_number_breaks_the_curve() -> None:
    drawn = canvas(3.0)
    drawn.curve(((1.0, 0.0), (2.0, math.nan), (3.0, 0.0)), "$primary")
    assert drawn.line(4).plain.count(" ") == 8


def test_a_curve_is_cut_at_the_window_and_not_bent_into_it() -> None:
    drawn = canvas(2.0)
    drawn.curve(((0.0, 0.0), (1.5, 0.0), (3.0, 1.0)), "$primary")
    assert drawn.line(0).plain.strip() == ""
    assert " " not in drawn.line(4).plain[:6]


def test_letters_of_curves_that_end_together_stand_apart() -> None:
    drawn = canvas(3.0)
    for mark in "abcdefgh":
        drawn.letter(((1.0, 0.5), (2.0, 0.5)), mark, "")
    shown = "".join(drawn.line(y).plain for y in range(5)).replace(" ", "")
    assert sorted(shown) == list("abcdefgh")


async def test_curves_are_drawn_later_when_they_come_often_and_at_once_when_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OneCurve(Bare):
        def compose(self) -> ComposeResult:
            yield Curves()

    def chart(last: int) -> Chart:
        points = tuple((float(x), 1.0 / x) for x in range(1, last))
        return Chart(f"loss {last}", (Series("train", "", points),), (1.0, 30.0))

    def drawn() -> str:
        return Content.from_markup(str(shown.border_title)).plain

    app = OneCurve()
    async with app.run_test(size=(40, 12)) as pilot:
        shown = app.query_one(Curves)
        monkeypatch.setattr(curves_widget, "REDRAW_SECONDS", 1e9)
        for last in range(2, 30):
            shown.show(chart(last), "linear")
            await pilot.pause()
            assert drawn().startswith("loss 2 ")
        shown.show(chart(30), "log")
        assert drawn().startswith("loss 30 ")
        await pilot.pause()
        assert "⠤" in text_of(pilot)
        monkeypatch.setattr(curves_widget, "REDRAW_SECONDS", 0.05)
        for last in (31, 32):
            shown.show(chart(last), "log")
        await until(pilot, lambda: drawn().startswith("loss 32 "))


@given(
    st.lists(numbers | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30),
    st.sampled_from(["linear", "log"]),
    st.booleans(),
    st.integers(7, 40),
)
def test_grid_lines_stand_where_the_numbers_are(
    values: list[float], scale: str, percent: bool, height: int
) -> None:
    """Whatever the file of a run says."""
    points = tuple((float(x), y) for x, y in enumerate(values, start=1))
    window = (1.0, len(values) + 20.0)
    chart = Chart("loss", (Series("val", "primary", points),), window, percent, scale)
    *rows, _ = (line.plain for line in curves_widget.chart_lines(chart, 60, height))
    numbered = [re.match(r" *-?[\d.]", row) is not None for row in rows]
    assert sum(numbered) >= 2
    assert ["┈" in row for row in rows] == numbered
    assert {len(row) for row in rows} == {60}


def view(name: str, done: int = 4) -> RunView:
    return RunView(name, None, "train", epochs=tuple(epochs(done)))  # type: ignore[arg-type]


def test_metrics_are_chosen_by_pattern() -> None:
    assert [metric.name for metric in charts.matching("")] == [
        "train loss", "train top-1", "val loss", "val top-1",
    ]  # fmt: skip
    assert {metric.chart for metric in charts.matching("top-[35]")} == {"top-3", "top-5"}
    assert charts.matching("(") == ()  # no regular expression, and in no name
    assert charts.matching("LEARNING") != ()


def test_one_run_has_sides_and_several_have_letters() -> None:
    (loss, top1) = charts.charts([view("one")], "", "linear", (1.0, 12.0), None)
    assert [series.name for series in loss.series] == ["train", "val"]
    assert (loss.percent, top1.percent, top1.best) == (False, True, 4.0)
    (loss, _) = charts.charts([view("one"), view("two", 8)], "", "linear", (1.0, 12.0), 6.0)
    assert [(series.mark, series.line) for series in loss.series] == [
        ("", "dotted"), ("a", "solid"), ("", "dotted"), ("b", "solid"),
    ]  # fmt: skip
    read = plain_text(legend(loss))
    assert "a -" in read  # run one has no sixth epoch
    assert f"b {epochs(8)[5].val_loss:.3f}" in read


def test_where_a_title_has_no_room_one_legend_says_what_the_lines_are() -> None:
    run = replace(view("one"), steps=(StepPoint(0.5, 5, 2.0, 1.5, 0.5, 1e-3, 100.0),))
    drawn = charts.charts([run], "loss|rate", "smoothed", (0.0, 12.0), None)
    assert too_long(drawn, 37)
    assert not too_long(charts.charts([run], "", "linear", (0.0, 12.0), None), 60)
    common = [plain_text(line) for line in common_legend(drawn)]
    assert common == ["smoothed", "steps", "train", "val", "┊ best", "faint: measured"]
    assert [plain_text(brief_legend(chart)) for chart in drawn] == ["loss", "learning rate"]
    (loss, _) = charts.charts([run], "loss|rate", "linear", (0.0, 12.0), 3.0)
    third = epochs(3)[2]
    assert plain_text(brief_legend(loss)) == f"loss t {third.train_loss:.3f} v {third.val_loss:.3f}"
    assert "steps  train" in plain_text(legend(loss))  # steps are between the epochs: no value at one


def test_eight_runs_can_be_told_apart_by_letter_and_by_colour_and_line() -> None:
    views = [view(f"run {number}") for number in range(8)]
    assert len(views) == charts.MOST_RUNS
    (loss, _) = charts.charts(views, "", "linear", (1.0, 12.0), None)
    assert [series.mark for series in loss.series] == list("abcdefgh")  # of this many no training curves
    assert len({(series.style, series.line) for series in loss.series}) == 8
    assert "dashed: e f g h" in plain_text(legend(loss))
    assert "dotted" not in plain_text(legend(loss))
    (four, _) = charts.charts(views[:4], "", "linear", (1.0, 12.0), None)
    assert [series.line for series in four.series] == ["dotted", "solid"] * 4


@given(st.lists(st.text("ab 漢", min_size=1, max_size=12), min_size=1, max_size=8), st.integers(40, 200))
def test_the_legend_breaks_no_name(names: list[str], width: int) -> None:
    views = [replace(view("run"), about=About(name, "")) for name in names]
    lines = [plain_text(line) for line in charts.legend_lines(charts.run_names(views), width)]
    assert all(cells_of(line) <= width for line in lines)
    assert charts.GAP.join(lines) == charts.GAP.join(
        f"{letter} {each.label} {moment(each.started)}" for letter, each in zip("abcdefgh", views, strict=False)
    )


def test_a_dashed_line_has_gaps_of_several_cells_also_over_many_points() -> None:
    drawn = BrailleCanvas(60, 3, (0.0, 60.0), lambda y: y)
    drawn.curve(tuple((float(x), 0.5) for x in range(61)), "$primary", "dashed")
    row = drawn.line(1).plain
    dashes = row.split()
    assert len(dashes) == pytest.approx(60 * 2 / DASH, abs=1)
    assert {len(dash) for dash in dashes[:-1]} <= {3, 4, 5}


def test_metrics_that_a_run_does_not_have_draw_nothing() -> None:
    (chart,) = charts.charts([view("one")], "clean", "linear", (1.0, 12.0), None)
    assert chart.series[0].points == ()
