"""The model of a page or a service in its folder: model.onnx, and classes.json with what its outputs mean."""

import shutil
from pathlib import Path
from typing import Any

from kanji_tui import __version__
from kanji_tui.characters.classes import strokes
from kanji_tui.characters.jis import character_to_jis
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import BUILT_IN
from kanji_tui.recognition.candidates import all_candidates, groups_of
from kanji_tui.recognition.drawing.results import DEFAULT_EXTENT, DEFAULT_WIDTH
from kanji_tui.recognition.model_files import model_file, trained_or_built_in
from kanji_tui.recognition.recogniser import Recogniser
from kanji_tui.recognition.results import Candidate
from kanji_tui.system.child import Child
from kanji_tui.system.files import read_json, replacing, strict_json, write_text
from kanji_tui.web.paths import CLASSES, MODEL


def write_model(model_path: Path, folder: Path) -> str:
    """Write both files of the model in `model_path`; returns its name.

    An untrained default path is the built-in model. Raises KanjiError if the model cannot be used.
    """
    path = trained_or_built_in(model_path)
    file = model_file(path, ".onnx")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / MODEL
    if path == BUILT_IN and file != path:
        shutil.copyfile(file, target)
    else:
        with Child("kanji_tui.export.web_model:answer_web_model", str(path)) as child:
            if child.wait():
                raise KanjiError(
                    f"{path} cannot be used on the web: {child.exit_reason()}", "kanji-tui export onnx"
                )
            with replacing(target) as beside:
                beside.write_bytes(child.output)
    name = str(BUILT_IN) if path == BUILT_IN else path.name
    write_text(folder / CLASSES, strict_json(describe_classes(Recogniser(target), name)))
    return name


def model_name(folder: Path) -> str:
    """The name of the model in a folder. Raises UsageError where the folder holds none."""
    if not ((folder / MODEL).is_file() and (folder / CLASSES).is_file()):
        raise UsageError(
            f"{folder} has no {MODEL} and {CLASSES}",
            f"write a page there: kanji-tui export web --output-path {folder}",
        )
    model = read_json(folder / CLASSES).get("model")
    name = model.get("name") if isinstance(model, dict) else None
    return name if isinstance(name, str) else MODEL


def describe_classes(recogniser: Recogniser, name: str) -> dict[str, Any]:
    """What classes.json holds.

    `candidates`: [character, JIS code, stroke count or 0, look-alikes, readings] each. `outputs`: the number of the
    candidate of each output. Look-alikes share one, and small and large kana, whose size a drawing does not show.
    """
    card = recogniser.card
    numbers, _ = groups_of(card.classes, card.lookalikes)
    return {
        "version": 1,
        "program": f"kanji-tui {__version__}",
        "model": {
            "name": name,
            "digest": recogniser.digest,
            "network": card.network,
            "source": card.source,
            "license": card.license,
        },
        "image_size": card.size,
        "stroke_extent": stroke_extent(card),
        "stroke_width": DEFAULT_WIDTH,
        "candidates": [_row(candidate) for candidate in all_candidates(card)],
        "outputs": numbers.tolist(),
    }


def stroke_extent(card: ModelCard) -> float:
    """The longer side of a character in the model's images, as a fraction of theirs."""
    return float(card.metrics.get("ink_extent", DEFAULT_EXTENT))


def _row(candidate: Candidate) -> list[Any]:
    jis = character_to_jis(candidate.character)
    count = strokes(jis) if jis is not None else None
    facts = count or 0, "".join(candidate.lookalikes), " ".join(candidate.readings)
    return [candidate.character, candidate.jis, *facts]
