"""Measures the ink in images, and fits any image of a character to the frame that a model was trained on."""

import numpy as np
from PIL import Image

from kanji_tui.data.character_ink import INK

FAINT = 0.1  # levels below this fraction of the strongest count as paper
DEFAULT_EXTENT = 0.8  # if the model's card has none


def ink_box(image: np.ndarray) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) of the ink in an image (H, W), ink high, ends exclusive; None if blank."""
    ink = image > INK * image.max(initial=0)
    columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def measure_extent(images: np.ndarray) -> float:
    """The median, over images (N, S, S), of the ink's longer side as a fraction of the image's side."""
    boxes = [box for box in map(ink_box, images) if box]
    if not boxes:
        return DEFAULT_EXTENT
    return float(np.median([max(right - left, bottom - top) for left, top, right, bottom in boxes])) / len(
        images[0]
    )


def fit_to_frame(ink: np.ndarray, size: int, extent: float) -> np.ndarray:
    """Crop the ink, scale its longer side to `extent` of the frame and centre it: uint8 (size, size).

    `ink`: (H, W) in 0-1, ink high, not blank. The proportions are kept. The strongest ink becomes 255.
    """
    box = ink_box(ink)
    assert box is not None, "callers refuse blank images"
    left, top, right, bottom = box
    scale = size * min(1.0, extent) / max(right - left, bottom - top)
    width, height = (max(1, round(length * scale)) for length in (right - left, bottom - top))
    clear = ((ink / ink.max() - FAINT) / (1 - FAINT)).clip(0, 1)
    strong = Image.fromarray((255 * clear).round().astype(np.uint8))
    # The cropped area includes the margin of the frame, so that soft edges are not cut off.
    x, y = (size - width) / 2, (size - height) / 2
    area = (left - x / scale, top - y / scale, right + x / scale, bottom + y / scale)
    return _resample(strong, area, size)


def _resample(image: Image.Image, area: tuple[float, float, float, float], size: int) -> np.ndarray:
    """The area (left, top, right, bottom) of a grey image as uint8 (size, size); black outside the image."""
    left, top, right, bottom = area
    padding = 1 + int(max(0.0, -left, -top, right - image.width, bottom - image.height))
    canvas = Image.new("L", (image.width + 2 * padding, image.height + 2 * padding))
    canvas.paste(image, (padding, padding))
    box = tuple(edge + padding for edge in area)
    resized = canvas.resize((size, size), Image.Resampling.HAMMING, box=box)  # type: ignore[arg-type]
    return np.asarray(resized)
