"""Resizes packed ETL images and other grey images by exact area averages.

A new pixel covers 127/S rows and 128/S columns of the old image. In units of 1/S of an old pixel its borders are
integers, so the average is a quotient of integers and exact, with one rounding at the end. OpenCV calls this
INTER_AREA when it shrinks. An image smaller than the new one is enlarged bilinearly (OpenCV's INTER_LINEAR): area
averages would repeat its pixels and give strokes stair-stepped edges.
"""

from functools import cache
from math import gcd

import numpy as np

from kanji_tui.data.etl import COLUMNS, ROWS
from kanji_tui.errors import UsageError

SIZES = (32, 48, 64, 96, 128)
LEVEL = 17  # the highest of the ETL levels, 15, times 17 is 255


def check_size(size: int) -> None:
    """UsageError for an image size that is not supported."""
    if size not in SIZES:
        raise UsageError(
            f"images of {size} pixels are not supported", f"choose --size {', '.join(map(str, SIZES))}"
        )


def shrink(packed: np.ndarray, size: int) -> np.ndarray:
    """Images (N, 127, 64) of packed nibbles to uint8 (N, size, size): 17 x the area average, rounded half up.

    Fastest for about 64 images at a time, whose intermediate values fit into the processor's cache.
    """
    sums, column_units = _sum_columns(packed, size)
    rows, weights = _row_taps(size)
    units = column_units * ROWS
    # The largest value before the division must fit: 16 bits suffice for sizes 64 and 128 and are twice as fast.
    width = np.uint16 if LEVEL * 15 * units + units // 2 <= np.iinfo(np.uint16).max else np.uint32
    total = np.full((len(packed), size, size), units // 2, width)
    for row, weight in zip(rows, weights, strict=True):
        part: np.ndarray = np.take(sums, row, axis=1).astype(width)
        part *= weight.astype(width)
        total += part
    total //= width(units)
    return total.astype(np.uint8)


def _sum_columns(packed: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """Weighted sums over the columns of each new pixel, uint8 (N, 127, size), and the sum of the weights."""
    period, taps = _column_taps(size)
    nibbles = packed >> 4, packed & 15
    outputs = len(taps)
    sums = np.empty((*packed.shape[:2], size), np.uint8)
    for number, tap in enumerate(taps):
        parts = [
            nibbles[column % 2][:, :, column // 2 :: period // 2] * np.uint8(weight)
            if weight > 1
            else nibbles[column % 2][:, :, column // 2 :: period // 2]
            for column, weight in tap
        ]
        sums[:, :, number::outputs] = sum(parts[1:], start=parts[0])
    return sums, sum(weight for _, weight in taps[0])


@cache
def _column_taps(size: int) -> tuple[int, tuple[tuple[tuple[int, int], ...], ...]]:
    """The period, in old columns, of the weights, and the (column, weight)s of each new column in it."""
    common = min(gcd(COLUMNS, size), COLUMNS // 2)  # makes the period even: there are two pixels per byte
    period, outputs = COLUMNS // common, size // common
    unit = gcd(period, outputs)
    old, new = outputs // unit, period // unit  # lengths of an old and a new column in common units
    taps = tuple(
        tuple(
            (column, overlap)
            for column in range(period)
            if (overlap := min((column + 1) * old, (output + 1) * new) - max(column * old, output * new)) > 0
        )
        for output in range(outputs)
    )
    return period, taps


@cache
def _row_taps(size: int) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """For each k: the k-th old row that each new row covers, (size,), and its weight times 17, (size, size)."""
    new = np.arange(size)
    first = new * ROWS // size
    last = ((new + 1) * ROWS - 1) // size
    rows, weights = [], []
    for step in range(int((last - first).max()) + 1):
        row = np.minimum(first + step, ROWS - 1)
        overlap = np.minimum((new + 1) * ROWS, (row + 1) * size) - np.maximum(new * ROWS, row * size)
        overlap = np.where(first + step <= last, overlap, 0)
        rows.append(row)
        # A full square of weights lets numpy process whole images instead of row by row.
        weights.append(np.repeat((LEVEL * overlap).astype(np.uint32)[:, None], size, axis=1))
    return tuple(rows), tuple(weights)


def resize_grey(images: np.ndarray, size: int) -> np.ndarray:
    """Images uint8 (N, H, W) to uint8 (N, size, size): area averages, or bilinear where it enlarges.

    All weights are integers and no sum exceeds 2**53, so float64 is exact and every machine gives the same result.
    """
    down, height_units = resize_weights(images.shape[1], size)
    across, width_units = resize_weights(images.shape[2], size)
    units = height_units * width_units
    total: np.ndarray = down @ images.astype(np.float64) @ across.T
    return ((total.astype(np.int64) + units // 2) // units).astype(np.uint8)


@cache
def resize_weights(old: int, new: int) -> tuple[np.ndarray, int]:
    """Integer weights (new, old) of each old row in each new one, as float64, and the sum of each row of them."""
    to, of = np.arange(new)[:, None], np.arange(old)[None, :]
    if new <= old:
        overlap = np.minimum((to + 1) * old, (of + 1) * new) - np.maximum(to * old, of * new)
        return np.maximum(overlap, 0).astype(np.float64), old
    # The centre of new row t is at ((2t + 1) old - new) / 2 new, counted from the centre of old row 0.
    centre = np.clip((2 * to + 1) * old - new, 0, 2 * new * (old - 1))
    return np.maximum(2 * new - np.abs(centre - 2 * new * of), 0).astype(np.float64), 2 * new
