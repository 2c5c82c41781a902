"""Strokes of a pen on a square pad of braille dots. A point is (x, y), 0-1 from the left and from the top.

Plain Python: a stroke has some hundred points, and importing numpy would delay the first paint.
"""

import math
from collections.abc import Sequence
from functools import cache
from itertools import accumulate, pairwise

Point = tuple[float, float]
Stroke = tuple[Point, ...]
Cells = dict[tuple[int, int], int]  # (column, row) of a terminal cell: its braille dots as bits

PEN = 0.045  # of the pad's side; the model input has its own stroke width
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a braille sign, as Unicode numbers them
PAIRS = tuple((0, left, right, left | right) for left, right in DOTS)


def smooth(points: Sequence[Point], reach: float) -> Stroke:
    """The stroke without the steps that cells make of a slanted line; its ends do not move.

    Resamples the line at equal steps, then twice replaces each point by the mean of its neighbours up to `reach`
    away.
    """
    step = reach / 4
    line = spread(points, step)
    for _ in range(2):
        across, down = zip(*line, strict=True)
        line = list(zip(_means(across), _means(down), strict=True))
    return tuple((round(x, 4), round(y, 4)) for x, y in spread(line, reach / 2))


def _means(values: Sequence[float]) -> list[float]:
    """The mean of each value and up to four neighbours on either side, equally many on both."""
    before, last = (0.0, *accumulate(values)), len(values) - 1
    reaches = [min(4, index, last - index) for index in range(len(values))]
    return [
        (before[index + reach + 1] - before[index - reach]) / (2 * reach + 1) for index, reach in enumerate(reaches)
    ]


def spread(points: Sequence[Point], step: float) -> list[Point]:
    """Points at about equal steps along the line through `points`, with its ends."""
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    total = sum(lengths)
    count = math.ceil(total / step)
    if not count:
        return [points[0]]
    found, index, passed = [points[0]], 0, 0.0
    for number in range(1, count):
        wanted = total * number / count
        while passed + lengths[index] < wanted:
            passed += lengths[index]
            index += 1
        share = (wanted - passed) / lengths[index]
        (x, y), (to_x, to_y) = points[index], points[index + 1]
        found.append((x + (to_x - x) * share, y + (to_y - y) * share))
    return [*found, points[-1]]


def ink(points: Sequence[Point], columns: int) -> Cells:
    """The dots that the line through `points` covers on a pad of `columns` by half as many rows of cells."""
    side = 2 * columns
    disc = _disc(max(1.0, PEN * side / 2))
    margin = len(disc) // 2
    lines = [0] * (side + 2 * margin)  # of dots, each dot a bit
    last = side - 1
    for x, y in {(min(last, int(x * side)), min(last, int(y * side))) for x, y in spread(points, 0.7 / side)}:
        for down, run in enumerate(disc):
            lines[y + down] |= run << x
    cells: Cells = {}
    for y, line in enumerate(lines[margin : margin + side]):
        bits = line >> margin & (1 << side) - 1
        first = (bits & -bits).bit_length() // 2
        for column in range(first - 1 if first else 0, (bits.bit_length() + 1) // 2):
            pair = bits >> 2 * column & 3
            if pair:
                cell = column, y // 4
                cells[cell] = cells.get(cell, 0) | PAIRS[y % 4][pair]
    return cells


@cache
def _disc(radius: float) -> tuple[int, ...]:
    """The lines of dots of a round pen, each dot a bit."""
    reach = range(-math.ceil(radius), math.ceil(radius) + 1)
    return tuple(sum(1 << x - reach[0] for x in reach if math.hypot(x, y) <= radius) for y in reach)
