"""A drawing is rendered with the extent and stroke width of a style, independent of its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.recognition.drawing.model import normalise
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import (
    DEFAULT_WIDTH,
    OVERSAMPLING,
    PAPER,
    fill_lines,
    measure_style,
    measure_width,
    render,
)
from kanji_tui.recognition.ink import fit_to_frame, ink_box
from kanji_tui.recognition.predictor import read_ink
from tests.drawn import DEN, DRAWN

STYLE = StrokeStyle(0.7, 0.05)
share = st.floats(0, 1, allow_nan=False)
drawings = st.lists(st.lists(st.tuples(share, share), min_size=1, max_size=8), min_size=1, max_size=5)


def ink(levels: np.ndarray) -> np.ndarray:
    return PAPER - levels


@settings(deadline=None, max_examples=60)
@given(drawings)
def test_the_ink_is_centred_with_the_extent_of_the_style(strokes):
    levels = render(strokes, STYLE)
    assert levels.shape == (ROWS, COLUMNS)
    assert levels.dtype == np.uint8
    left, top, right, bottom = ink_box(ink(levels))
    points = np.concatenate([np.array(stroke) for stroke in strokes])
    if (np.ptp(points, axis=0)).max() > 0.01:
        assert max(right - left, bottom - top) == pytest.approx(STYLE.extent * COLUMNS, abs=2.5)
    assert (left + right) / 2 == pytest.approx(COLUMNS / 2, abs=1.5)
    assert (top + bottom) / 2 == pytest.approx(ROWS / 2, abs=1.5)


@pytest.mark.parametrize("kind", ["slanted", "level", "upright", "dot", "outside"])
def test_a_line_covers_the_points_within_its_radius(kind):
    random = np.random.default_rng(7)
    start, end = random.uniform(20, 480, (2, 12, 2))
    if kind == "level":
        end[:, 1] = start[:, 1]
    elif kind == "upright":
        end[:, 0] = start[:, 0]
    elif kind == "dot":
        end = start
    elif kind == "outside":
        end = end - 600
    down, right = np.mgrid[: OVERSAMPLING * ROWS, : OVERSAMPLING * COLUMNS] + 0.5
    radius = random.uniform(0.5, 12, 12)
    for number in range(12):
        (x, y), along = start[number], end[number] - start[number]
        share = ((right - x) * along[0] + (down - y) * along[1]) / max(along @ along, 1e-12)
        nearest = share.clip(0, 1)
        distance = np.hypot(right - x - nearest * along[0], down - y - nearest * along[1])
        filled = fill_lines(start[number : number + 1], end[number : number + 1], radius[number])
        assert (filled == (distance <= radius[number])).all()


@settings(deadline=None, max_examples=20)
@given(st.floats(0.2, 500), st.floats(-100, 100), st.floats(-100, 100))
def test_position_and_scale_of_the_drawing_do_not_matter(scale, right, down):
    moved = [[(scale * x + right, scale * y + down) for x, y in stroke] for stroke in DEN]
    difference = np.abs(render(moved, STYLE).astype(int) - render(DEN, STYLE))
    assert difference.mean() < 2  # of 255: points are rounded to quarters of a pixel


@pytest.mark.parametrize("width", [0.03, 0.045, 0.06, 0.09])
@pytest.mark.parametrize("paleness", [1.0, 0.6])
def test_the_measured_stroke_width_is_the_width_of_the_style(width, paleness):
    line = render([[(0, 0), (1, 0)]], StrokeStyle(0.8, width))
    assert measure_width(paleness * ink(line)[None]) == pytest.approx(width, rel=0.12)


def test_rendered_drawings_have_the_measured_style_of_the_dataset(sample_dataset):
    from kanji_tui.data.dataset import open_dataset

    dataset = open_dataset(sample_dataset)
    style = measure_style(dataset.images(np.arange(len(dataset))), "here")
    drawn = np.stack([normalise(strokes, style, dataset.size) for strokes in DRAWN.values()])
    again = measure_style(drawn, "")
    assert again.extent == pytest.approx(style.extent, abs=0.06)
    assert again.width == pytest.approx(style.width, rel=0.25)


def test_a_dot_is_as_wide_as_a_stroke_and_blank_images_have_the_default_width():
    left, top, right, bottom = ink_box(ink(render([[(3, 4)]], STYLE)))
    assert right - left == pytest.approx(STYLE.width * COLUMNS, abs=2)
    assert bottom - top == pytest.approx(STYLE.width * COLUMNS, abs=2)
    assert measure_width(np.zeros((2, 8, 8))) == DEFAULT_WIDTH


@pytest.mark.parametrize("style", [STYLE, StrokeStyle(1.0, 0.03), StrokeStyle(0.6, 0.07)])
@pytest.mark.parametrize("strokes", DRAWN.values(), ids=DRAWN)
def test_a_saved_drawing_is_predicted_from_the_image_that_was_recognised(tmp_path, strokes, style):
    Image.fromarray(render(strokes, style)).save(tmp_path / "drawing.png")
    found = read_ink(tmp_path / "drawing.png")
    assert np.array_equal(fit_to_frame(found.ink, 64, style.extent), normalise(strokes, style, 64))
    assert found.doubtful == ""
