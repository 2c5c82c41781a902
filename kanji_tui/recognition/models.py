"""Opens models from files: the weights and their card. Opening one never runs code from the file.

    .pth           bare state dict; its card is in best_model_info.json beside it
    .safetensors   card as JSON in the metadata key `card`
    .onnx          card as JSON in the metadata key `card`; run by ONNX Runtime

Without a card, 3,036 outputs are taken as all classes of ETL9G in order, inputs 0-1; anything else is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kanji_tui.engines.sessions import open_session
from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.recognition.model_files import ANOTHER, all_classes, model_file
from kanji_tui.system.files import sha256

if TYPE_CHECKING:
    from kanji_tui.networks.recogniser import Recogniser

BATCH = 512  # images per forward pass


@dataclass(frozen=True, eq=False)
class Model:
    """A model ready to run. `digest`: SHA-256 of the file, hexadecimal. `has_card`: its card was in or beside it.

    `run`: images float32 (N, 1, S, S), 0-1, to logits float32 (N, C). `recogniser`: the torch module that computes
    them, on its own device; None for ONNX.
    """

    path: Path
    card: ModelCard
    digest: str
    has_card: bool
    run: Callable[[np.ndarray], np.ndarray]
    recogniser: "Recogniser | None" = None

    def logits(self, images: np.ndarray) -> np.ndarray:
        """uint8 (N, S, S), ink high, to float32 (N, C)."""
        inputs = np.asarray(images, dtype=np.uint8)[:, None].astype(np.float32) / np.float32(255)
        batches = [self.run(inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
        return np.concatenate(batches) if batches else np.empty((0, len(self.card.classes)), np.float32)

    @property
    def warning(self) -> str:
        """A warning about this model's results; "" for most models."""
        known = NETWORKS.get(self.card.network)
        if self.has_card or known is None or not known.expects_blur:
            return ""
        return (
            f"{self.path.name} seems a model of the original scripts: it was trained on their blurred images, "
            "and is less accurate on the sharp images of this dataset"
        )


def open_model(path: Path, threads: int = 0) -> Model:
    """The model in a .pth, .safetensors or .onnx file, on the CPU. Raises KanjiError if it cannot be used.

    Torch is loaded for the files with weights alone. `threads`: of ONNX Runtime; 0: it chooses.
    """
    file = model_file(path, ".onnx")
    digest = sha256(file)
    if file.suffix == ".onnx":
        card, has_card, run = _open_onnx(file, threads)
        return Model(path, card, digest, has_card, run)
    from kanji_tui.recognition.weights import load, run_recogniser

    recogniser, card, has_card = load(file)
    return Model(path, card, digest, has_card, partial(run_recogniser, recogniser), recogniser)


def _open_onnx(path: Path, threads: int) -> tuple[ModelCard, bool, Callable[[np.ndarray], np.ndarray]]:
    session, card = open_session(path, threads)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or len(outputs[0].shape) != 2:
        raise KanjiError(f"{path} is not a recogniser: its input must be one image, its output logits", ANOTHER)
    name, (batch, _, size, _) = inputs[0].name, inputs[0].shape
    classes = outputs[0].shape[1]
    if card is None and not (isinstance(classes, int) and isinstance(size, int)):
        raise KanjiError(f"{path} has no model card, and its size or its number of classes is not fixed", ANOTHER)
    found = card or all_classes("unknown", classes, size, path)

    def run(images: np.ndarray) -> np.ndarray:
        step = batch if isinstance(batch, int) else len(images)
        batches = [session.run(None, {name: images[i : i + step]})[0] for i in range(0, len(images), step)]
        return np.concatenate(batches)

    return found, card is not None, run
