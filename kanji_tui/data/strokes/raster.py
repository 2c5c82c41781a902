"""Draws straight lines of ink with round ends into images, all lines of a batch at once.

The ink of a pixel follows from its distance to a line: 1 within the pen's radius, falling to 0 over the softness.
Where lines cross, the darker one counts, so that a stroke is even although it consists of many lines.
"""

import numpy as np

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.data.strokes.style import Styles
from kanji_tui.data.strokes.writing import Lines

MARGIN = 20  # pixels around the image, so that a line at its border needs no clipping
WIDE, HIGH = COLUMNS + 2 * MARGIN, ROWS + 2 * MARGIN
AT_ONCE = 100_000  # pixels computed at a time; they fit into the processor's cache
MIN_RADIUS = 0.3


def draw(lines: Lines, styles: Styles) -> np.ndarray:
    """The images of N samples in these styles, float32 (N, ROWS, COLUMNS), 0-1."""
    canvas = np.zeros((len(styles.width), HIGH, WIDE), np.float32)
    radius = np.maximum(MIN_RADIUS, lines.width * styles.width[lines.sample] / 2)
    softness = styles.softness[lines.sample]
    offset = np.array([(WIDE - 1) / 2, (HIGH - 1) / 2], np.float32)
    middle = (lines.start + lines.end) * (COLUMNS / 2) + offset
    direction = (lines.end - lines.start) * COLUMNS
    length = np.hypot(direction[:, 0], direction[:, 1])
    direction /= np.maximum(length, 1e-6)[:, None]
    reach = np.ceil(length / 2 + radius + softness / 2).astype(int).clip(2, MARGIN // 2)
    corner = np.floor(middle).astype(int) - (reach - 1)[:, None]
    near = MARGIN // 2
    inside = (middle > near).all(axis=1) & (middle[:, 0] < WIDE - near) & (middle[:, 1] < HIGH - near)
    for size in np.unique(reach[inside]):
        chosen = np.flatnonzero(inside & (reach == size))
        window = np.arange(2 * size, dtype=np.int32)
        pixels = (window[:, None] * WIDE + window).ravel()
        for start in range(0, len(chosen), step := max(1, AT_ONCE // len(pixels))):
            at = chosen[start : start + step]
            ink = _ink(
                (middle[at] - corner[at]).astype(np.float32),
                direction[at],
                length[at],
                radius[at],
                softness[at],
                window,
            )
            first = (lines.sample[at] * HIGH + corner[at, 1]) * WIDE + corner[at, 0]
            places = first.astype(np.int32)[:, None] + pixels
            np.maximum.at(canvas.reshape(-1), places.ravel(), ink.ravel())
    return canvas[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def _ink(
    middle: np.ndarray,
    direction: np.ndarray,
    length: np.ndarray,
    radius: np.ndarray,
    softness: np.ndarray,
    window: np.ndarray,
) -> np.ndarray:
    """The ink, 0-1, in a window around each of S lines, float32 (S, side, side); `middle` within the window."""
    x = window.astype(np.float32) - middle[:, :1]
    y = window.astype(np.float32) - middle[:, 1:]
    right, down = direction[:, :1], direction[:, 1:]
    beyond = (y * down)[:, :, None] + (x * right)[:, None, :]
    np.abs(beyond, out=beyond)
    beyond -= (length / 2)[:, None, None]
    np.maximum(beyond, 0, out=beyond)
    across = (y * right)[:, :, None] - (x * down)[:, None, :]
    beyond *= beyond
    across *= across
    across += beyond
    np.sqrt(across, out=across)
    # (radius + softness / 2 - distance) / softness
    across *= (-1 / softness)[:, None, None]
    across += (radius / softness + 0.5)[:, None, None]
    return np.asarray(np.clip(across, 0, 1, out=across))
