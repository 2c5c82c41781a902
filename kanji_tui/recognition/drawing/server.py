"""The process that reads drawings as they grow: it keeps a model open and answers until its stdin ends.

A line of JSON each way. Strokes are lists of [x, y], y downward, in any unit. Requests:
    {"do": "look"}                                    find the model again
    {"do": "read", "strokes": [...]}                  what does it show?
    {"do": "save", "strokes": [...], "label": "田"}    keep it as a sample
Answers, with any number of {"note": "..."} before one that takes longer:
    {"model": name or "", "classes": n, "size": n, "look": {extent, pen, source}, "problem": "", "remedy": ""}
    {"candidates": [{character, jis, probability}], "picture": base64 of size x size bytes, "size": n}
    {"path": "samples/田/....png", "count": files of that character}
    {"error": "...", "remedy": "..."}
"""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL, MODEL_INFO, SAMPLES_DIR
from kanji_tui.system.files import read_json, sha256

if TYPE_CHECKING:
    from kanji_tui.recognition.drawing.model import LiveModel
    from kanji_tui.recognition.drawing.strokes import Look

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, eq=False)
class Desk:
    """What lies ready: a model, or the reason why there is none; and how drawings are to look."""

    model: "LiveModel | None"
    look: "Look"
    problem: str = ""
    remedy: str = ""


def set_up(say: Say) -> Desk:
    """Open the model and look at its dataset."""
    from kanji_tui.recognition.drawing.model import find_look

    try:
        model = find_model(DEFAULT_MODEL, say)
    except KanjiError as error:
        return Desk(None, find_look(None, DATA_DIR), error.message, error.remedy)
    return Desk(model, find_look(model.card, DATA_DIR))


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
        done = subprocess.run(
            [sys.executable, "-m", "kanji_tui.export.quick_export", str(weights), str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )  # a process of its own: torch goes when it ends
        if done.returncode or not path.is_file():
            reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
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


def describe(desk: Desk) -> dict[str, Any]:
    """The answer to `look`."""
    model = desk.model
    return {
        "model": model.name if model else "",
        "network": model.card.network if model else "",
        "classes": len(model.card.classes) if model else 0,
        "size": model.card.size if model else 0,
        "look": asdict(desk.look),
        "problem": desk.problem,
        "remedy": desk.remedy,
    }


def read(desk: Desk, strokes: list[Any]) -> dict[str, Any]:
    """The answer to `read`; without a model there are no candidates."""
    from kanji_tui.recognition.drawing.model import WITHOUT_MODEL, normalise

    size = desk.model.card.size if desk.model else WITHOUT_MODEL
    picture = normalise(strokes, desk.look, size)
    found = desk.model.candidates(picture) if desk.model else ()
    return {
        "candidates": [asdict(candidate) for candidate in found],
        "picture": base64.b64encode(picture.tobytes()).decode(),
        "size": size,
    }


def save(desk: Desk, strokes: list[Any], label: str) -> dict[str, Any]:
    """The answer to `save`."""
    from kanji_tui.recognition.drawing.saved import save_sample

    path = save_sample(strokes, label, desk.look, SAMPLES_DIR)
    return {"path": str(path), "count": sum(1 for _ in path.parent.glob("*.png"))}


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer every line until the other side goes."""

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    desk: Desk | None = None
    for line in requests:
        request = json.loads(line)
        try:
            if desk is None or request["do"] == "look":
                desk = set_up(say)
            if request["do"] == "look":
                say(describe(desk))
            elif request["do"] == "read":
                say(read(desk, request["strokes"]))
            else:
                say(save(desk, request["strokes"], request["label"]))
        except KanjiError as error:
            say({"error": error.message, "remedy": error.remedy})


def main() -> None:
    """`python -m kanji_tui.recognition.drawing.server`: the child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints goes where errors go
    with contextlib.suppress(BrokenPipeError):
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
