"""Writes the two files of the built-in model: built_in.safetensors and built_in.onnx, of the same weights.

It learned all characters equally often; in Japanese text they are not. The bias of each output tells how often its
characters are expected: where a shape could be ら or 5, や or ヤ, the hiragana is the likelier reading.

Both hold the weights in half precision; no operator computes in it.
"""

from dataclasses import replace
from pathlib import Path

import torch

from kanji_tui.characters.character_sets import CAPITALS, DIGITS, LETTERS
from kanji_tui.characters.jis import script
from kanji_tui.export.conversion import convert
from kanji_tui.export.half_weights import LARGE, halve_weights
from kanji_tui.export.safetensors_export import describe, write_tensors
from kanji_tui.export.targets import find_target
from kanji_tui.recognition.model_files import built_in
from kanji_tui.recognition.weights import load_recogniser
from kanji_tui.system.files import replacing

NAME = "built-in"
# How often a character is expected, by its script; a digit or Latin letter. Round numbers, in the order of text.
EXPECTED = {"hiragana": 2.0, "kanji": 1.0, "symbol": 1.0, "katakana": 0.5}
EXPECTED_LATIN = 0.125


def write_built_in(model_path: Path) -> tuple[Path, Path]:
    """Write both files of the model in `model_path` into the package; returns their paths."""
    recogniser, card = load_recogniser(model_path)
    card = replace(card, dataset=NAME, split={})
    with torch.no_grad():
        *_, bias = recogniser.network.parameters()
        bias += torch.tensor([_expected(jis) for jis in card.classes]).log()
        for parameter in recogniser.parameters():
            parameter.copy_(_halved(parameter).float())
    tensors = {name: _halved(tensor).contiguous() for name, tensor in recogniser.network.state_dict().items()}
    weights, graph = built_in(".safetensors"), built_in(".onnx")
    weights.parent.mkdir(exist_ok=True)
    with replacing(weights) as beside:
        write_tensors(beside, tensors, describe(card))
    model = halve_weights(convert(recogniser, card, find_target("tract")))
    with replacing(graph) as beside:
        beside.write_bytes(model.SerializeToString())
    return weights, graph


def _expected(jis: int) -> float:
    """How often a character is expected, a kanji once."""
    return EXPECTED_LATIN if any(jis in codes for codes in (DIGITS, CAPITALS, LETTERS)) else EXPECTED[script(jis)]


def _halved(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.half() if tensor.is_floating_point() and tensor.numel() >= LARGE else tensor
