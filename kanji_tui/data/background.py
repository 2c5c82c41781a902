"""Separates ink from paper that is lit unevenly, by grey levels or by colours.

The paper's level at each pixel is the grey closing of the image (a maximum filter, then a minimum filter, both of
one square window; Serra: "Image Analysis and Mathematical Morphology", 1982): everything dark and narrower than the
window disappears, while gradients and the edge of a shadow stay as they are. For light ink the image is inverted
first.
"""

from dataclasses import dataclass

import numpy as np

from kanji_tui.data.components import find_components, pad

COARSE = 256  # pixels a side: at this size noise is averaged, and the decisions about the whole image are cheap
WINDOW = 1 / 5  # of the image's longer side: wider than any stroke
WIDEST = 3 / 5  # the same: wider than strokes of a brush that run together
WINDOWS = (1 / 32, 1 / 16, 1 / 8, WINDOW)  # with which light and dark structures are compared
COLOUR_FACTOR = 3  # a colour contrast decides only if it exceeds the grey contrast by this factor
PAPER = 5, 25  # per cent of the pixels, those nearest to the background, that are paper in every image
TWENTIETH, QUARTILE = -1.645, -0.674  # these percentiles of a normal distribution
SOFT_EDGE = 2  # pixels around a stroke
STROKE = 0.6  # what is darker than its paper by this share is a stroke and no shadow
DARKEST_PAPER = 0.45  # of the brightest paper: darker paper, a table, does not amplify its texture


@dataclass(frozen=True, eq=False)
class Separated:
    """`ink` float32 (H, W): 0 paper, 1 black ink on white paper; `noise`: its standard deviation on paper."""

    ink: np.ndarray
    noise: float


def separate_ink(levels: np.ndarray, dark_ink: bool) -> Separated:
    """The dark or light ink in an image of levels uint8 (H, W)."""
    if not dark_ink:
        levels = 255 - levels
    background = find_background(levels)
    depth = background.astype(np.float32) - levels
    low, middle = percentiles(depth[::2, ::2], *PAPER)
    noise = (middle - low) / (QUARTILE - TWENTIETH)
    bias = middle - QUARTILE * noise  # noise raises a maximum
    floor = max(1.0, darkest_paper(background))
    ink = ((depth - bias) / np.maximum(background - bias, floor)).clip(0, 1)
    return Separated(ink, noise / 255)


def find_background(levels: np.ndarray) -> np.ndarray:
    """The levels of the paper, uint8 (H, W), in an image with dark ink.

    Beyond its edges the image is continued, as gradients and shadows are; strokes are not.
    """
    window = odd(WINDOW * max(levels.shape))
    highest = highest_around(levels, window)
    paper = closing_within(highest, window)
    strokes = spread(levels < (1 - STROKE) * paper, SOFT_EDGE)
    if edges_of(strokes).any():
        border = np.where(strokes, paper, levels)
        background = continued_closing(levels, border, window)
    else:
        border, background = levels, closing_beyond(highest, window)
    blots = _blots(background)
    if not blots.any():
        return background
    return np.where(blots, continued_closing(levels, border, odd(WIDEST * max(levels.shape))), background)


def darkest_paper(background: np.ndarray) -> float:
    """The level of a background uint8 (H, W) below which it is no paper, or paper of too little light."""
    return DARKEST_PAPER * percentiles(background[::4, ::4], 98)[0]


def _blots(background: np.ndarray) -> np.ndarray:
    """Where a background is the inside of ink wider than the window: dark, and unlike a shadow off the edges."""
    dark = background < darkest_paper(background)
    if not dark.any():
        return dark
    found = find_components(dark)
    return found.mask(~np.isin(np.arange(1, len(found) + 1), edges_of(found.labels)))


def continued_closing(levels: np.ndarray, border: np.ndarray, window: int) -> np.ndarray:
    """The closing of levels (H, W), continued beyond their edges by the outermost pixels of `border` (H, W)."""
    around = window - 1
    rows, columns = (np.arange(-around, side + around).clip(0, side - 1) for side in levels.shape)
    continued = border.take(rows, axis=0).take(columns, axis=1)
    inner = np.s_[around:-around, around:-around]
    continued[inner] = levels
    return closing(continued, window)[inner]


def choose_levels(colours: np.ndarray) -> np.ndarray:
    """The grey levels, or the red-green or blue-yellow levels if only they have a contrast: uint8 (H, W).

    `colours`: uint8 (H, W, 3) or, of a grey image, (H, W).
    """
    if colours.ndim == 2:
        return np.ascontiguousarray(colours)
    red, green, blue = (np.ascontiguousarray(colours[..., band]) for band in range(3))
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red
    red, green, blue = (band.astype(np.int32) for band in (red, green, blue))
    grey = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16  # the rounding of Pillow's mode L
    red_green, blue_yellow = (red - green + 255) // 2, ((red + green) // 2 - blue + 255) // 2
    found = [levels.astype(np.uint8) for levels in (grey, red_green, blue_yellow)]
    grey_contrast, *others = map(contrast, found)
    best = int(np.argmax([COLOUR_FACTOR * grey_contrast, *others]))
    return found[best]


def contrast(levels: np.ndarray) -> int:
    """The largest difference between neighbouring structures, 0-255; gradients have none."""
    coarse = shrink(levels)
    window = odd(WINDOW * max(coarse.shape))
    return int((closing(coarse, window) - opening(coarse, window)).max())


def has_dark_ink(levels: np.ndarray) -> bool:
    """Whether the ink is darker than the paper: whether removing narrow dark structures leaves the plainer image.

    Compared with windows from narrow to wide, because strokes are narrower than the paper between and around them.
    The border has one vote of five: it is paper unless the image shows a frame or a table. The image ends at its
    edges or is continued beyond them, and a narrow margin then counts as paper, a frame as a table.
    """
    coarse = shrink(levels)
    middle = (int(coarse.min()) + int(coarse.max())) / 2
    votes = 2 * float((edges_of(coarse) > middle).mean()) - 1
    both = np.stack([coarse, ~coarse])
    for left, share in zip(range(len(WINDOWS), 0, -1), WINDOWS, strict=True):
        if abs(votes) > left:  # more than those that are left have
            break
        window = odd(share * max(coarse.shape))
        highest = highest_around(both, window)
        for closed in (closing_within(highest, window), closing_beyond(highest, window)):
            without_dark, without_light = variation(closed).tolist()
            votes += (without_light - without_dark) / max(1, without_light + without_dark) / 2
    return votes >= 0


def variation(coarse: np.ndarray) -> np.ndarray:
    """The sum of the differences between neighbouring pixels of levels (..., H, W), at most COARSE a side."""
    signed = coarse.astype(np.int16)
    differences = signed[..., 1:, :] - signed[..., :-1, :], signed[..., 1:] - signed[..., :-1]
    columns = (np.abs(each).sum(axis=-2, dtype=np.uint16) for each in differences)  # 255 * 256 fits
    down, across = (each.sum(axis=-1, dtype=np.int64) for each in columns)
    total: np.ndarray = down + across
    return total


def edges_of(image: np.ndarray) -> np.ndarray:
    """The first and the last row and column of an image (H, W), one after the other."""
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def percentiles(values: np.ndarray, *shares: float) -> list[float]:
    """As `np.percentile`, which takes longer to check its arguments than to find a percentile of a small image."""
    places = [share / 100 * (values.size - 1) for share in shares]
    lower = [int(place) for place in places]
    upper = [min(each + 1, values.size - 1) for each in lower]
    ordered = np.partition(values, lower + upper, axis=None)
    found = []
    for place, low, high in zip(places, lower, upper, strict=True):
        below, above, part = float(ordered[low]), float(ordered[high]), place - low
        step = above - below
        found.append(above - step * (1 - part) if part >= 0.5 else below + step * part)
    return found


def closing(levels: np.ndarray, window: int) -> np.ndarray:
    """uint8 levels (..., H, W) without the dark structures in which no square of `window` pixels fits."""
    height, width = (min(window, side) for side in levels.shape[-2:])
    brightest = _highest(levels, height, width)
    return ~_highest(pad(~brightest, height - 1, width - 1), height, width)


def opening(levels: np.ndarray, window: int) -> np.ndarray:
    """Levels without the light structures in which no square of `window` pixels fits."""
    return ~closing(~levels, window)


def highest_around(levels: np.ndarray, window: int) -> np.ndarray:
    """The highest of the levels (..., H, W) in each square of `window` pixels, also those partly beyond the edges.

    Its sides are longer by `window` - 1; `closing_within` and `closing_beyond` follow from it.
    """
    return _highest(pad(levels, window - 1, window - 1), window, window)


def closing_within(highest: np.ndarray, window: int) -> np.ndarray:
    """The `closing` of levels, from `highest_around` them."""
    sides = (length - window + 1 for length in highest.shape[-2:])
    (height, down), (width, across) = ((min(window, side), side) for side in sides)
    brightest = highest[..., height - 1 : down, width - 1 : across]
    return ~_highest(pad(~brightest, height - 1, width - 1), height, width)


def closing_beyond(highest: np.ndarray, window: int) -> np.ndarray:
    """The `continued_closing` of levels with a border of their own, from `highest_around` them."""
    return ~_highest(~highest, window, window)


def spread(mask: np.ndarray, pixels: int) -> np.ndarray:
    """The mask, bool (H, W), and what lies within so many pixels of it."""
    window = 2 * pixels + 1
    return _highest(pad(mask.view(np.uint8), pixels, pixels), window, window).view(bool)


def _highest(levels: np.ndarray, height: int, width: int) -> np.ndarray:
    """The highest level in each rectangle of `height` x `width` pixels."""
    return _highest_of(_highest_of(levels, height).swapaxes(-1, -2), width).swapaxes(-1, -2)


def _highest_of(levels: np.ndarray, window: int) -> np.ndarray:
    """The highest of every `window` neighbouring levels in a column, found for 2, 4, 8 ... of them first."""
    width = 1
    while 2 * width <= window:
        levels = np.maximum(levels[..., :-width, :], levels[..., width:, :])
        width *= 2
    if rest := window - width:
        levels = np.maximum(levels[..., :-rest, :], levels[..., rest:, :])
    return levels


def shrink(levels: np.ndarray) -> np.ndarray:
    """Levels averaged over blocks of pixels to at most COARSE pixels a side; what fills no block is cut off."""
    block = -(-max(levels.shape) // COARSE)
    return _average(levels, block) if block > 1 else levels


def halve(levels: np.ndarray) -> np.ndarray:
    """Levels averaged over 2 x 2 pixels."""
    return _average(levels, 2)


def _average(levels: np.ndarray, block: int) -> np.ndarray:
    """uint8 levels averaged over squares of `block` pixels; a side shorter than that over its whole length."""
    height, width = (max(1, side // block) for side in levels.shape)
    block_rows, block_columns = (min(side, block) for side in levels.shape)
    whole = levels[: height * block_rows, : width * block_columns]
    means = whole.reshape(height, block_rows, width, block_columns).mean(axis=(1, 3), dtype=np.float32)
    averaged: np.ndarray = (means + 0.5).astype(np.uint8)
    return averaged


def odd(pixels: float) -> int:
    """The odd number nearest to so many pixels, at least 3."""
    return 2 * max(1, round(pixels / 2)) + 1
