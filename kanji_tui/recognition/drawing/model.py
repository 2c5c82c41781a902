"""A model opened by ONNX Runtime to recognise drawings at once, without loading torch.

It predicts what `recognition.predictor` predicts for the image saved from a drawing, because its input is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.legacy import FORMAT as LEGACY
from kanji_tui.engines.sessions import open_session
from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard
from kanji_tui.recognition.candidates import most_probable
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import PAPER, Stroke, measure_style, render
from kanji_tui.recognition.ink import DEFAULT_EXTENT, fit_to_frame
from kanji_tui.recognition.results import Candidate
from kanji_tui.system.files import sha256

CANDIDATES = 10
MEASURED = 400  # images of the dataset in which the stroke width is measured
DEFAULT_SIZE = 64  # image side without a model


@dataclass(frozen=True, eq=False)
class DrawingModel:
    """An ONNX file opened by ONNX Runtime, on one thread of the CPU. `digest`: its SHA-256; empty for a file that
    is the user's in no folder: the built-in model, or a temporary one.
    """

    name: str
    card: ModelCard
    session: Any
    digest: str = ""

    def candidates(self, image: np.ndarray) -> tuple[Candidate, ...]:
        """The ten most probable characters of an image uint8 (S, S), ink high, most probable first."""
        name = self.session.get_inputs()[0].name
        logits = self.session.run(None, {name: image[None, None].astype(np.float32) / np.float32(255)})[0][0]
        return most_probable(logits, self.card, CANDIDATES)


def open_drawing_model(path: Path, name: str = "") -> DrawingModel:
    """The exported model in `path`, called `name`. Raises KanjiError if it cannot be run or has no card."""
    session, card = open_session(path, threads=1)  # one image is too little work for several threads
    if card is None:
        raise KanjiError(f"{path} has no model card", "export it again: kanji-tui export onnx")
    return DrawingModel(name or path.name, card, session, "" if name else sha256(path))


def find_style(card: ModelCard | None, data_dir: Path) -> StrokeStyle:
    """The stroke style of the images that a model was trained on: measured if its dataset is in `data_dir`.

    Without a model any dataset is measured, except one of the legacy format, whose images would all have to be
    converted first. The extent is that of the model's card, as in `predict`.
    """
    try:
        dataset = open_dataset(data_dir)
    except KanjiError:
        dataset = None
    measured = StrokeStyle()
    if dataset is not None and len(dataset) and dataset.format != LEGACY and card_fits(card, dataset.digest):
        numbers = np.unique(np.linspace(0, len(dataset) - 1, MEASURED).round().astype(int))
        measured = measure_style(dataset.images(numbers), f"measured in {data_dir}/")
    if card is None:
        return measured
    return StrokeStyle(float(card.metrics.get("ink_extent", DEFAULT_EXTENT)), measured.width, measured.source)


def card_fits(card: ModelCard | None, digest: str) -> bool:
    """Whether the dataset with this digest is the one the model was trained on."""
    return card is None or card.split.get("dataset_digest") == digest


def normalise(strokes: Sequence[Stroke], style: StrokeStyle, size: int) -> np.ndarray:
    """The drawing as a model's input, uint8 (size, size), ink high; `predict` makes the same of the saved image."""
    levels = render(strokes, style).astype(np.float32) / np.float32(PAPER)
    return fit_to_frame(np.clip(1 - levels, 0, 1), size, style.extent)
