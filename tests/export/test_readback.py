"""A file that lacks a property of its target is refused, and the property named."""

import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import helper

from kanji_tui.errors import KanjiError
from kanji_tui.export.conversion import convert
from kanji_tui.export.readback import read_back
from kanji_tui.export.targets import TARGETS
from kanji_tui.networks import registry
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser

CARD = ModelCard("kanjinet", (0x2422, 0x3021, 0x4544), 48, mean=0.1, std=0.3)


@pytest.fixture(scope="module")
def strict() -> onnx.ModelProto:
    recogniser = Recogniser(registry.build("kanjinet", 3, 48), CARD.mean, CARD.std).eval()
    return convert(recogniser, CARD, TARGETS["strict"])


def copy(model: onnx.ModelProto) -> onnx.ModelProto:
    other = onnx.ModelProto()
    other.CopyFrom(model)
    return other


def older_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 12


def another_domain(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def free_batch(model: onnx.ModelProto) -> None:
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"


def local_path(model: onnx.ModelProto) -> None:
    model.graph.node[3].doc_string = "File /home/someone/kanji/network.py, line 12"


def other_card(model: onnx.ModelProto) -> None:
    card = json.dumps({**CARD.to_json(), "network": "v1"})
    next(entry for entry in model.metadata_props if entry.key == "card").value = card


def global_pool(model: onnx.ModelProto) -> None:
    pool = next(node for node in model.graph.node if node.op_type == "AveragePool")
    pool.CopyFrom(helper.make_node("GlobalAveragePool", pool.input, pool.output, pool.name))


def missing_node(model: onnx.ModelProto) -> None:
    del model.graph.node[5]


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        (older_opset, "not opset 11"),
        (another_domain, "not opset 11"),
        (free_batch, "its inputs and outputs are"),
        (local_path, "a local path: /home/"),
        (other_card, "its card is not"),
        (global_pool, "has a global pooling node"),
        (missing_node, "checker rejects"),
    ],
)
def test_a_missing_property_is_named(strict, tmp_path: Path, breaks: Callable, message: str) -> None:
    model = copy(strict)
    breaks(model)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(KanjiError, match=message):
        read_back(path, TARGETS["strict"], CARD)


def test_external_data_is_refused(strict, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    onnx.save_model(copy(strict), str(path), save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(KanjiError, match=r"in another file: weights\.bin"):
        read_back(path, TARGETS["strict"], CARD)


@pytest.mark.parametrize("size", [32, 50, 96])
@pytest.mark.parametrize("network", ["kanjinet", "v2.1"])
def test_the_windows_fit_every_image_size(tmp_path: Path, size: int, network: str) -> None:
    card = ModelCard(network, CARD.classes, size)
    recogniser = Recogniser(registry.build(network, 3, size)).eval()
    path = tmp_path / "model.onnx"
    path.write_bytes(convert(recogniser, card, TARGETS["ort-tract"]).SerializeToString())
    for pool in read_back(path, TARGETS["ort-tract"], card):
        assert pool.operator == "AveragePool"
        assert pool.input_shape is not None
        assert pool.window == "x".join(map(str, pool.input_shape[2:]))
