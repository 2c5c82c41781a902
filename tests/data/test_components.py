"""Components and background against their definitions, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kanji_tui.data import background
from kanji_tui.data.background import (
    choose_levels,
    closing,
    closing_beyond,
    closing_within,
    continued_closing,
    find_background,
    has_dark_ink,
    highest_around,
    opening,
    percentiles,
    spread,
)
from kanji_tui.data.components import find_components, pad, run_lengths
from kanji_tui.data.sheet import hull_area, split_level

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


@settings(max_examples=50, deadline=None)
@given(levels=images, window=st.sampled_from([3, 5, 7]))
def test_closings_of_an_image_and_its_inverse_follow_from_the_levels_around(
    levels: np.ndarray, window: int
) -> None:
    highest = highest_around(np.stack([levels, ~levels]), window)
    for image, within, beyond in zip(
        (levels, ~levels), closing_within(highest, window), closing_beyond(highest, window), strict=True
    ):
        assert np.array_equal(within, closing(image, window))
        assert np.array_equal(beyond, continued_closing(image, image, window))


@settings(max_examples=50, deadline=None)
@given(levels=images)
def test_a_background_goes_on_beyond_the_edges_as_paper_does(levels: np.ndarray) -> None:
    window = background.odd(background.WINDOW * max(levels.shape))
    paper = closing(levels, window)
    strokes = spread(levels < (1 - background.STROKE) * paper, background.SOFT_EDGE)
    border = np.where(strokes, paper, levels)
    found = continued_closing(levels, border, window)
    blots = background._blots(found)
    wider = continued_closing(levels, border, background.odd(background.WIDEST * max(levels.shape)))
    assert np.array_equal(find_background(levels), np.where(blots, wider, found))


@settings(max_examples=50, deadline=None)
@given(levels=images)
def test_a_wider_window_leaves_no_more_contrast(levels: np.ndarray) -> None:
    """So a sheet that is not found for lack of it needs no further search."""
    left = [
        int(flat.max()) - int(flat.min())
        for flat in (closing_beyond(highest_around(levels, window), window) for window in (3, 5, 9, 17))
    ]
    assert left == sorted(left, reverse=True)


@settings(max_examples=100, deadline=None)
@given(values=images)
def test_percentiles_are_numpys(values: np.ndarray) -> None:
    assert percentiles(values, 98) == [float(np.percentile(values, 98))]
    depth = values.astype(np.float32) - 40
    assert percentiles(depth, 5, 25) == [float(value) for value in np.percentile(depth, (5, 25))]


@settings(max_examples=100, deadline=None)
@given(levels=images)
def test_the_split_has_the_largest_variance_between_its_classes(levels: np.ndarray) -> None:
    def variance(level: int) -> float:
        low, high = levels[levels <= level], levels[levels > level]
        if not (low.size and high.size):
            return 0.0
        return float(low.size * high.size / levels.size**2 * (high.mean() - low.mean()) ** 2)

    found = split_level(np.bincount(levels.ravel(), minlength=256))
    assert variance(found) == pytest.approx(max(map(variance, range(256))))


def test_the_hull_of_a_component_encloses_its_pixels() -> None:
    mask = np.zeros((9, 12), bool)
    mask[2:7, 3] = mask[6, 3:9] = True  # an L of 5 rows and 6 columns: its box less a triangle
    assert hull_area(mask) == 5 * 6 - 4 * 5 / 2
    assert hull_area(np.ones((4, 7), bool)) == 28


@settings(max_examples=100, deadline=None)
@given(mask=masks)
def test_the_hull_of_a_component_is_the_same_turned(mask: np.ndarray) -> None:
    found = find_components(mask)
    for number in range(1, len(found) + 1):
        component = found.labels == number
        area = hull_area(component)
        assert found.area[number - 1] <= area == hull_area(component.T) == hull_area(component[::-1, ::-1])


@settings(max_examples=100, deadline=None)
@given(levels=images)
def test_the_vote_on_the_ink_ends_early_with_the_same_answer(levels: np.ndarray) -> None:
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    votes = 2 * float((border > (int(levels.min()) + int(levels.max())) / 2).mean()) - 1
    for share in background.WINDOWS:
        window = background.odd(share * max(levels.shape))
        for removed in (closing, lambda each, window: continued_closing(each, each, window)):
            dark, light = (variation(removed(each, window)) for each in (levels, ~levels))
            votes += (light - dark) / max(1, light + dark) / 2
    assert has_dark_ink(levels) == (votes >= 0)


def variation(levels: np.ndarray) -> int:
    down, across = (np.diff(levels.astype(int), axis=axis) for axis in (0, 1))
    return int(np.abs(down).sum() + np.abs(across).sum())


def test_the_variation_of_the_largest_image_is_exact() -> None:
    """Its columns are added in 16 bits."""
    levels = np.indices((background.COARSE, background.COARSE)).sum(axis=0) % 2 * 255
    both = np.stack([levels, 255 - levels]).astype(np.uint8)
    assert background.variation(both).tolist() == [2 * 255 * 255 * 256] * 2 == [variation(levels)] * 2


@settings(max_examples=50, deadline=None)
@given(levels=images)
def test_the_levels_of_a_grey_image_are_its_own(levels: np.ndarray) -> None:
    assert np.array_equal(choose_levels(np.stack([levels] * 3, axis=-1)), levels)
    assert np.array_equal(choose_levels(levels.T), levels.T)
