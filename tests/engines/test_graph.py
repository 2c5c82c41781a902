"""Counting of parameters and MACs, and detection of pooling."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from kanji_tui.engines.graph import describe_nodes, find_pooling, infer_shapes, show_attribute
from kanji_tui.engines.loading import load_onnx
from kanji_tui.engines.results import Node
from kanji_tui.engines.weights import count_parameters
from tests.inspection.graphs import number, save, weight, whole


def only_node(path: Path) -> Node:
    model = load_onnx(path)
    return describe_nodes(model, infer_shapes(model, {"batch": 1}))[0]


@pytest.mark.parametrize(
    ("node", "inputs", "weights", "macs"),
    [
        (("Conv", {"group": 4}), (2, 4, 8, 8), [(8, 1, 3, 3)], 2 * 8 * 6 * 6 * 9),
        (("ConvTranspose", {"strides": [2, 2]}), (1, 4, 5, 5), [(4, 6, 2, 2)], 4 * 25 * 6 * 4),
        (("Gemm", {"transA": 1}), (7, 3), [(7, 5)], 3 * 5 * 7),
        (("MatMul", {}), (2, 3, 4), [(4, 5)], 2 * 3 * 5 * 4),
        (("LSTM", {"hidden_size": 2}), (6, 3, 5), [(1, 8, 5), (1, 8, 2)], 6 * 3 * (8 * 5 + 8 * 2)),
        (("Relu", {}), (2, 3), [], 0),
    ],
)
def test_macs(tmp_path: Path, node: tuple, inputs: tuple, weights: list, macs: int) -> None:
    operator, attributes = node
    names = [f"w{index}" for index in range(len(weights))]
    made = helper.make_node(operator, ["x", *names], ["y"], **attributes)
    tensors = [weight(name, *shape) for name, shape in zip(names, weights, strict=True)]
    path = save(tmp_path / "m.onnx", [made], [number("x", *inputs)], [onnx.ValueInfoProto(name="y")], tensors)
    found = only_node(path)
    assert found.macs == macs
    assert found.parameters == sum(int(np.prod(shape)) for shape in weights)


def test_macs_are_none_if_a_size_or_the_operator_is_unknown(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
    path = save(
        tmp_path / "m.onnx",
        nodes,
        [number("x", 1, 1, "h", 8)],
        [number("y", 1, 2, "k", 6)],
        [weight("w", 2, 1, 3, 3)],
    )
    assert only_node(path).macs is None
    nodes = [helper.make_node("Einsum", ["x"], ["y"], equation="ij->i")]
    assert only_node(save(tmp_path / "e.onnx", nodes, [number("x", 2, 3)], [number("y", 2)])).macs is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_file_has_as_many_parameters_as_the_network(tmp_path: Path) -> None:
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 5)
    )
    torch.onnx.export(network, (torch.zeros(1, 1, 8, 8),), str(tmp_path / "m.onnx"), dynamo=False, opset_version=17)
    model = load_onnx(tmp_path / "m.onnx")
    assert count_parameters(model) == sum(parameter.numel() for parameter in network.parameters())


def test_a_mean_over_both_image_axes_counts_as_pooling(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["m"], name="mean", keepdims=1),
        helper.make_node("ReduceMean", ["m", "other"], ["y"], name="over channels"),
        helper.make_node("MaxPool", ["x"], ["z"], name="window", kernel_shape=[2, 3]),
    ]
    path = save(
        tmp_path / "m.onnx",
        nodes,
        [number("x", 1, 3, 8, 9)],
        [onnx.ValueInfoProto(name="y"), onnx.ValueInfoProto(name="z")],
        [whole("axes", [-1, 2]), whole("other", [1])],
        opset=18,
    )
    model = load_onnx(path)
    pools = find_pooling(model, describe_nodes(model, infer_shapes(model, {})))
    assert [(pool.node, pool.window) for pool in pools] == [("mean", "whole image"), ("window", "2x3")]


def test_attributes_are_shown_in_at_most_80_characters() -> None:
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [], [])
    tensor = numpy_helper.from_array(np.zeros((3, 4), np.float32))
    assert show_attribute(helper.make_attribute("a", graph)) == "graph of 1 nodes"
    assert show_attribute(helper.make_attribute("a", tensor)) == "float (3, 4)"
    assert show_attribute(helper.make_attribute("a", 1e-5)) == "1e-05"
    assert len(show_attribute(helper.make_attribute("a", list(range(99))))) == 80
