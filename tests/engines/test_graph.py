"""Counting of parameters, and detection of pooling."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper

from kanji_tui.engines.graph import describe_nodes, find_pooling, infer_shapes, show_attribute
from kanji_tui.engines.loading import load_onnx
from kanji_tui.engines.weights import count_parameters
from tests.inspection.graphs import number, save, whole


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
