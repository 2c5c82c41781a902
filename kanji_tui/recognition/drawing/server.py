"""The recogniser process of the Draw screen: it keeps a model open and answers until its stdin ends.

A line of JSON each way. Strokes are lists of [x, y], y downward, in any unit. Requests:
    {"do": "find"}                                         find the model again
    {"do": "recognise", "strokes": [...]}                  what does it show?
    {"do": "save", "strokes": [...], "label": "田"}         keep it as a sample
Answers, with any number of {"note": "..."} before one that takes longer:
    {"name", "network", "classes": n, "size": n, "style": {extent, pen, source}, "problem": "", "remedy": ""}
    {"candidates": [{character, jis, probability}], "image": base64 of size x size bytes, "size": n}
    {"path": "samples/田/....png", "count": files of that character}
    {"error": {"message", "remedy", "code"}}
"""

import base64
import contextlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL, MODEL_INFO, SAMPLES_DIR
from kanji_tui.recognition.drawing.results import ReadyModel, SavedDrawing, StrokeStyle
from kanji_tui.system.child import Child, take_stdout
from kanji_tui.system.files import read_json, sha256

if TYPE_CHECKING:
    from kanji_tui.recognition.drawing.model import LiveModel

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, eq=False)
class Recogniser:
    """The model and the style of the strokes it was trained on; without a model the reason why there is none."""

    model: "LiveModel | None"
    style: StrokeStyle
    problem: str = ""
    remedy: str = ""


def find_recogniser(say: Say) -> Recogniser:
    """Open the model and measure its dataset's strokes."""
    from kanji_tui.recognition.drawing.model import find_style

    try:
        model = find_model(DEFAULT_MODEL, say)
    except KanjiError as error:
        return Recogniser(None, find_style(None, DATA_DIR), error.message, error.remedy)
    return Recogniser(model, find_style(model.card, DATA_DIR))


def find_model(weights: Path, say: Say) -> "LiveModel":
    """The published model as its own export, else written to ONNX for now; without one, the newest export.

    Raises KanjiError where there is neither.
    """
    from kanji_tui.recognition.drawing.model import open_live

    if not weights.is_file():
        exports = sorted(weights.parent.glob("*_tract.onnx"), key=lambda path: -path.stat().st_mtime)
        if not exports:
            raise KanjiError("there is no model yet", "train one: kanji-tui train")
        return open_live(exports[0])
    card = published_card(weights)
    if card is not None:
        with contextlib.suppress(KanjiError):  # no export yet, or one that cannot be used
            model = open_live(weights.parent / f"{card.export_name('tract')}.onnx")
            if model.card == card:
                return model
    say({"note": "making the model ready, some seconds; an export (3, then e) saves them"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        # A process of its own: torch goes when it ends.
        with Child("kanji_tui.export.quick_export:export_quickly", str(weights), str(path)) as child:
            if child.wait() or not path.is_file():
                reason = child.exit_reason()
                raise KanjiError(f"{weights} cannot be made ready for drawing: {reason}", "kanji-tui export onnx")
        return open_live(path, weights.name)


def published_card(weights: Path) -> ModelCard | None:
    """The card beside the published weights, or None where it is not about them."""
    path = weights.with_name(MODEL_INFO)
    try:
        info = read_json(path)
        if info.get("weights_sha256") not in (None, sha256(weights)):
            return None
        return ModelCard.from_json(info, str(path))
    except KanjiError:
        return None


def describe(recogniser: Recogniser) -> ReadyModel:
    """The answer to `find`."""
    model = recogniser.model
    return ReadyModel(
        name=model.name if model else "",
        network=model.card.network if model else "",
        classes=len(model.card.classes) if model else 0,
        size=model.card.size if model else 0,
        style=recogniser.style,
        problem=recogniser.problem,
        remedy=recogniser.remedy,
    )


def recognise(recogniser: Recogniser, strokes: list[Any]) -> dict[str, Any]:
    """The answer to `recognise`; without a model there are no candidates."""
    from kanji_tui.recognition.drawing.model import WITHOUT_MODEL, normalise

    model = recogniser.model
    size = model.card.size if model else WITHOUT_MODEL
    image = normalise(strokes, recogniser.style, size)
    found = model.candidates(image) if model else ()
    return {
        "candidates": [asdict(candidate) for candidate in found],
        "image": base64.b64encode(image.tobytes()).decode(),
        "size": size,
    }


def save(recogniser: Recogniser, strokes: list[Any], label: str) -> SavedDrawing:
    """The answer to `save`."""
    from kanji_tui.recognition.drawing.saved import save_sample

    path = save_sample(strokes, label, recogniser.style, SAMPLES_DIR)
    return SavedDrawing(str(path), sum(1 for _ in path.parent.glob("*.png")))


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer every line until the other side goes."""

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    recogniser: Recogniser | None = None
    for line in requests:
        request = json.loads(line)
        try:
            if recogniser is None or request["do"] == "find":
                recogniser = find_recogniser(say)
            if request["do"] == "find":
                say(asdict(describe(recogniser)))
            elif request["do"] == "recognise":
                say(recognise(recogniser, request["strokes"]))
            else:
                say(asdict(save(recogniser, request["strokes"], request["label"])))
        except KanjiError as error:
            say({"error": error.to_json()})


def main() -> None:
    """The child's beginning; the entry of `client.Recogniser`."""
    with take_stdout() as answers, contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, answers)
