"""Predicts the character in an image file."""

from pathlib import Path

import numpy as np

from kanji_tui.data.images import NOT_READABLE, read_levels
from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.recognition.candidates import most_probable
from kanji_tui.recognition.ink import DEFAULT_EXTENT, fit_to_frame
from kanji_tui.recognition.models import open_model
from kanji_tui.recognition.results import Predicted, Prediction

CANDIDATES = 5
FAINTEST = 0.1  # an image whose levels differ by less is blank


def predict(images: tuple[Path, ...], model_path: Path, invert: bool, report: Report) -> Predicted:
    """The five most probable characters of each image file. Raises KanjiError for an unreadable or blank file.

    The border decides whether ink is dark or light; `invert` reverses that.
    """
    model = open_model(model_path)
    if model.warning:
        report(Notice(model.warning))
    extent = float(model.card.metrics.get("ink_extent", DEFAULT_EXTENT))
    found = []
    for number, path in enumerate(images, start=1):
        raise_if_stopped(report)
        image = fit_to_frame(read_ink(path, invert), model.card.size, extent)
        candidates = most_probable(model.logits(image[None])[0], model.card.classes, CANDIDATES)
        found.append(Prediction(str(path), candidates))
        report(Progress("predicting", number, len(images), "images", item=str(path)))
    return Predicted(tuple(found), str(model_path))


def read_ink(path: Path, invert: bool = False) -> np.ndarray:
    """The ink of an image file, float32 (H, W) in 0-1, ink high.

    Paper is the median level of the border; the levels furthest from it are ink. With `invert` the border is ink.
    Raises KanjiError for a file that cannot be read as an image or is blank.
    """
    try:
        levels = read_levels(path).astype(np.float32) / 255
    except FileNotFoundError:
        raise KanjiError(f"there is no image {path}") from None
    except NOT_READABLE as error:
        raise KanjiError(f"{path} cannot be read as an image: {error}", "give a PNG, JPEG, WebP, BMP ...") from None
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    paper = float(np.median(border))
    reach = (paper - levels.min(), levels.max() - paper)
    if max(reach) < FAINTEST:
        raise KanjiError(f"{path} is blank: all its pixels have nearly the same level")
    dark_ink = reach[0] >= reach[1]
    if invert:
        dark_ink = not dark_ink
        paper = float(levels.max() if dark_ink else levels.min())
    ink: np.ndarray = np.clip(paper - levels if dark_ink else levels - paper, 0, 1)
    return ink
