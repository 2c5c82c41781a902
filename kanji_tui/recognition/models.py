"""Opens models from files: the weights and their card. Opening one never runs code from the file.

    .pth           bare state dict; its card is in best_model_info.json beside it
    .safetensors   card as JSON in the metadata key `card`
    .onnx          card as JSON in the metadata key `card`; run by ONNX Runtime

Without a card, 3,036 outputs are taken as all classes of ETL9G in order, inputs 0-1; anything else is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kanji_tui.characters.classes import etl9g_classes
from kanji_tui.engines.sessions import open_session
from kanji_tui.errors import KanjiError, UsageError, first_line
from kanji_tui.networks.card import ModelCard, all_classes_card
from kanji_tui.networks.devices import in_halves
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.networks.registry import NETWORKS, build, identify_by_keys
from kanji_tui.networks.tensor_files import load_tensors
from kanji_tui.paths import MODEL_INFO
from kanji_tui.system.files import parsing, read_json, sha256

BATCH = 512  # images per forward pass
ANOTHER = "give another model file, or train one: kanji-tui train"


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
    recogniser: Recogniser | None = None

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


def open_model(path: Path) -> Model:
    """The model in a .pth, .safetensors or .onnx file, on the CPU. Raises KanjiError if it cannot be used."""
    path = _existing(path)
    digest = sha256(path)
    if path.suffix == ".onnx":
        card, has_card, run = _open_onnx(path)
        return Model(path, card, digest, has_card, run)
    recogniser, card, has_card = _load(path)
    return Model(path, card, digest, has_card, _torch_run(recogniser), recogniser)


def load_recogniser(path: Path) -> tuple[Recogniser, ModelCard]:
    """The network in a .pth or .safetensors file, with normalisation, in eval mode on the CPU; and its card.

    Raises KanjiError if the file is missing, damaged, or holds no model of this program.
    """
    recogniser, card, _ = _load(_existing(path))
    return recogniser, card


def _load(path: Path) -> tuple[Recogniser, ModelCard, bool]:
    if path.suffix == ".safetensors":
        weights, card = _read_safetensors(path)
    elif path.suffix == ".onnx":
        raise KanjiError(
            f"{path} is an ONNX file; a file with weights is needed", "give the .pth file it was exported from"
        )
    else:
        weights, card = _read_weights(path), _card_beside(path)
    has_card = card is not None
    if card is None:
        card = _guessed_card(weights, path)
    try:
        with torch.device("meta"):  # takes no memory: the card may say more than the file holds
            build(card.network, len(card.classes), card.size).load_state_dict(weights, assign=True)
        network = build(card.network, len(card.classes), card.size)
        network.load_state_dict(weights)
    except (UsageError, RuntimeError) as error:
        reason = first_line(error)
        raise KanjiError(f"the weights in {path} do not fit the model's card: {reason}", ANOTHER) from None
    return Recogniser(network, card.mean, card.std).eval(), card, has_card


def _existing(path: Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise KanjiError(f"there is no model {path}", "train one: kanji-tui train, or name it: --model-path FILE")
    return path


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    content = load_tensors(path, "weights", ANOTHER)
    if (
        not isinstance(content, dict)
        or not all(isinstance(name, str) for name in content)
        or not all(isinstance(value, torch.Tensor) for value in content.values())
    ):
        raise KanjiError(f"{path} is not a bare state dict", "give a best_kanji_model.pth")
    return content


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], ModelCard | None]:
    from safetensors import safe_open

    with parsing(path, "safetensors", ANOTHER), safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    return weights, ModelCard.from_metadata(metadata, str(path))


def _card_beside(path: Path) -> ModelCard | None:
    """The card in the info file of this model: the one with the same suffix, or best_model_info.json if it fits."""
    own = path.with_name(f"{path.stem.replace('best_kanji_model', 'best_model_info')}.json")
    for info in dict.fromkeys((own, path.with_name(MODEL_INFO))):
        if not info.is_file():
            continue
        value = read_json(info)
        if "network" in value and _is_about(value, path):
            return ModelCard.from_json(value, str(info))
    return None


def _is_about(info: dict[str, Any], path: Path) -> bool:
    digest = info.get("weights_sha256")
    return digest is None or digest == sha256(path)


def _guessed_card(weights: dict[str, torch.Tensor], path: Path) -> ModelCard:
    network = identify_by_keys(weights)
    if network is None:
        raise KanjiError(f"the weights in {path} fit no network of this program", ANOTHER)
    last = list(weights.values())[-1]
    return _all_classes(network, len(last) if last.ndim else 1, 64, path)


def _all_classes(network: str, outputs: int, size: int, path: Path) -> ModelCard:
    if outputs != len(etl9g_classes()):
        raise KanjiError(
            f"{path} has no model card, so its {outputs} classes and its image size are unknown",
            f"put the {MODEL_INFO} that was written with it into the same folder",
        )
    return all_classes_card(network, size)


def _torch_run(recogniser: Recogniser) -> Callable[[np.ndarray], np.ndarray]:
    def run(inputs: np.ndarray) -> np.ndarray:
        device = next(recogniser.parameters()).device
        with torch.inference_mode():
            logits = in_halves(lambda images: recogniser(images.to(device)).cpu(), torch.from_numpy(inputs))
        found: np.ndarray = logits.numpy()
        return found

    return run


def _open_onnx(path: Path) -> tuple[ModelCard, bool, Callable[[np.ndarray], np.ndarray]]:
    session, card = open_session(path)
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or len(outputs[0].shape) != 2:
        raise KanjiError(f"{path} is not a recogniser: its input must be one image, its output logits", ANOTHER)
    name, (batch, _, size, _) = inputs[0].name, inputs[0].shape
    classes = outputs[0].shape[1]
    if card is None and not (isinstance(classes, int) and isinstance(size, int)):
        raise KanjiError(f"{path} has no model card, and its size or its number of classes is not fixed", ANOTHER)
    found = card or _all_classes("unknown", classes, size, path)

    def run(images: np.ndarray) -> np.ndarray:
        step = batch if isinstance(batch, int) else len(images)
        batches = [session.run(None, {name: images[i : i + step]})[0] for i in range(0, len(images), step)]
        return np.concatenate(batches)

    return found, card is not None, run
