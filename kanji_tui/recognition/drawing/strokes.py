"""Renders a drawing as an image in the stroke style that a model was trained on.

The image has the size of an ETL record, 127 rows of 128 pixels, with dark ink on white paper, as it is saved.
"""

from collections.abc import Sequence

import numpy as np

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.recognition.drawing.results import DEFAULT_WIDTH, StrokeStyle
from kanji_tui.recognition.ink import measure_extent

Stroke = Sequence[Sequence[float]] | np.ndarray

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

    Points are (x, y), y downward; the proportions are kept. A stroke of one point is a dot. The web page renders
    the same levels: web/page/image.js.
    """
    paths = [np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in strokes]
    points = np.concatenate(paths)
    low, high = points.min(axis=0), points.max(axis=0)
    width = style.width * COLUMNS
    span = max(SMALLEST, float((high - low).max()))
    scale = OVERSAMPLING * max(0.0, min(style.extent * COLUMNS, ROWS) - width) / span
    middle = OVERSAMPLING * np.array([COLUMNS, ROWS]) / 2
    scaled = [(path - (low + high) / 2) * scale + middle for path in paths]
    starts = np.concatenate([path[:-1] if len(path) > 1 else path for path in scaled])
    ends = np.concatenate([path[1:] if len(path) > 1 else path for path in scaled])
    inked = fill_lines(starts, ends, max(1.0, OVERSAMPLING * width) / 2)
    by_row = np.add.reduce([inked[start::OVERSAMPLING] for start in range(OVERSAMPLING)], dtype=np.int32)
    squares = np.add.reduce([by_row[:, start::OVERSAMPLING] for start in range(OVERSAMPLING)])
    whole = OVERSAMPLING**2
    levels: np.ndarray = (PAPER * (whole - squares) + whole // 2) // whole
    return levels.astype(np.uint8)


def fill_lines(starts: np.ndarray, ends: np.ndarray, radius: float) -> np.ndarray:
    """The points of the finer grid within `radius` of a line, bool (OVERSAMPLING * ROWS, OVERSAMPLING * COLUMNS).

    `starts`, `ends`: (N, 2), in points of that grid, which lie at half units. In a row, a line with round ends
    covers one interval: its end is the largest x(t) + sqrt(radius^2 - (row - y(t))^2) over the line's points.
    """
    height, columns = OVERSAMPLING * ROWS, OVERSAMPLING * COLUMNS
    first = np.ceil(np.minimum(starts[:, 1], ends[:, 1]) - radius - 0.5).clip(0, height).astype(int)
    last = np.floor(np.maximum(starts[:, 1], ends[:, 1]) + radius - 0.5).clip(-1, height - 1).astype(int)
    counts = (last - first + 1).clip(0)
    line = np.repeat(np.arange(len(starts)), counts)
    row = np.arange(len(line)) - np.repeat(counts.cumsum() - counts, counts) + first[line]
    x, y = starts[line].T
    right, down = (ends - starts)[line].T
    below = row + 0.5 - y
    length = np.sqrt(right * right + down * down)
    steep = down != 0
    divisor = np.where(steep, down, 1.0)
    # At the interval's end, the circle around the nearest point of the line touches the line's edge.
    touching = radius * right * np.sign(down) / np.where(length > 0, length, 1.0)
    at_left = np.where(steep, ((below - touching) / divisor).clip(0, 1), right < 0)
    at_right = np.where(steep, ((below + touching) / divisor).clip(0, 1), right > 0)
    left_edge = x + at_left * right - _half_chord(radius, below - at_left * down)
    right_edge = x + at_right * right + _half_chord(radius, below - at_right * down)
    begin = np.ceil(left_edge - 0.5).clip(0, columns).astype(int)
    end = (np.floor(right_edge - 0.5).astype(int) + 1).clip(0, columns)
    filled = end > begin
    changes = np.zeros((height, columns + 1), np.int32)
    np.add.at(changes, (row[filled], begin[filled]), 1)
    np.add.at(changes, (row[filled], end[filled]), -1)
    inked: np.ndarray = changes.cumsum(axis=1, dtype=np.int32)[:, :columns] > 0
    return inked


def _half_chord(radius: float, distance: np.ndarray) -> np.ndarray:
    """Half the length of the chord of a circle at this distance from its centre."""
    chord: np.ndarray = np.sqrt((radius * radius - distance * distance).clip(0))
    return chord
