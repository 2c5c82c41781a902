"""Finds a sheet of paper in a photograph that shows more than the sheet, for instance the table below it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kanji_tui.data.background import (
    COARSE,
    DARKEST_PAPER,
    closing_beyond,
    has_dark_ink,
    highest_around,
    odd,
    shrink,
    spread,
)
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
    for light, surface in (True, coarse), (False, ~coarse):
        for share in WINDOWS:
            window = odd(share * max(coarse.shape))
            flat = closing_beyond(highest_around(surface, window), window)
            if int(flat.max()) - int(flat.min()) < CONTRAST:
                break  # in a wider window it is less
            region = _written_region(surface, flat, *(LEAST_LIGHT if light else LEAST_DARK))
            if region is None:
                continue
            sheet = Sheet(_enlarge(region, levels.shape), light)
            if has_dark_ink(levels[sheet.box]) == light:
                return sheet
    return None


def _written_region(levels: np.ndarray, flat: np.ndarray, least: float, convex: float) -> np.ndarray | None:
    """The light sheet with dark strokes in coarse levels, bool (H, W), less a margin; or None.

    It covers `least` of the image or more, and the share `convex` of its convex hull. `flat`: the levels without
    the strokes.
    """
    counts = np.bincount(flat.ravel(), minlength=256)
    level = split_level(counts)
    covered = counts[level + 1 :].sum() / flat.size
    if covered < least or covered == 1:
        return None
    paper = _mean_level(counts, level + 1, 256)
    if paper - _mean_level(counts, 0, level + 1) < CONTRAST:
        return None
    bright = flat > level
    found = find_components(bright)
    main = int(np.argmax(found.area))
    share = found.area[main] / bright.size
    if not least <= share <= MOST:
        return None
    largest = found.labels == main + 1
    if found.area[main] < convex * hull_area(largest):
        return None
    region = ~spread(~largest, MARGIN)
    depth = (flat.astype(np.float32) - levels) / np.maximum(flat, DARKEST_PAPER * paper)
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


def split_level(counts: np.ndarray) -> int:
    """The level that splits pixels best in two classes, from the counts (256,) of their levels.

    Otsu, IEEE Trans. Systems, Man, Cybern. 9, 1979.
    """
    below, sums = np.cumsum(counts, dtype=np.float64), np.cumsum(counts * np.arange(256), dtype=np.float64)
    total = below[-1]
    pairs = below * (total - below)
    apart = (sums[-1] * below / total - sums) ** 2
    return int(np.divide(apart, pairs, out=np.zeros_like(pairs), where=pairs > 0).argmax())


def _mean_level(counts: np.ndarray, start: int, end: int) -> float:
    """The mean of the levels from `start` to before `end`, from the counts (256,) of all levels."""
    return float(counts[start:end] @ np.arange(start, end) / counts[start:end].sum())


def hull_area(mask: np.ndarray) -> float:
    """The area of the convex hull of the pixels of a component, given as a mask."""
    rows = mask[mask.any(axis=1)]
    return rows.size - _area_beside(rows.argmax(axis=1)) - _area_beside(rows[:, ::-1].argmax(axis=1))


def _area_beside(gaps: np.ndarray) -> float:
    """The area between the hull and a side of the image, from the gap between that side and each row's first pixel.

    The hull there is that of the pixels' corners: Andrew's monotone chain, from row to row.
    """
    corners = np.minimum(np.append(gaps[0], gaps), np.append(gaps, gaps[-1])).tolist()
    chain: list[tuple[int, int]] = []
    for y, x in enumerate(corners):
        while len(chain) > 1:
            (a, b), (c, d) = chain[-2:]
            if (d - b) * (y - a) < (x - b) * (c - a):
                break
            chain.pop()
        chain.append((y, x))
    return sum((c - a) * (b + d) for (a, b), (c, d) in pairwise(chain)) / 2
