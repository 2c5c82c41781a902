"""Which tensors of a file are parameters, how many bytes they have, and which node computes with them."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from kanji_tui.engines.graph import describe_nodes, infer_shapes
from kanji_tui.engines.loading import load_onnx
from kanji_tui.engines.weights import count_parameters, weight_bytes
from tests.inspection.graphs import number, save, weight, whole

node = helper.make_node


def model_of(path: Path, nodes, weights, opset: int = 21, **inputs: tuple) -> onnx.ModelProto:
    """A model whose last node gives its output."""
    given = [number(name, *shape) for name, shape in inputs.items()]
    out = [onnx.ValueInfoProto(name=nodes[-1].output[0])]
    return load_onnx(save(path / "m.onnx", nodes, given, out, weights, opset=opset))


def scalar(name: str, value: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, np.float32), name)


def test_a_bias_of_one_element_is_counted_and_a_constant_of_a_formula_is_not(tmp_path: Path) -> None:
    nodes = [node("Gemm", ["x", "w", "b"], ["g"]), node("Mul", ["g", "half"], ["y"])]
    model = model_of(tmp_path, nodes, [weight("w", 8, 1), weight("b", 1), scalar("half", 0.5)], x=(1, 8))
    assert count_parameters(model) == 9
    assert [found.parameters for found in describe_nodes(model, {})] == [9, 0]
    assert weight_bytes(model) == 4 * 10


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("FLOAT8E4M3FN", 12),
        ("FLOAT8E5M2", 12),
        ("BFLOAT16", 24),
        ("FLOAT16", 24),
        ("DOUBLE", 96),
        ("INT8", 12),
        ("INT4", 6),
        ("UINT4", 6),
    ],
)
def test_weights_of_all_types_are_counted(tmp_path: Path, kind: str, size: int) -> None:
    tensor = helper.make_tensor("w", TensorProto.DataType.Value(kind), [3, 4], [1.0] * 12)
    model = model_of(tmp_path, [node("Cast", ["w"], ["y"], to=TensorProto.FLOAT)], [tensor])
    assert count_parameters(model) == 12
    assert weight_bytes(model) == size


def test_indices_and_shapes_are_not_parameters(tmp_path: Path) -> None:
    model = model_of(tmp_path, [node("Reshape", ["x", "shape"], ["y"])], [whole("shape", [2, 2])], x=(4,))
    assert (count_parameters(model), weight_bytes(model)) == (0, 16)


@pytest.mark.parametrize("rows", [False, True])
def test_a_sparse_weight_has_as_many_parameters_as_values(tmp_path: Path, rows: bool) -> None:
    values = numpy_helper.from_array(np.array([1.0, 2.0, 3.0], np.float32), "w")
    indices = whole("i", [0, 5, 11])
    if rows:
        indices = numpy_helper.from_array(np.array([[0, 0], [1, 2], [3, 2]]), "i")
    path = save(tmp_path / "m.onnx", [node("MatMul", ["x", "w"], ["y"])], [number("x", 1, 4)], [number("y", 1, 3)])
    model = onnx.load(str(path))
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4, 3]))
    onnx.save(model, str(path))
    model = load_onnx(path)
    (only,) = describe_nodes(model, infer_shapes(model, {}))
    assert count_parameters(model) == only.parameters == 3
    assert weight_bytes(model) == 3 * 4 + (48 if rows else 24)
    assert only.macs == 4 * 3


def test_scales_of_resize_and_other_settings_are_not_parameters(tmp_path: Path) -> None:
    """Alone, joined by nodes, and as the value of a Constant."""
    ones = numpy_helper.from_array(np.ones(2, np.float32), "ones")
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("Resize", ["c", "", "scales"], ["r"]),
        node("Constant", [], ["two"], value=numpy_helper.from_array(np.full(2, 2, np.float32))),
        node("Concat", ["ones", "two"], ["more"], axis=0),
        node("Resize", ["r", "", "more"], ["s"]),
        node("ConstantOfShape", ["shape"], ["fill"], value=numpy_helper.from_array(np.ones(1, np.float32))),
        node("Mul", ["s", "fill"], ["m"]),
        node("QuantizeLinear", ["m", "factors", "zeros"], ["q"], axis=1),
        node("DequantizeLinear", ["q", "factors", "zeros"], ["y"], axis=1),
    ]
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    zeros = numpy_helper.from_array(np.zeros(2, np.uint8), "zeros")
    weights = [weight("w", 2, 1, 3, 3), scales, ones, whole("shape", [1]), weight("factors", 2), zeros]
    model = model_of(tmp_path, nodes, weights, x=(1, 1, 8, 8))
    assert count_parameters(model) == 18
    assert [found.operator for found in describe_nodes(model, {}) if found.parameters] == ["Conv"]


def test_a_tensor_that_is_a_setting_and_a_weight_is_a_parameter(tmp_path: Path) -> None:
    nodes = [node("Resize", ["x", "", "w"], ["r"]), node("Mul", ["r", "w"], ["y"])]
    assert count_parameters(model_of(tmp_path, nodes, [weight("w", 4)], x=(1, 1, 4, 4))) == 4


def test_quantised_biases_are_counted(tmp_path: Path) -> None:
    bias = numpy_helper.from_array(np.zeros(5, np.int32), "b")
    nodes = [node("DequantizeLinear", ["b", "s"], ["f"]), node("Add", ["x", "f"], ["y"])]
    assert count_parameters(model_of(tmp_path, nodes, [bias, weight("s", 1)], x=(1, 5))) == 5


@given(st.lists(st.integers(1, 4), min_size=2, max_size=6))
def test_a_chain_of_linear_layers_has_the_parameters_of_its_layers(widths: list[int]) -> None:
    """Whatever the widths, also of one."""
    nodes, weights = [], []
    for layer, (into, out) in enumerate(pairwise(widths)):
        nodes.append(node("Gemm", [f"x{layer}", f"w{layer}", f"b{layer}"], [f"x{layer + 1}"]))
        weights += [weight(f"w{layer}", into, out), weight(f"b{layer}", out)]
    out = [number(f"x{len(nodes)}", 1, widths[-1])]
    graph = helper.make_graph(nodes, "chain", [number("x0", 1, widths[0])], out, weights)
    assert count_parameters(helper.make_model(graph)) == sum(into * out + out for into, out in pairwise(widths))
