"""Connected components of a mask, from its horizontal runs."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Components:
    """The N components of a mask (H, W), pixels joined also over corners.

    `labels` int32 (H, W): 1 to N, 0 outside. All others have N entries: `area` in pixels; `left`, `top`, `right`,
    `bottom`: the box, ends exclusive; `width`: the mean stroke width in pixels.
    """

    labels: np.ndarray
    area: np.ndarray
    left: np.ndarray
    top: np.ndarray
    right: np.ndarray
    bottom: np.ndarray
    width: np.ndarray

    def __len__(self) -> int:
        return len(self.area)

    def count_pixels(self, where: Any) -> np.ndarray:
        """How many pixels of each component lie `where`, a mask or slices of the image: int64 (N,)."""
        return np.bincount(self.labels[where].ravel(), minlength=len(self) + 1)[1:]

    def mask(self, chosen: np.ndarray) -> np.ndarray:
        """The pixels of the components `chosen`, bool (N,), as bool (H, W)."""
        pixels: np.ndarray = np.concatenate([[False], chosen])[self.labels]
        return pixels


def find_components(mask: np.ndarray) -> Components:
    """The components of a mask, bool (H, W), in the order of their first pixels."""
    rows, starts, ends = _runs(mask)
    number = _join(len(rows), *_touching(rows, starts, ends, mask.shape[1]))
    count = int(number.max(initial=-1)) + 1
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = np.repeat(number + 1, ends - starts)
    left, top = np.full(count, mask.shape[1]), np.full(count, mask.shape[0])
    right, bottom = np.zeros(count, int), np.zeros(count, int)
    np.minimum.at(left, number, starts)
    np.maximum.at(right, number, ends)
    np.minimum.at(top, number, rows)
    np.maximum.at(bottom, number, rows + 1)
    area = np.bincount(number, weights=ends - starts, minlength=count).astype(int)
    return Components(labels, area, left, top, right, bottom, _stroke_width(mask, labels, number, area))


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, start and end (exclusive) of each horizontal run, row by row."""
    padded = pad(mask, 0, 1)
    changes = padded[:, 1:] != padded[:, :-1]
    rows, places = np.divmod(np.flatnonzero(changes), changes.shape[1])  # starts and ends by turns
    return rows[::2], places[::2], places[1::2]


def _touching(rows: np.ndarray, starts: np.ndarray, ends: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of runs, as indices, that touch in neighbouring rows."""
    pitch = width + 2
    first = np.searchsorted(rows * pitch + ends, (rows + 1) * pitch + starts, "left")
    last = np.searchsorted(rows * pitch + starts, (rows + 1) * pitch + ends, "right")
    count = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(rows)), count)
    lower = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    return upper, lower


def _join(count: int, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The component of each of `count` runs, numbered from 0, where `one[i]` and `other[i]` belong together.

    Each run points to an earlier one of its component; pointers are shortened until all lead to the first.
    """
    root = np.arange(count)
    while True:
        a, b = root[one], root[other]
        apart = a != b
        if not apart.any():
            return (np.cumsum(root == np.arange(count)) - 1)[root]
        np.minimum.at(root, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while ((shorter := root[root]) != root).any():
            root = shorter


def _stroke_width(mask: np.ndarray, labels: np.ndarray, number: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Twice the area by the length of the outline; an outline of pixel edges is 4/pi times too long on average."""
    sides = 2 * np.bincount(number, minlength=len(area))
    padded = pad(mask, 1, 0)
    for neighbour in (padded[:-2], padded[2:]):
        sides = sides + np.bincount(labels[mask & ~neighbour], minlength=len(area) + 1)[1:]
    return 2 * area / (np.pi / 4 * np.maximum(sides, 1))


def pad(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Images (..., H, W) with so many rows of zeros above and below, columns on either side; faster than np.pad."""
    *others, height, width = image.shape
    padded = np.zeros((*others, height + 2 * rows, width + 2 * columns), image.dtype)
    padded[..., rows : rows + height, columns : columns + width] = image
    return padded


def run_lengths(mask: np.ndarray) -> np.ndarray:
    """The length of the horizontal run that each pixel of a mask belongs to, int32 (H, W); 0 outside."""
    _, starts, ends = _runs(mask)
    lengths = np.zeros(mask.shape, np.int32)
    lengths[mask] = np.repeat(ends - starts, ends - starts)
    return lengths
