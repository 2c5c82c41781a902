"""Size by layer: every weight is counted once, in the layer that computes with it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from kanji_tui.engines.graph import module_of
from kanji_tui.export.conversion import INPUT, convert
from kanji_tui.export.quantisation import quantise
from kanji_tui.export.targets import TARGETS
from kanji_tui.export.variants import Variant, make_variant
from kanji_tui.inspection.inspect import inspect_models
from kanji_tui.inspection.probing import Probes
from kanji_tui.inspection.results import InspectedModel, Layer
from kanji_tui.recognition.weights import load_recogniser
from tests.inspection import graphs


@pytest.fixture(autouse=True)
def unprobed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No node is run alone: layers say nothing of it."""
    monkeypatch.setattr("kanji_tui.inspection.support.probe_nodes", lambda *_: Probes())


def inspect(path: Path, report) -> tuple[InspectedModel, dict[str, Layer]]:
    model = inspect_models((path,), report).models[0]
    layers = {layer.name: layer for layer in model.layers}
    assert len(layers) == len(model.layers)
    assert sum(layer.bytes for layer in model.layers) == model.weight_bytes
    assert sum(layer.parameters for layer in model.layers) == model.parameters
    assert sum(layer.macs for layer in model.layers) == model.macs
    return model, layers


def test_only_layers_with_weights_or_macs_are_listed(tmp_path: Path, report) -> None:
    _, layers = inspect(graphs.image_network(tmp_path / "net.onnx"), report)
    assert list(layers) == ["net.stem", "net.head"]
    assert layers["net.stem"].operators == ("Conv", "Relu")
    assert (layers["net.stem"].bytes, layers["net.head"].parameters) == (8 * 9 * 4, 45)


def test_a_quantised_weight_belongs_to_the_layer_that_uses_it(trained, tmp_path: Path, report, monkeypatch) -> None:
    """A quantised weight passes through nodes of its own, which are not layers."""
    monkeypatch.setattr("kanji_tui.engines.engine.LATENCY_RUNS", 3)
    monkeypatch.setattr("kanji_tui.engines.latency.BATCHES", (1,))
    plain = tmp_path / "plain.onnx"
    network, card = load_recogniser(trained.model_path)
    onnx.save(convert(network, card, TARGETS["tract"]), str(plain))
    original, before = inspect(plain, report)
    parameters = original.parameters
    assert {"network.stem.0", "network.body.3.branch.0", "network.classifier"} <= before.keys()
    for kind in ("int8-static", "int8-dynamic"):
        path = tmp_path / f"{kind}.onnx"
        made = make_variant(network, card, TARGETS["tract"], Variant(quantize=kind))
        images = [np.random.default_rng(0).random((8, 1, 32, 32), np.float32)]
        calibration: Any = SimpleNamespace(batches=lambda count, images=images: iter(images))
        onnx.save(quantise(convert(network, card, made.target), kind, INPUT, calibration), str(path))
        quantised, after = inspect(path, report)
        assert quantised.parameters == parameters, "scales and zero points are not parameters, int32 biases are"
        assert before.keys() <= after.keys()
        for name in ("network.stem.0", "network.body.3.branch.0"):
            assert after[name].macs == before[name].macs > 0
            assert before[name].bytes * 0.2 < after[name].bytes < before[name].bytes * 0.5


def test_weights_in_branches_and_constants_are_counted(tmp_path: Path, report) -> None:
    def branch(name: str) -> onnx.GraphProto:
        nodes = [helper.make_node("Add", ["x", f"{name}_w"], [name])]
        return helper.make_graph(nodes, name, [], [graphs.number(name, 4)], [graphs.weight(f"{name}_w", 4)])

    constant = numpy_helper.from_array(numpy_helper.to_array(graphs.weight("constant", 4)), "constant")
    nodes = [
        helper.make_node("Constant", [], ["c"], name="constant", value=constant),
        helper.make_node("Mul", ["x", "c"], ["m"], name="scale"),
        helper.make_node("ReduceSum", ["m", "axes"], ["s"], name="sum", keepdims=0),
        helper.make_node("Greater", ["s", "zero"], ["b"], name="positive"),
        helper.make_node("If", ["b"], ["y"], name="choice", then_branch=branch("a"), else_branch=branch("bb")),
    ]
    zero = helper.make_tensor("zero", onnx.TensorProto.FLOAT, [], [0.0])
    weights = [graphs.whole("axes", [0]), zero]
    path = graphs.save(tmp_path / "if.onnx", nodes, [graphs.number("x", 4)], [graphs.number("y", 4)], weights)
    _, layers = inspect(path, report)
    assert layers["scale"].bytes == 16
    assert layers["choice"].bytes == 32
    assert "constant" not in layers


def test_weights_that_only_branches_read_belong_to_the_if(tmp_path: Path, report) -> None:
    """The weights of both branches are stored in the outer graph."""
    model, layers = inspect(graphs.if_with_outer_weights(tmp_path / "if.onnx"), report)
    assert model.parameters == 64
    assert (layers["choice"].parameters, layers["choice"].bytes) == (64, 256)
    assert {node.name: node.parameters for node in model.nodes} == {"sum": 0, "positive": 0, "choice": 64}


def test_a_weight_that_a_loop_reads_belongs_to_the_loop(tmp_path: Path, report) -> None:
    """Also a weight that an If inside the loop reads, and one that is stored inside."""
    model, layers = inspect(graphs.loop_with_outer_weights(tmp_path / "loop.onnx"), report)
    assert model.parameters == layers["repeat"].parameters == 16 + 4 + 4
    assert model.backends["onnxruntime"].runs is True


def test_weights_that_no_node_reads_are_in_no_layer(tmp_path: Path, report) -> None:
    """As the queue that Caffe2 left in the ResNet-50 of onnx's test data; the layers add up all the same."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")]
    weights = [graphs.weight("w", 4, 5), graphs.weight("left over", 3)]
    path = graphs.save(tmp_path / "m.onnx", nodes, [graphs.number("x", 1, 4)], [graphs.number("y", 1, 5)], weights)
    _, layers = inspect(path, report)
    assert list(layers) == ["product", "(in no layer)"]
    assert (layers["(in no layer)"].parameters, layers["(in no layer)"].operators) == (3, ())


def test_weights_in_the_attributes_of_a_node_belong_to_it(tmp_path: Path, report) -> None:
    table = graphs.weight("table", 3)
    nodes = [
        helper.make_node("Custom", ["x"], ["a"], name="custom", domain="com.example", table=table),
        helper.make_node("Relu", ["a"], ["y"], name="relu"),
    ]
    path = graphs.save(
        tmp_path / "m.onnx", nodes, [graphs.number("x", 3)], [graphs.number("y", 3)], domains={"com.example": 1}
    )
    model, layers = inspect(path, report)
    assert layers["custom"].parameters == model.nodes[0].parameters == 3
    assert model.nodes[1].parameters == 0


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("/network/body/body.3/branch/branch.0/Conv", "network.body.3.branch.0"),
        ("/network/body/body.3/Add", "network.body.3"),
        ("/network/Flatten", "network"),
        ("/Flatten", ""),
        ("conv1", ""),
    ],
)
def test_the_module_is_read_from_the_node_name(name: str, module: str) -> None:
    assert module_of(helper.make_node("Relu", ["x"], ["y"], name=name)) == module
