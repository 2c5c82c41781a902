import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from kanji_tui.data.resize import SIZES, check_size, resize_grey, shrink
from kanji_tui.errors import UsageError
from tests.data.making import area_average


def unpacked(packed: np.ndarray) -> np.ndarray:
    return np.stack([packed >> 4, packed & 15], axis=3).reshape(len(packed), 127, 128)


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), contrast=st.sampled_from([0x11, 0x3F, 0xFF]))
def test_every_pixel_is_the_rounded_area_average(size, seed, contrast):
    packed = np.random.default_rng(seed).integers(0, 256, (3, 127, 64), dtype=np.uint8) & contrast
    exact = area_average(unpacked(packed), size)
    assert np.abs(shrink(packed, size) - exact).max() <= 0.5 + 1e-9  # one rounding, no other error


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=10, deadline=None)
@given(packed=nps.arrays(np.uint8, (1, 127, 64), elements=st.integers(0, 255), fill=st.integers(0, 255)))
def test_adversarial_images(size, packed):
    assert np.abs(shrink(packed, size) - area_average(unpacked(packed), size)).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("size", SIZES)
def test_black_stays_black_and_white_white(size):
    assert (shrink(np.full((2, 127, 64), 0xFF, np.uint8), size) == 255).all()
    assert (shrink(np.zeros((2, 127, 64), np.uint8), size) == 0).all()
    assert shrink(np.zeros((0, 127, 64), np.uint8), size).shape == (0, size, size)


def test_images_inside_records_are_resized_without_a_copy():
    records = np.random.default_rng(0).integers(0, 256, (5, 8199), dtype=np.uint8)
    inside = records[:, 64:8192].reshape(5, 127, 64)
    strided = np.lib.stride_tricks.as_strided(records[:, 64:], (5, 127, 64), (8199, 64, 1))
    assert np.array_equal(shrink(strided, 64), shrink(inside, 64))


def test_other_sizes_are_refused():
    with pytest.raises(UsageError, match="50"):
        check_size(50)


# Grey images


def area_matrix(old: int, new: int) -> np.ndarray:
    """The share of each new pixel that each old pixel covers."""
    scale = old / new
    return np.array(
        [
            [max(0.0, min((t + 1) * scale, o + 1) - max(t * scale, o)) / scale for o in range(old)]
            for t in range(new)
        ]
    )


def bilinear_matrix(old: int, new: int) -> np.ndarray:
    """Weights by the distance to the centres of the two nearest old pixels; the border is repeated."""
    matrix = np.zeros((new, old))
    for to in range(new):
        centre = min(max((to + 0.5) * old / new - 0.5, 0), old - 1)
        below = min(int(centre), old - 1)
        matrix[to, below] += 1 - (centre - below)
        matrix[to, min(below + 1, old - 1)] += centre - below
    return matrix


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 150),
    width=st.integers(1, 150),
    size=st.sampled_from(SIZES),
    seed=st.integers(0, 2**32 - 1),
)
def test_grey_images_are_averaged_or_enlarged_exactly(height, width, size, seed):
    images = np.random.default_rng(seed).integers(0, 256, (2, height, width), dtype=np.uint8)
    down = (area_matrix if size <= height else bilinear_matrix)(height, size)
    across = (area_matrix if size <= width else bilinear_matrix)(width, size)
    exact = down @ images @ across.T
    small = resize_grey(images, size)
    assert small.dtype == np.uint8
    assert np.abs(small - exact).max() <= 0.5 + 1e-6


def test_both_resizing_functions_agree():
    packed = np.random.default_rng(1).integers(0, 256, (3, 127, 64), dtype=np.uint8)
    for size in SIZES[:-1]:  # 127 rows to 128 the one enlarges bilinearly, the other by area
        assert np.array_equal(resize_grey(17 * unpacked(packed), size), shrink(packed, size))
