"""Opens files with weights as torch modules. Opening one never runs code from the file."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from kanji_tui.errors import KanjiError, UsageError, first_line
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.devices import in_halves
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.networks.registry import build, identify_by_keys
from kanji_tui.networks.tensor_files import load_tensors
from kanji_tui.paths import BUILT_IN, MODEL_INFO
from kanji_tui.recognition.model_files import ANOTHER, all_classes, model_file
from kanji_tui.system.files import parsing, read_json, sha256


def load_recogniser(path: Path) -> tuple[Recogniser, ModelCard]:
    """The network in a .pth or .safetensors file, with normalisation, in eval mode on the CPU; and its card.

    Raises KanjiError if the file is missing, damaged, or holds no model of this program.
    """
    recogniser, card, _ = load(model_file(path, ".safetensors"))
    return recogniser, card


def load(path: Path) -> tuple[Recogniser, ModelCard, bool]:
    """`load_recogniser` for an existing file, and whether the card was in or beside it."""
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
        with torch.device("meta"), _Unfilled():  # takes no memory: the card may say more than the file holds
            build(card.network, len(card.classes), card.size).load_state_dict(weights, assign=True)
        network = build(card.network, len(card.classes), card.size)
        network.load_state_dict(weights)
    except (UsageError, RuntimeError) as error:
        reason = first_line(error)
        raise KanjiError(f"the weights in {path} do not fit the model's card: {reason}", ANOTHER) from None
    return Recogniser(network, card.mean, card.std).eval(), card, has_card


def built_in_card() -> ModelCard:
    """The card of the built-in model, without reading its weights."""
    from safetensors import safe_open

    path = model_file(BUILT_IN, ".safetensors")
    with parsing(path, "safetensors", ANOTHER), safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    card = ModelCard.from_metadata(metadata, str(path))
    assert card is not None, "the program's own file has one"
    return card


class _Unfilled(TorchFunctionMode):
    """Within it no tensor is filled with normal random numbers: on meta torch loads its compiler for it, 1.5 s."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.__name__ == "normal_":  # of torch.Tensor, and of nn.init, which names its argument
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


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
    return all_classes(network, len(last) if last.ndim else 1, 64, path)


def run_recogniser(recogniser: Recogniser, inputs: np.ndarray) -> np.ndarray:
    """Images float32 (N, 1, S, S), 0-1, to logits float32 (N, C), on the recogniser's own device."""
    device = next(recogniser.parameters()).device
    with torch.inference_mode():
        logits = in_halves(lambda images: recogniser(images.to(device)).cpu(), torch.from_numpy(inputs))
    found: np.ndarray = logits.numpy()
    return found
