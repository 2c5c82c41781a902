"""Where the ink lies in pictures, and how any picture of a character becomes one like those of the training."""

import numpy as np
from PIL import Image

INK = 0.3  # of the darkest ink counts as ink: above the grey of soft edges and of paper
FAINT = 0.1  # of the darkest ink is taken for paper
USUAL_EXTENT = 0.8  # where a model's card does not say it


def ink_box(picture: np.ndarray) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) of the ink in a picture (H, W), ink high, ends exclusive; None for a blank one."""
    ink = picture > INK * picture.max(initial=0)
    columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def measure_extent(pictures: np.ndarray) -> float:
    """The median, over pictures (N, S, S), of the ink's longer side as a share of the picture's."""
    boxes = [box for box in map(ink_box, pictures) if box]
    if not boxes:
        return USUAL_EXTENT
    return float(np.median([max(right - left, bottom - top) for left, top, right, bottom in boxes])) / len(
        pictures[0]
    )


def place(ink: np.ndarray, size: int, extent: float) -> np.ndarray:
    """Ink 0-1 (H, W), ink high, not blank, cropped, scaled to `extent` of the side and centred: uint8 (size, size).

    The proportions are kept. The strongest ink becomes 255.
    """
    box = ink_box(ink)
    assert box is not None, "a blank picture shows no character"
    left, top, right, bottom = box
    scale = size * min(1.0, extent) / max(right - left, bottom - top)
    width, height = (max(1, round(length * scale)) for length in (right - left, bottom - top))
    clear = ((ink / ink.max() - FAINT) / (1 - FAINT)).clip(0, 1)
    strong = Image.fromarray((255 * clear).round().astype(np.uint8))
    # What is cut out is wider than the box by the margin, so that soft edges come along.
    x, y = (size - width) / 2, (size - height) / 2
    around = (left - x / scale, top - y / scale, right + x / scale, bottom + y / scale)
    return _resample(strong, around, size)


def _resample(picture: Image.Image, around: tuple[float, float, float, float], size: int) -> np.ndarray:
    """The area `around` (left, top, right, bottom) of a grey picture, black beyond it, as uint8 (size, size)."""
    left, top, right, bottom = around
    padding = 1 + int(max(0.0, -left, -top, right - picture.width, bottom - picture.height))
    canvas = Image.new("L", (picture.width + 2 * padding, picture.height + 2 * padding))
    canvas.paste(picture, (padding, padding))
    box = tuple(edge + padding for edge in around)
    resized = canvas.resize((size, size), Image.Resampling.HAMMING, box=box)  # type: ignore[arg-type]
    return np.asarray(resized)
