"""The recogniser process of the Draw screen: it keeps a model open and answers requests until its stdin ends.

One line of JSON per message. Strokes are lists of [x, y], y downward, in any unit. Requests:
    {"do": "find"}                                         open the model (again)
    {"do": "recognise", "strokes": [...]}                  recognise a drawing
    {"do": "save", "strokes": [...], "label": "田"}         save a drawing as a sample
Answers; an answer that takes longer follows one or more {"note": "..."}:
    {"name", "network", "classes": n, "size": n, "style": {extent, width, source}, "problem": "", "remedy": ""}
    {"candidates": [{character, jis, probability}], "image": base64 of size x size bytes, "size": n}
    {"path": "samples/田/....png", "count": files of that character}
    {"error": {"message", "remedy", "code"}}
"""

import base64
import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import Lineage, ModelCard
from kanji_tui.paths import BUILT_IN, DATA_DIR, DEFAULT_MODEL, MODEL_INFO, SAMPLES_DIR
from kanji_tui.recognition.drawing.results import ReadyModel, SavedDrawing, StrokeStyle
from kanji_tui.recognition.model_files import model_file
from kanji_tui.system.child import Child, take_stdout
from kanji_tui.system.files import inside, read_json, sha256
from kanji_tui.system.folders import temporary_folder

if TYPE_CHECKING:
    from kanji_tui.recognition.drawing.model import DrawingModel

Send = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, eq=False)
class DrawingRecogniser:
    """The model and its stroke style; without a model, `problem` and `remedy` say why."""

    model: "DrawingModel | None"
    style: StrokeStyle
    problem: str = ""
    remedy: str = ""


def find_recogniser(send: Send) -> DrawingRecogniser:
    """Open the model and measure the stroke style of its dataset."""
    from kanji_tui.recognition.drawing.model import find_style

    try:
        model = find_model(DEFAULT_MODEL, send)
    except KanjiError as error:
        return DrawingRecogniser(None, find_style(None, DATA_DIR), error.message, error.remedy)
    return DrawingRecogniser(model, find_style(model.card, DATA_DIR))


def find_model(weights: Path, send: Send) -> "DrawingModel":
    """The export of the published model, or a temporary export of it; without that model, the newest export.

    Where there is neither: the built-in model.
    """
    from kanji_tui.recognition.drawing.model import open_drawing_model

    if not weights.is_file():
        exports = sorted(weights.parent.glob("*_tract.onnx"), key=lambda path: -path.stat().st_mtime)
        if not exports:
            return open_drawing_model(model_file(BUILT_IN, ".onnx"), str(BUILT_IN))
        return open_drawing_model(exports[0])
    card = published_card(weights)
    if card is not None:
        with contextlib.suppress(KanjiError):  # no export yet, or an unusable one
            model = open_drawing_model(inside(weights.parent, f"{card.export_name('tract')}.onnx"))
            if model.card == card:
                return model
    send({"note": "converting the model, some seconds; export it (3, then e) to avoid this"})
    with temporary_folder() as folder:
        path = folder / "model.onnx"
        # In a child process, so that torch's memory is freed when it ends.
        with Child("kanji_tui.export.quick_export:export_quickly", str(weights), str(path)) as child:
            if child.wait() or not path.is_file():
                reason = child.exit_reason()
                if str(weights) in reason:
                    raise KanjiError(reason, "publish another run, or train one: kanji-tui train")
                raise KanjiError(f"{weights} cannot be converted for drawing: {reason}", "kanji-tui export onnx")
        return open_drawing_model(path, weights.name)


def published_card(weights: Path) -> ModelCard | None:
    """The card beside the published weights, or None if it belongs to other weights."""
    path = weights.with_name(MODEL_INFO)
    try:
        info = read_json(path)
        if info.get("weights_sha256") not in (None, sha256(weights)):
            return None
        return ModelCard.from_json(info, str(path))
    except KanjiError:
        return None


def describe(recogniser: DrawingRecogniser) -> ReadyModel:
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
        lineage=model.card.lineage if model else Lineage(),
        digest=model.digest if model else "",
    )


def recognise(recogniser: DrawingRecogniser, strokes: list[Any]) -> dict[str, Any]:
    """The answer to `recognise`; without a model there are no candidates."""
    from kanji_tui.recognition.drawing.model import DEFAULT_SIZE, normalise

    model = recogniser.model
    size = model.card.size if model else DEFAULT_SIZE
    image = normalise(strokes, recogniser.style, size)
    found = model.candidates(image) if model else ()
    return {
        "candidates": [asdict(candidate) for candidate in found],
        "image": base64.b64encode(image.tobytes()).decode(),
        "size": size,
    }


def save(recogniser: DrawingRecogniser, strokes: list[Any], label: str) -> SavedDrawing:
    """The answer to `save`."""
    from kanji_tui.recognition.drawing.saved import save_sample

    path = save_sample(strokes, label, recogniser.style, SAMPLES_DIR)
    return SavedDrawing(str(path), sum(1 for _ in path.parent.glob("*.png")))


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer every request until `requests` ends."""

    def send(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    recogniser: DrawingRecogniser | None = None
    for line in requests:
        request = json.loads(line)
        try:
            if recogniser is None or request["do"] == "find":
                recogniser = find_recogniser(send)
            if request["do"] == "find":
                send(asdict(describe(recogniser)))
            elif request["do"] == "recognise":
                send(recognise(recogniser, request["strokes"]))
            else:
                send(asdict(save(recogniser, request["strokes"], request["label"])))
        except KanjiError as error:
            send({"error": error.to_json()})


def main() -> None:
    """Entry point of the child process that `client.RecogniserClient` starts."""
    with take_stdout() as answers, contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, answers)
