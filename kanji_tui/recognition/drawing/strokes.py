"""A drawing, strokes of a pen, becomes a picture like those that a model was trained on.

The picture has the form of an ETL record: 127 rows of 128 pixels, here dark ink on white paper, as it is saved.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.recognition.drawing.results import USUAL_PEN, StrokeStyle
from kanji_tui.recognition.ink import measure_extent

Stroke = Sequence[Sequence[float]]

FINER = 4  # drawn so many times larger, then averaged: edges are as soft as a scanner's
PAPER = 255
SMALLEST = 1e-6


def measure_style(pictures: np.ndarray, source: str) -> StrokeStyle:
    """The medians over pictures uint8 (N, S, S), ink high."""
    return StrokeStyle(measure_extent(pictures), measure_pen(pictures), source)


def measure_pen(pictures: np.ndarray) -> float:
    """The median stroke width of pictures (N, S, S), ink high, as a share of their side.

    A stroke of length l and width w, much longer than wide, has the area l w and an edge of 2 l: w is twice the ink
    over the length of the edge. The length times the ink's height is the sum of the gradient's size, soft edges or
    hard (the coarea formula), so pale ink measures as wide as black.
    """
    ink = pictures.astype(np.float32)
    across = np.diff(ink, axis=2, append=0)
    down = np.diff(ink, axis=1, append=0)
    edge = np.hypot(across, down).sum(axis=(1, 2))
    widths = 2 * ink.sum(axis=(1, 2))[edge > 0] / edge[edge > 0]
    return float(np.median(widths)) / pictures.shape[-1] if len(widths) else USUAL_PEN


def render(strokes: Sequence[Stroke], style: StrokeStyle) -> np.ndarray:
    """Strokes in any unit, at least one, as uint8 (ROWS, COLUMNS): centred, scaled and as thick as `style` says.

    Points are (x, y), y downward; the proportions are kept. A stroke of one point is a dot.
    """
    paths = [np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in strokes]
    every = np.concatenate(paths)
    low, high = every.min(axis=0), every.max(axis=0)
    pen = style.pen * COLUMNS
    span = max(SMALLEST, float((high - low).max()))
    scale = FINER * max(0.0, min(style.extent * COLUMNS, ROWS) - pen) / span
    middle = FINER * np.array([COLUMNS, ROWS]) / 2
    sheet = Image.new("L", (FINER * COLUMNS, FINER * ROWS), PAPER)
    draw = ImageDraw.Draw(sheet)
    for path in paths:
        _ink(draw, (path - (low + high) / 2) * scale + middle, FINER * pen)
    return np.asarray(sheet.reduce(FINER))


def _ink(draw: ImageDraw.ImageDraw, path: np.ndarray, width: float) -> None:
    """One stroke with round ends and corners, in pixels of the sheet."""
    draw.line([(float(x), float(y)) for x, y in path], fill=0, width=max(1, round(width)))
    for x, y in path:
        draw.circle((float(x), float(y)), width / 2, fill=0)
