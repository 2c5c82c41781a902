"""Predicts the characters in image files."""

from pathlib import Path

from kanji_tui.data.character_ink import FoundInk, find_ink
from kanji_tui.data.image_files import NOT_READABLE, problem_of, read_colours
from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.recognition.candidates import most_probable
from kanji_tui.recognition.ink import DEFAULT_EXTENT, fit_to_frame
from kanji_tui.recognition.models import Model, open_model
from kanji_tui.recognition.results import ErrorMessage, Predicted, Prediction, Unreadable
from kanji_tui.system.files import where_sought

CANDIDATES = 5
BLANK_REMEDY = "write darker, or photograph it closer and in even light"


def predict(
    images: tuple[Path, ...],
    model_path: Path,
    invert: bool,
    show: bool,
    report: Report,
    characters: str | None = None,
) -> Predicted:
    """The five most probable characters of each image file.

    A file that cannot be read or is blank has its error in its place. `invert`: swap ink and paper after their
    detection. `show`: the predictions include the images that the model gets. `characters`: the character set that
    decides between look-alikes.
    """
    model = open_model(model_path)
    if model.warning:
        report(Notice(model.warning))
    found: list[Prediction | Unreadable] = []
    for number, path in enumerate(images, start=1):
        raise_if_stopped(report)
        try:
            found.append(_predict_one(model, path, invert, show, characters))
        except KanjiError as error:
            found.append(Unreadable(str(path), ErrorMessage(error.message, error.remedy, error.exit_code)))
        report(Progress("predicting", number, len(images), "images", item=str(path)))
    return Predicted(tuple(found), str(model_path), _common_error(found))


def _predict_one(model: Model, path: Path, invert: bool, show: bool, characters: str | None) -> Prediction:
    extent = float(model.card.metrics.get("ink_extent", DEFAULT_EXTENT))
    found = read_ink(path, invert)
    image = fit_to_frame(found.ink, model.card.size, extent)
    candidates = most_probable(model.logits(image[None])[0], model.card, CANDIDATES, characters)
    rows = tuple(row.tobytes().hex() for row in image) if show else ()
    return Prediction(str(path), candidates, found.doubtful, rows)


def _common_error(found: list[Prediction | Unreadable]) -> ErrorMessage | None:
    """The error of the whole if no image could be predicted."""
    failed = [one for one in found if isinstance(one, Unreadable)]
    if len(failed) < len(found) or not failed:
        return None
    if len(failed) == 1:
        return failed[0].error
    return ErrorMessage(f"none of the {len(failed)} images shows a character", failed[0].error.remedy, 1)


def read_ink(path: Path, invert: bool = False) -> FoundInk:
    """The ink of the character in an image file; `invert` swaps ink and paper after their detection.

    Raises KanjiError for a file that cannot be read as an image or is blank.
    """
    try:
        found = find_ink(read_colours(path), invert)
    except FileNotFoundError:
        raise KanjiError(f"there is no image {path}", where_sought(path)) from None
    except NOT_READABLE as error:
        problem, remedy = problem_of(path, error)
        raise KanjiError(f"{path} cannot be read as an image: {problem}", remedy) from None
    if found.blank:
        raise KanjiError(f"{path} is blank: no ink stands out from the paper", BLANK_REMEDY)
    return found
