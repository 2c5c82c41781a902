"""A model in ONNX Runtime, ready to say at once what a drawing shows. torch is never loaded here.

What it says of a drawing is what `recognition.predictor` says of the picture saved from it: the input is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.legacy import FORMAT as ORIGINAL
from kanji_tui.engines.sessions import open_session
from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard
from kanji_tui.recognition.candidates import most_probable
from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import PAPER, Stroke, measure_style, render
from kanji_tui.recognition.ink import USUAL_EXTENT, place
from kanji_tui.recognition.results import Candidate

CANDIDATES = 10
MEASURED = 400  # pictures of the dataset that show how thick its strokes are
WITHOUT_MODEL = 64  # pixels a side of the picture shown where no model says otherwise


@dataclass(frozen=True, eq=False)
class LiveModel:
    """An ONNX file opened by ONNX Runtime, on one thread of the CPU."""

    name: str
    card: ModelCard
    session: Any

    def candidates(self, picture: np.ndarray) -> tuple[Candidate, ...]:
        """The ten most probable characters of a picture uint8 (S, S), ink high, most probable first."""
        entry = self.session.get_inputs()[0].name
        logits = self.session.run(None, {entry: picture[None, None].astype(np.float32) / np.float32(255)})[0][0]
        return most_probable(logits, self.card.classes, CANDIDATES)


def open_live(path: Path, name: str = "") -> LiveModel:
    """The exported model in `path`, called `name`; KanjiError where it cannot be run or carries no card."""
    session, card = open_session(path, threads=1)  # one picture is too little work to share
    if card is None:
        raise KanjiError(f"{path} does not say what it was trained on", "export it again: kanji-tui export onnx")
    return LiveModel(name or path.name, card, session)


def find_style(card: ModelCard | None, data_dir: Path) -> StrokeStyle:
    """The stroke style of the images that a model was trained on: measured, where its dataset is in `data_dir`.

    Without a model any dataset there will do, but one of the original scripts: a look at its pictures would convert
    them all first. The extent is the model's own, as `predict` takes it.
    """
    try:
        dataset = open_dataset(data_dir)
    except KanjiError:
        dataset = None
    measured = StrokeStyle()
    if dataset is not None and len(dataset) and dataset.format != ORIGINAL and card_fits(card, dataset.digest):
        some = np.unique(np.linspace(0, len(dataset) - 1, MEASURED).round().astype(int))
        measured = measure_style(dataset.images(some), f"measured in {data_dir}/")
    if card is None:
        return measured
    return StrokeStyle(float(card.metrics.get("ink_extent", USUAL_EXTENT)), measured.pen, measured.source)


def card_fits(card: ModelCard | None, digest: str) -> bool:
    """Whether the dataset with this digest is the one the model was trained on."""
    return card is None or card.split.get("dataset_digest") == digest


def normalise(strokes: Sequence[Stroke], style: StrokeStyle, size: int) -> np.ndarray:
    """The drawing as a model's input, uint8 (size, size), ink high: what `predict` makes of the saved picture."""
    levels = render(strokes, style).astype(np.float32) / np.float32(PAPER)
    return place(np.clip(1 - levels, 0, 1), size, style.extent)
