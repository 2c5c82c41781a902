"""Finds a sheet of paper in a photograph that shows more than the sheet, for instance the table below it."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from kanji_tui.data.background import COARSE, DARKEST_PAPER, continued_closing, has_dark_ink, odd, shrink, spread
from kanji_tui.data.components import find_components, run_lengths

WINDOWS = 1 / 16, 1 / 8  # of the longer side: wider than strokes, narrower than a sheet
CONTRAST = 40  # levels between sheet and surroundings
# The share of the image that a light, a dark sheet covers, and the sheet's share of its convex hull. A character
# in a thick pen looks like a dark sheet, but is smaller, as 田, or less even, as 鰯.
LEAST_LIGHT, LEAST_DARK = (0.03, 0.96), (0.2, 0.98)
MOST = 0.95
STROKES = 0.6  # strokes on the sheet are narrower than this share of what is between them and of the surroundings
INK = 0.5  # of the strongest on the sheet: clearly ink
CROSSING = 0.05  # with a larger share of ink beside it, it is no sheet but the lit part of one
MARGIN = 2  # coarse pixels along the sheet's edge that are not looked at


@dataclass(frozen=True, eq=False)
class Sheet:
    """`region` bool (H, W): the pixels of the sheet; `light`: it is lighter than its surroundings."""

    region: np.ndarray
    light: bool

    @property
    def box(self) -> tuple[slice, slice]:
        """The rows and columns of the sheet."""
        rows, columns = np.flatnonzero(self.region.any(axis=1)), np.flatnonzero(self.region.any(axis=0))
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def find_sheet(levels: np.ndarray) -> Sheet | None:
    """The sheet in an image of levels uint8 (H, W), or None if the paper fills the image.

    A sheet is a convex region that differs in level from its surroundings and alone has strokes on it, dark on a
    light sheet, light on a dark one.
    """
    coarse = shrink(levels)
    for light, share in product((True, False), WINDOWS):
        least = LEAST_LIGHT if light else LEAST_DARK
        region = _written_region(coarse if light else 255 - coarse, odd(share * max(coarse.shape)), *least)
        if region is None:
            continue
        sheet = Sheet(_enlarge(region, levels.shape), light)
        if has_dark_ink(levels[sheet.box]) == light:
            return sheet
    return None


def _written_region(levels: np.ndarray, window: int, least: float, convex: float) -> np.ndarray | None:
    """The light sheet with dark strokes in coarse levels, bool (H, W), less a margin; or None.

    It covers `least` of the image or more, and the share `convex` of its convex hull.
    """
    flat = continued_closing(levels, levels, window)
    if int(flat.max()) - int(flat.min()) < CONTRAST:
        return None
    threshold = split_level(flat)
    bright = flat > threshold
    covered = bright.mean()
    if covered < least or covered == 1 or flat[bright].mean() - flat[~bright].mean() < CONTRAST:
        return None
    found = find_components(bright)
    largest = found.labels == np.argmax(found.area) + 1
    if not least <= largest.mean() <= MOST or largest.sum() < convex * hull_area(largest):
        return None
    region = ~spread(~largest, MARGIN)
    depth = (flat.astype(np.float32) - levels) / np.maximum(flat, DARKEST_PAPER * float(flat[bright].mean()))
    if not region.any() or not depth[region].any():
        return None
    strokes = depth > INK * depth[region].max()
    outside = ~spread(largest, MARGIN)
    if (strokes & outside).sum() > CROSSING * (strokes & region).sum():
        return None
    widest = STROKES * min(_width(region & ~strokes), _width(~largest))
    return region if _width(strokes & region) < widest else None


def _enlarge(region: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask of the coarse image as one of the image itself."""
    block = -(-max(shape) // COARSE)
    rows, columns = (
        np.minimum(np.arange(side) // block, end - 1) for side, end in zip(shape, region.shape, strict=True)
    )
    enlarged: np.ndarray = region[rows][:, columns]
    return enlarged


def _width(mask: np.ndarray) -> float:
    """The median width, across or down, of what a mask shows; 0 if that is nothing."""
    widths = np.minimum(run_lengths(mask), run_lengths(mask.T).T)[mask]
    return float(np.median(widths)) if len(widths) else 0.0


def split_level(levels: np.ndarray) -> int:
    """The level that splits uint8 levels best in two classes (Otsu, IEEE Trans. Systems, Man, Cybern. 9, 1979)."""
    counts = np.bincount(levels.ravel(), minlength=256).astype(np.float64)
    below, total = np.cumsum(counts), counts.sum()
    sums = np.cumsum(counts * np.arange(256))
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (sums[-1] * below / total - sums) ** 2 / (below * (total - below))
    return int(np.nan_to_num(between, nan=0.0, posinf=0.0).argmax())


def hull_area(mask: np.ndarray) -> float:
    """The area of the convex hull of a mask's pixels (Andrew's monotone chain over the ends of its rows)."""
    rows = np.flatnonzero(mask.any(axis=1))
    left = mask[rows].argmax(axis=1)
    right = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    ends = zip([*left, *right], [*rows, *rows], strict=True)
    points = sorted({(int(x), int(y) + step) for x, y in ends for step in (0, 1)})
    corners = _chain(points) + _chain(points[::-1])
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(corners, corners[1:] + corners[:1], strict=True))) / 2


def _chain(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """One half of the hull of sorted points, without its last."""
    chain: list[tuple[int, int]] = []
    for x, y in points:
        while len(chain) > 1:
            (a, b), (c, d) = chain[-2:]
            if (c - a) * (y - b) - (d - b) * (x - a) > 0:
                break
            chain.pop()
        chain.append((x, y))
    return chain[:-1]
