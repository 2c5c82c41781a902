"""Charts in rows and columns: what a person may type, and where each chart stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.errors import UsageError
from kanji_tui.presentation import charts
from kanji_tui.presentation.chart_grid import (
    LEAST_HEIGHT,
    LEAST_WIDTH,
    MOST_CHARTS,
    OTHER_LINES,
    Shape,
    arrange,
    chosen_charts,
    read_shape,
)
from kanji_tui.presentation.curve_data import Chart
from kanji_tui.workspace.run_curves import LoadPoint
from kanji_tui.workspace.run_views import RunView
from tests.tui.recorded import epochs

sizes = st.tuples(st.integers(1, 300), st.integers(1, 100))
shapes = st.builds(Shape, st.integers(0, 12), st.integers(0, 12))


@given(st.integers(1, 40), sizes, shapes)
def test_every_chart_stands_on_one_page_in_a_cell_that_can_be_read(count: int, size, shape: Shape) -> None:
    first = arrange(count, *size, shape, 0)
    pages = [arrange(count, *size, shape, page) for page in range(first.pages)]
    assert [number for page in pages for number in page.shown] == list(range(count))
    assert {(page.rows, page.columns) for page in pages} == {(first.rows, first.columns)}
    assert first.columns == 1 or size[0] // first.columns >= LEAST_WIDTH
    assert first.rows == 1 or (size[1] - OTHER_LINES) // first.rows >= LEAST_HEIGHT
    assert arrange(count, *size, shape, first.pages + 3) == pages[-1]  # beyond the last is the last


@given(sizes, shapes)
def test_what_was_chosen_is_done_where_it_fits(size, shape: Shape) -> None:
    place = arrange(40, *size, shape, 0)
    if shape.rows and shape.rows * LEAST_HEIGHT + OTHER_LINES <= size[1]:
        assert place.rows == min(shape.rows, -(-40 // place.columns))
    if shape.columns and shape.columns * LEAST_WIDTH <= size[0]:
        assert place.columns == shape.columns


@pytest.mark.parametrize(
    ("count", "size", "grid"),
    [
        (2, (51, 20), (1, 2)), (11, (51, 20), (1, 2)), (2, (76, 36), (1, 2)), (11, (76, 36), (1, 2)),
        (6, (156, 56), (2, 3)), (7, (156, 56), (2, 4)), (11, (156, 56), (2, 4)), (1, (156, 56), (1, 1)),
    ],
)  # fmt: skip
def test_without_a_choice_charts_are_large(count: int, size: tuple[int, int], grid: tuple[int, int]) -> None:
    place = arrange(count, *size, Shape(), 0)
    assert (place.rows, place.columns) == grid


def test_which_charts_these_are_is_said_where_there_are_others() -> None:
    notes = [arrange(7, 80, 40, Shape(1, columns), page).note for columns, page in ((3, 1), (1, 4), (3, 2))]
    assert notes == ["charts 4-6 of 7", "chart 5 of 7", "chart 7 of 7"]
    assert arrange(2, 80, 40, Shape(), 0).note == ""


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("2x3", (2, 3)), ("2 3", (2, 3)), ("2×3", (2, 3)), ("2 x 3", (2, 3)), ("2", (2, 0)), ("2x", (2, 0)),
        ("x3", (0, 3)), ("", (0, 0)), ("0", (0, 0)), ("99x99", (99, 99)),
    ],
)  # fmt: skip
def test_shapes_are_typed(text: str, shape: tuple[int, int]) -> None:
    assert read_shape(text) == Shape(*shape)


@pytest.mark.parametrize("text", ["-1", "two", "2x3x4", "1.5", "100", "2xx3", "²"])
def test_what_is_no_shape_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="rows x columns") as refused:
        read_shape(text)
    assert "2x3" in refused.value.remedy


def view(**values) -> RunView:
    loads = tuple(LoadPoint(5.0 * n, 0.5, 0.25, 0.1, *[None] * 5) for n in range(2))
    return RunView("one", None, "train", **{"epochs": tuple(epochs(4)), "loads": loads, **values})  # type: ignore[arg-type]


def titles(run: RunView | None, pattern: str, roomy: bool = False) -> list[str]:
    def draw(of: str) -> tuple[Chart, ...]:
        return charts.charts([run] if run else [], of, "linear", (1.0, 4.0), None)

    return [chart.title for chart in chosen_charts(run, pattern, draw, roomy)]


def test_charts_are_chosen_by_pattern_among_metrics_and_loads_that_were_measured() -> None:
    assert titles(view(), "") == ["loss", "top-1"]
    assert titles(view(), "", roomy=True) == ["loss", "top-1", "learning rate", "samples/s", "CPU", "memory"]
    assert titles(view(), ".") == [
        "loss", "top-1", "learning rate", "seconds", "top-3", "top-5", "samples/s", "CPU", "memory",
    ]  # fmt: skip
    assert len(titles(view(), ".")) <= MOST_CHARTS
    assert titles(view(), "cpu|top-5") == ["top-5", "CPU"]
    assert titles(view(), "no such") == []


def test_before_the_first_epoch_the_charts_are_there_and_empty() -> None:
    assert titles(None, "") == titles(None, "", roomy=True) == ["loss", "top-1"]
    assert titles(view(epochs=(), loads=()), "rate|loss") == ["loss", "learning rate"]
