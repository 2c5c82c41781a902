"""Writes the two files of the built-in model: built_in.safetensors and built_in.onnx, of the same weights.

It learned all characters equally often; in Japanese text they are not. The bias of each output tells how often its
characters are expected: where a shape could be ら or 5, や or ヤ, the hiragana is the likelier reading.

Both hold the weights in half precision. The ONNX file casts them to float32 at its start, which ONNX Runtime and
tract do once when they open it: no operator computes in half precision.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from kanji_tui.characters.character_sets import CAPITALS, DIGITS, LETTERS
from kanji_tui.characters.jis import script
from kanji_tui.export.conversion import convert
from kanji_tui.export.safetensors_export import describe, write_tensors
from kanji_tui.export.targets import find_target
from kanji_tui.recognition.model_files import built_in
from kanji_tui.recognition.weights import load_recogniser
from kanji_tui.system.files import replacing

LARGE = 1024  # elements: smaller tensors, BatchNorm's among them, stay float32
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


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its large float32 weights stored as float16, each followed by a Cast to float32."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type == TensorProto.FLOAT and values.size >= LARGE:
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            casts.append(helper.make_node("Cast", [weight.name], [name], f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return model
