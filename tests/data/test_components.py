"""Components and background against their definitions, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kanji_tui.data import background
from kanji_tui.data.background import choose_levels, closing, continued_closing, has_dark_ink, opening, spread
from kanji_tui.data.components import find_components, pad, run_lengths

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=9))
images = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=8))
windows = st.sampled_from([1, 3, 5, 7])


def flood(mask: np.ndarray) -> list[set[tuple[int, int]]]:
    """The components in the order of their first pixels, joined over corners."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    found = []
    while left:
        part, todo = set(), [min(left)]
        while todo:
            y, x = pixel = todo.pop()
            if pixel in left:
                left.remove(pixel)
                part.add(pixel)
                todo += [(y + down, x + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        found.append(part)
    return found


@settings(deadline=None, max_examples=40)
@given(masks)
def test_components_are_those_of_a_flood_fill(mask):
    found, expected = find_components(mask), flood(mask)
    parts = [{(int(y), int(x)) for y, x in np.argwhere(found.labels == n + 1)} for n in range(len(found))]
    assert sorted(map(sorted, parts)) == sorted(map(sorted, expected))
    for number, part in enumerate(parts):
        rows, columns = zip(*part, strict=True)
        box = (found.left[number], found.top[number], found.right[number], found.bottom[number])
        assert box == (min(columns), min(rows), max(columns) + 1, max(rows) + 1)
        assert found.area[number] == len(part)
    assert found.count_pixels(np.s_[0]).sum() == mask[0].sum()


@settings(deadline=None, max_examples=30)
@given(masks)
def test_the_run_of_each_pixel(mask):
    for row, lengths in zip(mask, run_lengths(mask), strict=True):
        runs = "".join("#" if value else " " for value in row).split(" ")
        expected = [length for run in runs for length in ([len(run)] * len(run) or [0])]
        assert [int(value) for value in lengths if value] == [value for value in expected if value]
        assert ((lengths > 0) == row).all()


@settings(deadline=None, max_examples=30)
@given(images, windows)
def test_closing_is_the_lowest_maximum_of_all_squares_around_a_pixel(image, window):
    height, width = (min(window, side) for side in image.shape)
    expected = np.full(image.shape, 255, np.uint8)
    for y in range(image.shape[0] - height + 1):
        for x in range(image.shape[1] - width + 1):
            square = np.s_[y : y + height, x : x + width]
            expected[square] = np.minimum(expected[square], image[square].max())
    assert np.array_equal(closing(image, window), expected)
    assert np.array_equal(opening(image, window), 255 - closing(255 - image, window))


def test_a_mask_spreads_by_pixels_also_over_corners():
    mask = np.zeros((7, 9), bool)
    mask[3, 4] = mask[0, 0] = True
    grown = spread(mask, 2)
    assert grown[1:6, 2:7].all()
    assert grown[:3, :3].all()
    assert grown.sum() == 25 + 9 - 2 * 1


@pytest.mark.parametrize("width", [3, 8])
def test_the_width_of_a_stroke_is_measured(width):
    mask = np.zeros((60, 60), bool)
    mask[5:55, 20 : 20 + width] = True
    assert find_components(mask).width[0] == pytest.approx(4 / np.pi * width, rel=0.2)


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (1, 0), (0, 2), (3, 1)])
def test_padding_is_numpys(rows: int, columns: int) -> None:
    image = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    padded = pad(image, rows, columns)
    assert padded.dtype == image.dtype
    assert np.array_equal(padded, np.pad(image, ((rows, rows), (columns, columns))))


@settings(max_examples=50, deadline=None)
@given(levels=images, window=st.sampled_from([3, 5, 7]))
def test_beyond_its_edges_an_image_is_continued_by_its_outermost_pixels(levels: np.ndarray, window: int) -> None:
    around = window - 1
    inner = tuple(slice(around, around + side) for side in levels.shape)
    expected = closing(np.pad(levels, around, mode="edge"), window)[inner]
    assert np.array_equal(continued_closing(levels, levels, window), expected)


@settings(max_examples=100, deadline=None)
@given(levels=images)
def test_the_vote_on_the_ink_ends_early_with_the_same_answer(levels: np.ndarray) -> None:
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    votes = 2 * float((border > (int(levels.min()) + int(levels.max())) / 2).mean()) - 1
    for share in background.WINDOWS:
        window = background.odd(share * max(levels.shape))
        for removed in (closing, background._continued):
            dark, light = (background.variation(removed(each, window)) for each in (levels, ~levels))
            votes += (light - dark) / max(1, light + dark) / 2
    assert has_dark_ink(levels) == (votes >= 0)


@settings(max_examples=50, deadline=None)
@given(levels=images)
def test_the_levels_of_a_grey_image_are_its_own(levels: np.ndarray) -> None:
    assert np.array_equal(choose_levels(np.stack([levels] * 3, axis=-1)), levels)
