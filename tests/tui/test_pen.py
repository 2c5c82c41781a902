"""The pen: smoothed strokes, and the cells that they ink."""

import math
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kanji_tui.tui.widgets.pen import ink, smooth, spread

share = st.floats(0, 1, allow_nan=False)
lines = st.lists(st.tuples(share, share), min_size=1, max_size=12)


@given(lines, st.floats(0.01, 0.1))
@settings(deadline=None, max_examples=60)
def test_a_smooth_stroke_begins_and_ends_where_it_was_drawn(points: list, reach: float) -> None:
    found = smooth(points, reach)
    assert math.dist(found[0], points[0]) < 1e-3
    assert math.dist(found[-1], points[-1]) < 1e-3 or len(found) == 1
    for axis in range(2):
        values = [point[axis] for point in points]
        assert all(min(values) - 1e-3 <= point[axis] <= max(values) + 1e-3 for point in found)
    assert all(math.dist(a, b) <= reach for a, b in pairwise(found))


def test_smoothing_takes_the_stairs_out_of_a_slanted_line() -> None:
    cells = [((column + 0.5) / 38, (column // 4 * 2 + 1) / 38) for column in range(38)]
    away = [abs(y - x / 2 - 0.008) for x, y in smooth(cells, 2 / 38)]
    stairs = [abs(y - x / 2 - 0.008) for x, y in cells]
    assert max(away) < max(stairs) / 2


@given(lines, st.sampled_from([8, 38, 70]))
@example([(1.0, 1.0)], 8)
@settings(deadline=None, max_examples=60)
def test_ink_lies_on_the_pad_and_along_the_line(points: list, columns: int) -> None:
    cells = ink(points, columns)
    assert all(0 <= x < columns and 0 <= y < columns // 2 and 0 < bits < 256 for (x, y), bits in cells.items())
    for x, y in spread(points, 0.01):
        inside = min(columns - 1, int(x * columns)), min(columns // 2 - 1, int(y * columns / 2))
        assert any(abs(inside[0] - cx) <= 1 and abs(inside[1] - cy) <= 1 for cx, cy in cells)
