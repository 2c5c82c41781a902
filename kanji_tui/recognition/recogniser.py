"""Recognises single characters from Python: images of any kind, or the strokes of a pen.

from kanji_tui import Recogniser

recogniser = Recogniser()
best = recogniser.recognise("photo.jpg")[0]
print(best.character, best.probability)
"""

import operator
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kanji_tui.data.character_ink import find_ink
from kanji_tui.data.image_files import COPY, MAX_SIDE, NOT_READABLE, SMALLER, TooManyPixels, colours_of
from kanji_tui.errors import KanjiError, UsageError, first_line
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import BUILT_IN
from kanji_tui.recognition.candidates import most_probable
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import PAPER, Stroke, render
from kanji_tui.recognition.ink import DEFAULT_EXTENT, fit_to_frame
from kanji_tui.recognition.models import open_model
from kanji_tui.recognition.predictor import BLANK_REMEDY, read_ink
from kanji_tui.recognition.results import Candidate

Strokes = Sequence[Stroke]
Given = np.ndarray | Image.Image | str | os.PathLike[str] | Strokes
MOST_POINTS = 100_000  # in a drawing
MOST_SIDE = 16_384  # pixels of an array
FARTHEST = 1e9  # of a coordinate


class Recogniser:
    """A model that recognises one character at a time. Any number of threads may use one recogniser.

    `Recogniser()` is the built-in model; `Recogniser(path)` one in an .onnx, .safetensors or .pth file. An .onnx
    file is run by ONNX Runtime, on the calling thread; torch is loaded for the other two alone.
    Raises `kanji_tui.errors.KanjiError` if the file cannot be used.
    """

    def __init__(self, path: str | os.PathLike[str] = BUILT_IN) -> None:
        if not isinstance(path, str | os.PathLike):
            raise UsageError(f"a {type(path).__name__} is not the path of a model", "give its file's path")
        self._model = open_model(Path(os.fsdecode(path)), threads=1)

    def __reduce__(self) -> tuple[type["Recogniser"], tuple[Path]]:
        """Pickled, for another process, it is its path: the file is opened there again."""
        return Recogniser, (self._model.path,)

    @property
    def card(self) -> ModelCard:
        """The model's classes, image size, origin and licence."""
        return self._model.card

    @property
    def digest(self) -> str:
        """The SHA-256 of the model's file, hexadecimal."""
        return self._model.digest

    def recognise(self, image: Given, top: int = 10) -> tuple[Candidate, ...]:
        """The `top` most probable characters, most probable first; each with `character`, `jis`, `probability`.

        `image` is one of
            array      (H, W) grey, or (H, W, 3) or (H, W, 4) red, green, blue and opacity: uint8 0-255, bool or
                       float 0-1. Larger values are lighter.
            Pillow     an image in any mode
            file       the path of a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or PPM file
            strokes    a list of strokes, each a list of points (x, y), y downward, in any unit

        In an image, ink may be dark on light or light on dark: what the border shows is taken as paper. It may be
        of any size, and need not be cropped. `probability` is 0-1; over all characters the sum is 1. Characters of
        the same shape are one candidate: the others are its `lookalikes`.

        Raises UsageError for another shape, type or value, KanjiError where an image is blank or cannot be
        read, and where a drawing is a single point.
        """
        if isinstance(top, bool) or not hasattr(top, "__index__") or operator.index(top) < 1:
            raise UsageError(f"top is {top!r}: it must be a whole number of 1 or more")
        pixels = self.prepare(image)
        return most_probable(self._model.logits(pixels[None])[0], self.card, top)

    def prepare(self, image: Given) -> np.ndarray:
        """The image that the model gets: uint8 (S, S), 0 paper to 255 ink. Raises what `recognise` raises."""
        extent = float(self.card.metrics.get("ink_extent", DEFAULT_EXTENT))
        return fit_to_frame(find_any_ink(image, StrokeStyle(extent)), self.card.size, extent)


def find_any_ink(image: Any, style: StrokeStyle) -> np.ndarray:
    """The ink of an image of any kind, or of strokes rendered in a style: float (H, W), 0-1, not blank."""
    if isinstance(image, str | os.PathLike):
        return read_ink(Path(os.fsdecode(image))).ink
    if isinstance(image, Image.Image):
        return _not_blank(_colours(image))
    if isinstance(image, np.ndarray):
        return _not_blank(array_colours(image))
    if isinstance(image, list | tuple):
        strokes = check_strokes(image)
        if not np.ptp(np.concatenate(strokes), axis=0).any():  # scaled to a character's size, it would be much ink
            raise KanjiError("the drawing is a single point: there is nothing to read", "draw a character")
        levels = render(strokes, style).astype(np.float32) / np.float32(PAPER)
        ink: np.ndarray = np.clip(1 - levels, 0, 1)
        return ink
    raise UsageError(
        f"a {type(image).__name__} is not an image", "give a NumPy array, a Pillow image, a file's path or strokes"
    )


def _colours(image: Image.Image) -> np.ndarray:
    try:
        return colours_of(image)
    except NOT_READABLE as error:
        remedy = SMALLER if isinstance(error, TooManyPixels) else COPY
        raise KanjiError(f"the image cannot be read: {first_line(error)}", remedy) from None


def _not_blank(colours: np.ndarray) -> np.ndarray:
    found = find_ink(colours)
    if found.blank:
        raise KanjiError("the image is blank: no ink stands out from the paper", BLANK_REMEDY)
    return found.ink


def array_colours(levels: np.ndarray) -> np.ndarray:
    """uint8 (H, W) or (H, W, 3) of an array as `recognise` takes it; UsageError for another."""
    shaped = levels.ndim == 2 or (levels.ndim == 3 and levels.shape[2] in (3, 4))
    if not shaped or not 1 <= min(levels.shape[:2]) <= max(levels.shape[:2]) <= MOST_SIDE:
        raise UsageError(
            f"an array of shape {levels.shape} is not an image",
            f"give (H, W), (H, W, 3) or (H, W, 4), at most {MOST_SIDE:,} a side",
        )
    if levels.dtype == np.bool_ or np.issubdtype(levels.dtype, np.floating):
        if not (levels.min() >= 0 and levels.max() <= 1):  # also for NaN
            raise UsageError("an array of floats must hold 0-1", "divide it by its largest value")
        levels = (255 * levels.astype(np.float32)).round().astype(np.uint8)
    elif levels.dtype != np.uint8:
        raise UsageError(f"an array of {levels.dtype} is not an image", "give uint8 0-255, bool, or floats 0-1")
    if max(levels.shape) <= MAX_SIDE and levels.shape[2:] != (4,):
        return levels
    return _colours(Image.fromarray(np.ascontiguousarray(levels)))


def check_strokes(strokes: Sequence[Any]) -> list[np.ndarray]:
    """Each stroke as float64 (N, 2); UsageError unless they are a drawing."""
    if not len(strokes):
        raise UsageError("there are no strokes", "give at least one stroke, a list of points")
    if (points := count_points(strokes)) > MOST_POINTS:
        raise UsageError(f"the strokes have {points:,} points", f"give at most {MOST_POINTS:,}")
    return [_check_stroke(number, stroke) for number, stroke in enumerate(strokes, start=1)]


def count_points(strokes: Sequence[Any]) -> int:
    """The points of strokes that were not looked at yet, one at least in each; what is no stroke counts as one."""
    return sum(max(1, len(stroke)) if _has_length(stroke) else 1 for stroke in strokes)


def _has_length(stroke: Any) -> bool:
    return isinstance(stroke, list | tuple) or (isinstance(stroke, np.ndarray) and stroke.ndim > 0)


def _has_truth_values(points: Any) -> bool:
    """Whether one of the coordinates is a bool: NumPy makes a number of it where another is one."""
    if isinstance(points, np.ndarray):
        return False
    return any(isinstance(value, bool | np.bool_) for point in points for value in point)


def _check_stroke(number: int, stroke: Any) -> np.ndarray:
    try:
        path = np.asarray(stroke)
        numeric = path.dtype.kind in "iuf"
    except ValueError:  # points of different lengths
        numeric = False
    if not numeric or path.ndim != 2 or path.shape[1] != 2 or not len(path) or _has_truth_values(stroke):
        raise UsageError(f"stroke {number} is not a list of points (x, y)", "give [[x, y], [x, y], ...]")
    path = path.astype(np.float64)
    if not (np.abs(path) <= FARTHEST).all():  # also for NaN
        raise UsageError(f"stroke {number} has a coordinate that is no number up to {FARTHEST:,.0f}")
    return path
