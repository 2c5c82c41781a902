"""Multiply-accumulates of nodes, of the graphs inside them too."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from kanji_tui.engines.graph import describe_nodes, with_shapes
from kanji_tui.engines.loading import load_onnx
from kanji_tui.engines.results import Node
from kanji_tui.engines.shapes import known_shapes
from tests.inspection import graphs
from tests.inspection.graphs import number, save, weight, whole


def nodes_of(path: Path) -> dict[str, Node]:
    model = with_shapes(load_onnx(path), {"batch": 1})
    return {node.name: node for node in describe_nodes(model, known_shapes(model.graph))}


def only_node(path: Path) -> Node:
    return next(iter(nodes_of(path).values()))


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
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], domain="com.example")]
    foreign = save(
        tmp_path / "f.onnx",
        nodes,
        [number("x", 2, 3)],
        [number("y", 2, 4)],
        [weight("w", 3, 4)],
        domains={"com.example": 1},
    )
    assert only_node(foreign).macs is None


def test_an_if_has_those_of_its_costlier_branch(tmp_path: Path) -> None:
    assert nodes_of(graphs.if_with_outer_weights(tmp_path / "same.onnx"))["choice"].macs == 8 * 4
    then = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["a"])], "then", [], [number("a", 1, 4)])
    twice = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("MatMul", ["m", "v"], ["b"])]
    other = helper.make_graph(twice, "else", [], [number("b", 1, 4)])
    flag = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
    nodes = [helper.make_node("If", ["c"], ["y"], name="choice", then_branch=then, else_branch=other)]
    weights = [weight("w", 8, 4), weight("v", 4, 4)]
    path = save(tmp_path / "if.onnx", nodes, [flag, number("x", 1, 8)], [number("y", 1, 4)], weights)
    assert nodes_of(path)["choice"].macs == 8 * 4 + 4 * 4


def looped(path: Path, times: int | None = 5, condition: str = "", goes_on: str = "go") -> Path:
    """A loop over x [1, 4] with a matrix product in its body; `goes_on`: what its condition becomes."""
    flag, count = (helper.make_tensor_value_info(name, kind, []) for name, kind in (("go", 9), ("i", 7)))
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["v", "w"], ["n"]),
            helper.make_node("Greater", ["i", "limit"], ["soon"]),
            helper.make_node("Identity", [goes_on], ["on"]),
        ],
        "body",
        [count, flag, number("v", 1, 4)],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), number("n", 1, 4)],
        [whole("limit", [3])],
    )
    trips = "times" if times is not None else ""
    nodes = [helper.make_node("Loop", [trips, condition, "x"], ["y"], name="repeat", body=body)]
    weights = [weight("w", 4, 4), numpy_helper.from_array(np.array(times or 0, np.int64), "times")]
    weights += [numpy_helper.from_array(np.array(value), name) for name, value in (("yes", True), ("no", False))]
    return save(path, nodes, [number("x", 1, 4)], [number("y", 1, 4)], weights)


@pytest.mark.parametrize(
    ("settings", "macs"),
    [
        ({}, 5 * 16),
        ({"times": 0}, 0),
        ({"condition": "yes"}, 5 * 16),
        ({"goes_on": "yes"}, 5 * 16),
        ({"condition": "no"}, None),
        ({"goes_on": "soon"}, None),
        ({"times": None, "condition": "yes"}, None),
    ],
)
def test_a_loop_has_those_of_all_iterations_if_their_number_is_known(
    tmp_path: Path, settings: dict, macs: int | None
) -> None:
    assert nodes_of(looped(tmp_path / "loop.onnx", **settings))["repeat"].macs == macs


def test_an_if_inside_a_loop_is_counted_in_each_iteration(tmp_path: Path) -> None:
    assert nodes_of(graphs.loop_with_outer_weights(tmp_path / "loop.onnx"))["repeat"].macs == 2 * 16


@pytest.mark.parametrize("axis", [0, 1])
def test_a_scan_runs_once_for_each_of_the_scanned_slices(tmp_path: Path, axis: int) -> None:
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["v", "w"], ["m"]),
            helper.make_node("Add", ["m", "slice"], ["n"]),
            helper.make_node("Identity", ["n"], ["o"]),
        ],
        "body",
        [number("v", 1, 4), number("slice", 4)],
        [number("n", 1, 4), number("o", 1, 4)],
    )
    shape = [7, 4] if axis == 0 else [4, 7]
    nodes = [
        helper.make_node(
            "Scan", ["x", "s"], ["y", "z"], name="scan", body=body, num_scan_inputs=1, scan_input_axes=[axis]
        )
    ]
    outputs = [number("y", 1, 4), onnx.ValueInfoProto(name="z")]
    path = save(
        tmp_path / "scan.onnx", nodes, [number("x", 1, 4), number("s", *shape)], outputs, [weight("w", 4, 4)]
    )
    assert nodes_of(path)["scan"].macs == 7 * 16
