"""Strokes of a pen on a sheet of braille dots. A point is (x, y), 0-1 across and down a square sheet.

Plain Python: a stroke has some hundred points, and numpy would cost the first paint more than it saves here.
"""

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

Point = tuple[float, float]
Stroke = tuple[Point, ...]
Cells = dict[tuple[int, int], int]  # (column, row) of a terminal cell: its braille dots as bits

PEN = 0.045  # of the sheet's side; the picture a model gets has a pen of its own
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def smooth(points: Sequence[Point], reach: float) -> Stroke:
    """The stroke without the staircase that cells make of a slanted line; its ends stay where they are.

    Points at equal steps along the line, each then the mean of its neighbours up to `reach` away, twice.
    """
    step = reach / 4
    line = spread(points, step)
    for _ in range(2):
        line = [_mean(line, place, min(4, place, len(line) - 1 - place)) for place in range(len(line))]
    return tuple((round(x, 4), round(y, 4)) for x, y in spread(line, reach / 2))


def _mean(line: list[Point], place: int, around: int) -> Point:
    near = line[place - around : place + around + 1]
    return sum(x for x, _ in near) / len(near), sum(y for _, y in near) / len(near)


def spread(points: Sequence[Point], step: float) -> list[Point]:
    """Points at about equal steps along the line through `points`, its ends among them."""
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    total = sum(lengths)
    count = math.ceil(total / step)
    if not count:
        return [points[0]]
    found, place, passed = [points[0]], 0, 0.0
    for number in range(1, count):
        wanted = total * number / count
        while passed + lengths[place] < wanted:
            passed += lengths[place]
            place += 1
        share = (wanted - passed) / lengths[place]
        (x, y), (to_x, to_y) = points[place], points[place + 1]
        found.append((x + (to_x - x) * share, y + (to_y - y) * share))
    return [*found, points[-1]]


def ink(points: Sequence[Point], columns: int) -> Cells:
    """The dots that the line through `points` covers on a sheet of `columns` by half as many rows of cells."""
    side = 2 * columns
    disc = _disc(max(1.0, PEN * side / 2))
    dots = {
        (math.floor(x * side) + across, math.floor(y * side) + down)
        for x, y in spread(points, 0.7 / side)
        for across, down in disc
    }
    cells: Cells = {}
    for x, y in dots:
        if 0 <= x < side and 0 <= y < side:
            cell = x // 2, y // 4
            cells[cell] = cells.get(cell, 0) | DOTS[y % 4][x % 2]
    return cells


@cache
def _disc(radius: float) -> tuple[tuple[int, int], ...]:
    reach = range(-math.ceil(radius), math.ceil(radius) + 1)
    return tuple((x, y) for x in reach for y in reach if math.hypot(x, y) <= radius)
