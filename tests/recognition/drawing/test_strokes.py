"""A drawing becomes a picture of the wanted size, place and thickness, whatever its own were."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.recognition.drawing.model import normalise
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import PAPER, USUAL_PEN, measure_pen, measure_style, render
from kanji_tui.recognition.ink import ink_box
from tests.drawn import DEN, DRAWN

LOOK = StrokeStyle(0.7, 0.05)
share = st.floats(0, 1, allow_nan=False)
drawings = st.lists(st.lists(st.tuples(share, share), min_size=1, max_size=8), min_size=1, max_size=5)


def ink(levels: np.ndarray) -> np.ndarray:
    return PAPER - levels


@settings(deadline=None, max_examples=60)
@given(drawings)
def test_the_ink_stands_in_the_middle_at_the_wanted_size(strokes):
    levels = render(strokes, LOOK)
    assert levels.shape == (ROWS, COLUMNS)
    assert levels.dtype == np.uint8
    left, top, right, bottom = ink_box(ink(levels))
    points = np.concatenate([np.array(stroke) for stroke in strokes])
    if (np.ptp(points, axis=0)).max() > 0.01:
        assert max(right - left, bottom - top) == pytest.approx(LOOK.extent * COLUMNS, abs=2.5)
    assert (left + right) / 2 == pytest.approx(COLUMNS / 2, abs=1.5)
    assert (top + bottom) / 2 == pytest.approx(ROWS / 2, abs=1.5)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.2, 500), st.floats(-100, 100), st.floats(-100, 100))
def test_where_and_how_large_it_was_drawn_is_all_one(scale, right, down):
    moved = [[(scale * x + right, scale * y + down) for x, y in stroke] for stroke in DEN]
    difference = np.abs(render(moved, LOOK).astype(int) - render(DEN, LOOK))
    assert difference.mean() < 2  # of 255: the sheet is rounded to quarters of a pixel


@pytest.mark.parametrize("pen", [0.03, 0.045, 0.06, 0.09])
@pytest.mark.parametrize("paleness", [1.0, 0.6])
def test_strokes_are_as_thick_as_wanted_and_measure_so(pen, paleness):
    line = render([[(0, 0), (1, 0)]], StrokeStyle(0.8, pen))
    assert measure_pen(paleness * ink(line)[None]) == pytest.approx(pen, rel=0.12)


def test_a_picture_as_it_was_measured(sample_dataset):
    """What is drawn after a dataset's look measures like the dataset again."""
    from kanji_tui.data.dataset import open_dataset

    dataset = open_dataset(sample_dataset)
    look = measure_style(dataset.images(np.arange(len(dataset))), "here")
    drawn = np.stack([normalise(strokes, look, dataset.size) for strokes in DRAWN.values()])
    again = measure_style(drawn, "")
    assert again.extent == pytest.approx(look.extent, abs=0.06)
    assert again.pen == pytest.approx(look.pen, rel=0.25)


def test_a_dot_and_blank_pictures_have_their_say_too():
    left, top, right, bottom = ink_box(ink(render([[(3, 4)]], LOOK)))
    assert right - left == pytest.approx(LOOK.pen * COLUMNS, abs=2)
    assert bottom - top == pytest.approx(LOOK.pen * COLUMNS, abs=2)
    assert measure_pen(np.zeros((2, 8, 8))) == USUAL_PEN
