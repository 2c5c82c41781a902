"""Simulates writers: synthetic writers who each vary a font's glyphs in their own way.

A synthetic writer has a slant, a size, an offset, a stroke width and a smooth warp of the plane; each character
gets a small random variation on top. The images are those of ETL9G: 127 rows of 128 pixels, grey levels 0-15, ink
high. Where a glyph has no ink, the image has none.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageFilter

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.data.fonts import CANVAS, EM

BLUR = 2.5  # in glyph pixels; a threshold on blurred strokes makes them thinner or thicker
GRID = 5  # control points per side of a warp


@dataclass(frozen=True, eq=False)
class SyntheticWriter:
    """The style of one synthetic writer.

    `size`: width and height of the em square in pixels. `shear` (slant to the right, slope downward) and `angle` in
    radians, small. `offset` of the centre in pixels. `threshold`: the blurred intensity, 0-1, at which a stroke
    ends; low values give thick strokes. `softness` of the stroke's edge. `ink`: darkest level. `warp`: displacement
    in glyph pixels, (2, ROWS, COLUMNS). `variation`: how much characters differ from each other, about 1.
    `pressure` (ROWS, COLUMNS): 0-1.
    """

    size: tuple[float, float]
    shear: tuple[float, float]
    angle: float
    offset: tuple[float, float]
    threshold: float
    softness: float
    ink: float
    variation: float
    warp: np.ndarray
    pressure: np.ndarray


def make_writer(seed: int, number: int) -> SyntheticWriter:
    """The synthetic writer with this number; the same for the same seed."""
    # RandomState, because numpy guarantees its stream: the same seed gives the same files in later versions.
    random = np.random.RandomState([seed, number])
    height = random.uniform(76, 106)
    return SyntheticWriter(
        size=(height * random.uniform(0.84, 1.10), height),
        shear=(random.uniform(-0.28, 0.20), random.uniform(-0.16, 0.06)),
        angle=random.normal(0, 0.035),
        offset=(random.normal(0, 3.0), random.normal(0, 3.0)),
        threshold=random.uniform(0.24, 0.54),
        softness=random.uniform(0.18, 0.45),
        ink=random.uniform(10.5, 15.0),
        variation=random.uniform(0.7, 1.3),
        warp=_smooth(random.normal(0, 5.0, (2, GRID, GRID))),
        pressure=1 - _smooth(random.uniform(0, 0.5, (1, GRID, GRID)))[0],
    )


def blur(glyph: np.ndarray) -> np.ndarray:
    """A glyph blurred as `write_glyphs` needs it, uint8 (CANVAS, CANVAS)."""
    return np.asarray(Image.fromarray(glyph).filter(ImageFilter.GaussianBlur(BLUR)))


def write_glyphs(writer: SyntheticWriter, glyphs: np.ndarray, seeds: list[list[int]]) -> np.ndarray:
    """The blurred `glyphs` (N, CANVAS, CANVAS) in the writer's style, each varied at random by its own seed.

    Returns levels 0-15, uint8 (N, ROWS, COLUMNS).
    """
    x, y = _glyph_coordinates(writer, seeds)
    intensity = _interpolate(glyphs, x, y)
    ink = (intensity - writer.threshold) * (1 / writer.softness) + 0.5
    np.clip(ink, 0, 1, out=ink)
    ink *= writer.pressure * writer.ink
    levels: np.ndarray = np.rint(ink).astype(np.uint8)
    return levels


def _glyph_coordinates(writer: SyntheticWriter, seeds: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """The glyph coordinates x and y that each pixel of each image shows, float32 (N, ROWS, COLUMNS) each."""
    count = len(seeds)
    to_glyph = np.empty((count, 2, 2), np.float32)
    centre = np.empty((count, 2), np.float32)
    control = np.empty((count, 2, GRID, GRID), np.float32)
    for number, seed in enumerate(seeds):
        random = np.random.RandomState(seed)
        size = np.array(writer.size) * (1 + random.normal(0, 0.035 * writer.variation, 2))
        shear = np.array(writer.shear) + random.normal(0, 0.03 * writer.variation, 2)
        angle = writer.angle + random.normal(0, 0.025 * writer.variation)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shearing = np.array([[1, shear[0]], [shear[1], 1]])
        to_glyph[number] = np.linalg.inv(rotation @ shearing @ np.diag(size / EM))
        centre[number] = np.array(writer.offset) + random.normal(0, 1.8 * writer.variation, 2)
        control[number] = random.normal(0, 2.6 * writer.variation, (2, GRID, GRID))
    column = np.arange(COLUMNS, dtype=np.float32) - (COLUMNS - 1) / 2
    row = np.arange(ROWS, dtype=np.float32) - (ROWS - 1) / 2
    across = column[None, None, :] - centre[:, 0, None, None]
    down = row[None, :, None] - centre[:, 1, None, None]
    position = _smooth(control)
    position += writer.warp
    position += CANVAS / 2 - 0.5
    for axis in range(2):
        position[:, axis] += to_glyph[:, axis, 0, None, None] * across
        position[:, axis] += to_glyph[:, axis, 1, None, None] * down
    return position[:, 0], position[:, 1]


def _interpolate(glyphs: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The glyphs' values, 0-1, at real coordinates, bilinear; outside the glyph its border is repeated."""
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
    """Weights (length, GRID) of the grid's points at each pixel: Gaussians, normalised to a sum of 1."""
    points = np.linspace(0, length - 1, GRID)
    distance = (np.arange(length)[:, None] - points[None, :]) / (points[1] - points[0])
    weights = np.exp(-1.5 * distance**2)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(weights, np.float32)
