"""Hands: invented writers, each with habits of their own, who write a font's glyphs their way.

A hand is a slant, a size, a place, a pen and a smooth warp of the plane; every character it writes differs a little
more. The pictures are ETL9G's: 127 rows of 128 pixels, grey levels 0-15, ink high. Where a glyph has no ink the
picture has none.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageFilter

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.data.fonts import CANVAS, EM

BLUR = 2.5  # in pixels of a glyph; makes grey hills of strokes, to be cut at any height: thin or thick
GRID = 5  # control points a side of a warp
TOP_LEVEL = 15


@dataclass(frozen=True, eq=False)
class Hand:
    """The habits of one invented writer.

    `size`: em square in pixels, wide and high. `shear` (slant right, slope down) and `angle` in radians, small.
    `place`: offset of the middle in pixels. `cut`: where a blurred stroke ends, low is a thick pen. `softness` of
    the stroke's edge. `ink`: darkest level. `warp`: displacement in glyph pixels, (2, ROWS, COLUMNS). `unrest`: how
    much one character differs from the next, about 1. `pressure` (ROWS, COLUMNS): 0-1.
    """

    size: tuple[float, float]
    shear: tuple[float, float]
    angle: float
    place: tuple[float, float]
    cut: float
    softness: float
    ink: float
    unrest: float
    warp: np.ndarray
    pressure: np.ndarray


def invent_hand(seed: int, number: int) -> Hand:
    """The hand with this number; the same for the same seed."""
    # RandomState, because its stream is promised never to change; so the same seed draws the same files.
    random = np.random.RandomState([seed, number])
    height = random.uniform(76, 106)
    return Hand(
        size=(height * random.uniform(0.84, 1.10), height),
        shear=(random.uniform(-0.28, 0.20), random.uniform(-0.16, 0.06)),
        angle=random.normal(0, 0.035),
        place=(random.normal(0, 3.0), random.normal(0, 3.0)),
        cut=random.uniform(0.24, 0.54),
        softness=random.uniform(0.18, 0.45),
        ink=random.uniform(10.5, 15.0),
        unrest=random.uniform(0.7, 1.3),
        warp=_smooth(random.normal(0, 5.0, (2, GRID, GRID))),
        pressure=1 - _smooth(random.uniform(0, 0.5, (1, GRID, GRID)))[0],
    )


def soften(glyph: np.ndarray) -> np.ndarray:
    """A glyph ready to be written: blurred, uint8 (CANVAS, CANVAS)."""
    return np.asarray(Image.fromarray(glyph).filter(ImageFilter.GaussianBlur(BLUR)))


def write(hand: Hand, glyphs: np.ndarray, seeds: list[list[int]]) -> np.ndarray:
    """The hand writes softened `glyphs` (N, CANVAS, CANVAS), each with the chance of its own seed.

    Returns levels 0-15, uint8 (N, ROWS, COLUMNS).
    """
    x, y = _where_from(hand, seeds)
    hills = _look_up(glyphs, x, y)
    ink = (hills - hand.cut) * (1 / hand.softness) + 0.5
    np.clip(ink, 0, 1, out=ink)
    ink *= hand.pressure * hand.ink
    levels: np.ndarray = np.rint(ink).astype(np.uint8)
    return levels


def pack(levels: np.ndarray) -> np.ndarray:
    """Levels (N, ROWS, COLUMNS) as packed nibbles (N, ROWS, COLUMNS / 2), left pixel high."""
    packed: np.ndarray = (levels[:, :, 0::2] << 4) | levels[:, :, 1::2]
    return packed


def _where_from(hand: Hand, seeds: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """For every pixel of every picture the place in its glyph it shows, float32 (N, ROWS, COLUMNS) each."""
    count = len(seeds)
    to_glyph = np.empty((count, 2, 2), np.float32)
    middle = np.empty((count, 2), np.float32)
    control = np.empty((count, 2, GRID, GRID), np.float32)
    for number, seed in enumerate(seeds):
        random = np.random.RandomState(seed)
        size = np.array(hand.size) * (1 + random.normal(0, 0.035 * hand.unrest, 2))
        shear = np.array(hand.shear) + random.normal(0, 0.03 * hand.unrest, 2)
        angle = hand.angle + random.normal(0, 0.025 * hand.unrest)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        lean = np.array([[1, shear[0]], [shear[1], 1]])
        to_glyph[number] = np.linalg.inv(turn @ lean @ np.diag(size / EM))
        middle[number] = np.array(hand.place) + random.normal(0, 1.8 * hand.unrest, 2)
        control[number] = random.normal(0, 2.6 * hand.unrest, (2, GRID, GRID))
    column = np.arange(COLUMNS, dtype=np.float32) - (COLUMNS - 1) / 2
    row = np.arange(ROWS, dtype=np.float32) - (ROWS - 1) / 2
    across = column[None, None, :] - middle[:, 0, None, None]
    down = row[None, :, None] - middle[:, 1, None, None]
    bend = _smooth(control)
    bend += hand.warp
    bend += CANVAS / 2 - 0.5
    for axis in range(2):
        bend[:, axis] += to_glyph[:, axis, 0, None, None] * across
        bend[:, axis] += to_glyph[:, axis, 1, None, None] * down
    return bend[:, 0], bend[:, 1]


def _look_up(glyphs: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The glyphs' values, 0-1, at real places between their pixels (bilinear); the border stands for all beyond."""
    np.clip(x, 0, CANVAS - 1.001, out=x)
    np.clip(y, 0, CANVAS - 1.001, out=y)
    left, top = x.astype(np.int32), y.astype(np.int32)
    right_share, lower_share = x - left, y - top
    at = top * CANVAS + left
    at += (np.arange(len(glyphs), dtype=np.int32) * (CANVAS * CANVAS))[:, None, None]
    flat = glyphs.reshape(-1)

    def between(offset: int) -> np.ndarray:
        near: np.ndarray = flat[at + offset].astype(np.float32)
        far: np.ndarray = flat[at + (offset + 1)].astype(np.float32)
        far -= near
        far *= right_share
        far += near
        return far

    upper, lower = between(0), between(CANVAS)
    lower -= upper
    lower *= lower_share
    lower += upper
    lower *= np.float32(1 / 255)
    return lower


def _smooth(control: np.ndarray) -> np.ndarray:
    """Values on a coarse grid (..., GRID, GRID) as a smooth surface (..., ROWS, COLUMNS), float32."""
    surface: np.ndarray = _spread(ROWS) @ control.astype(np.float32) @ _spread(COLUMNS).T
    return surface


@cache
def _spread(length: int) -> np.ndarray:
    """Weights (length, GRID) of the grid's points at each pixel: Gaussian hills that add up to 1."""
    points = np.linspace(0, length - 1, GRID)
    distance = (np.arange(length)[:, None] - points[None, :]) / (points[1] - points[0])
    weights = np.exp(-1.5 * distance**2)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights, np.float32)
