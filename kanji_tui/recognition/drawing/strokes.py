"""Renders a drawing as an image in the stroke style that a model was trained on.

The image has the size of an ETL record, 127 rows of 128 pixels, with dark ink on white paper, as it is saved.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.recognition.drawing.results import DEFAULT_WIDTH, StrokeStyle
from kanji_tui.recognition.ink import measure_extent

Stroke = Sequence[Sequence[float]]

OVERSAMPLING = 4  # drawn this many times larger, then averaged, for edges as soft as a scanner's
PAPER = 255
SMALLEST = 1e-6


def measure_style(images: np.ndarray, source: str) -> StrokeStyle:
    """The median style of images uint8 (N, S, S), ink high."""
    return StrokeStyle(measure_extent(images), measure_width(images), source)


def measure_width(images: np.ndarray) -> float:
    """The median stroke width of images (N, S, S), ink high, as a fraction of their side.

    A stroke of length l and width w, l much larger than w, has area l w and an edge of length 2 l, so w is twice
    the area divided by the length of the edge. The sum of the gradient's magnitude is the length of the edge times
    the ink level, for soft and hard edges alike (coarea formula), so pale ink gives the same width as black ink.
    """
    ink = images.astype(np.float32)
    across = np.diff(ink, axis=2, append=0)
    down = np.diff(ink, axis=1, append=0)
    edge = np.hypot(across, down).sum(axis=(1, 2))
    widths = 2 * ink.sum(axis=(1, 2))[edge > 0] / edge[edge > 0]
    return float(np.median(widths)) / images.shape[-1] if len(widths) else DEFAULT_WIDTH


def render(strokes: Sequence[Stroke], style: StrokeStyle) -> np.ndarray:
    """Strokes in any unit, at least one, as uint8 (ROWS, COLUMNS): centred, with the extent and width of `style`.

    Points are (x, y), y downward; the proportions are kept. A stroke of one point is a dot.
    """
    paths = [np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in strokes]
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    width = style.width * COLUMNS
    span = max(SMALLEST, float((high - low).max()))
    scale = OVERSAMPLING * max(0.0, min(style.extent * COLUMNS, ROWS) - width) / span
    middle = OVERSAMPLING * np.array([COLUMNS, ROWS]) / 2
    canvas = Image.new("L", (OVERSAMPLING * COLUMNS, OVERSAMPLING * ROWS), PAPER)
    draw = ImageDraw.Draw(canvas)
    for path in paths:
        _draw_stroke(draw, (path - (low + high) / 2) * scale + middle, OVERSAMPLING * width)
    return np.asarray(canvas.reduce(OVERSAMPLING))


def _draw_stroke(draw: ImageDraw.ImageDraw, path: np.ndarray, width: float) -> None:
    """Draw one stroke with round ends and corners; units are pixels of the canvas."""
    draw.line([(float(x), float(y)) for x, y in path], fill=0, width=max(1, round(width)))
    for x, y in path:
        draw.circle((float(x), float(y)), width / 2, fill=0)
