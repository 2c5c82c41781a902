"""Counts the multiply-accumulates (MACs) of the nodes of an ONNX graph."""

import math
from dataclasses import dataclass

import onnx
from onnx import TensorProto, numpy_helper
from onnx.external_data_helper import uses_external_data

from kanji_tui.engines.results import Shape
from kanji_tui.engines.shapes import known_shapes

WHOLE = (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL)


@dataclass(frozen=True)
class Scope:
    """What is known inside a graph, by name: the shapes of tensors, and constants of one whole number or flag."""

    shapes: dict[str, Shape]
    constants: dict[str, int]

    def inside(self, graph: onnx.GraphProto) -> "Scope":
        """The scope of a subgraph, which can read the tensors around it too."""
        return Scope({**self.shapes, **known_shapes(graph)}, {**self.constants, **constants_of(graph)})


def constants_of(graph: onnx.GraphProto) -> dict[str, int]:
    """The initialisers and Constant nodes of a graph that are one whole number or flag."""
    tensors = [(tensor.name, tensor) for tensor in graph.initializer]
    found = {}
    for node in graph.node:
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.name == "value":
                tensors.append((node.output[0], attribute.t))
            elif attribute.name == "value_int":
                found[node.output[0]] = int(attribute.i)
    for name, tensor in tensors:
        if math.prod(tensor.dims) == 1 and tensor.data_type in WHOLE and not uses_external_data(tensor):
            found[name] = int(numpy_helper.to_array(tensor).item())
    return found


def count_macs(node: onnx.NodeProto, scope: Scope) -> int | None:
    """Multiply-accumulates of a node; 0 for operators that do hardly any.

    Of an If those of its costlier branch, of a Loop or Scan those of all iterations. None if a size or the number
    of iterations is unknown, and for the operators in UNCOUNTED and in domains other than ONNX's.
    """
    shapes = scope.shapes
    counter = MACS.get(node.op_type)
    first, second = FACTORS.get(node.op_type, (0, 1))
    try:
        if node.domain not in ("", "ai.onnx"):
            return None
        if node.op_type in BODIES:
            return BODIES[node.op_type](node, scope)
        if node.op_type in RECURRENT:
            # Each step of each sequence is multiplied once by the input weights and once by the recurrent ones.
            (length, batch, _), into, recurrent = (sizes(shapes[name]) for name in node.input[:3])
            return length * batch * (math.prod(into) + math.prod(recurrent))
        if counter is None:
            return None if node.op_type in UNCOUNTED else 0
        known = [sizes(shapes[name]) for name in (node.input[first], node.input[second], node.output[0])]
        left, right, out = known
        return counter(left, right, out, any(a.name == "transA" and a.i for a in node.attribute))
    except (KeyError, IndexError, ValueError):
        return None


def graph_macs(graph: onnx.GraphProto, outer: Scope) -> int | None:
    """The sum over the nodes of a subgraph, None if one of them cannot be counted."""
    scope = outer.inside(graph)
    counts = [count_macs(node, scope) for node in graph.node]
    return None if None in counts else sum(count or 0 for count in counts)


def if_macs(node: onnx.NodeProto, scope: Scope) -> int | None:
    """Of the costlier branch; the other one may be taken."""
    counts = [graph_macs(attribute.g, scope) for attribute in node.attribute if attribute.HasField("g")]
    return None if None in counts else max(count or 0 for count in counts)


def loop_macs(node: onnx.NodeProto, scope: Scope) -> int | None:
    """Of all iterations; only where their number is a constant and no condition can end the loop earlier."""
    body = attribute_of(node, "body").g
    inner = scope.inside(body)
    condition = node.input[1] if len(node.input) > 1 else ""
    if condition and not scope.constants.get(condition):
        return None
    own = body.output[0].name
    made_by = {name: made for made in body.node for name in made.output}
    while own in made_by and made_by[own].op_type == "Identity":
        own = made_by[own].input[0]
    if own != body.input[1].name and not inner.constants.get(own):
        return None
    count = graph_macs(body, scope)
    return None if count is None else max(0, scope.constants[node.input[0]]) * count


def scan_macs(node: onnx.NodeProto, scope: Scope) -> int | None:
    """Of all iterations: as many as the scanned axis of the first scanned input is long."""
    body, scanned = attribute_of(node, "body").g, attribute_of(node, "num_scan_inputs").i
    if len(node.input) != len(body.input):
        return None  # opset 8 has lengths of sequences before the others
    axes = next((attribute.ints for attribute in node.attribute if attribute.name == "scan_input_axes"), [0])
    length = sizes(scope.shapes[node.input[len(node.input) - scanned]])[axes[0]]
    count = graph_macs(body, scope)
    return None if count is None else length * count


def attribute_of(node: onnx.NodeProto, name: str) -> onnx.AttributeProto:
    """The attribute. Raises KeyError."""
    found = {attribute.name: attribute for attribute in node.attribute}
    return found[name]


def sizes(shape: Shape) -> list[int]:
    """The shape as numbers. Raises ValueError if a size is symbolic."""
    return [int(size) for size in shape]


def conv_macs(left: list[int], right: list[int], out: list[int], transposed: bool) -> int:
    """Every output element is a sum over the kernel: weight (out, in / group, *kernel)."""
    return math.prod(out) * math.prod(right[1:])


def transposed_conv_macs(left: list[int], right: list[int], out: list[int], transposed: bool) -> int:
    """Every input element adds to out / group x kernel output elements: weight (in, out / group, *kernel)."""
    return math.prod(left) * math.prod(right[1:])


def matmul_macs(left: list[int], right: list[int], out: list[int], transposed: bool) -> int:
    """Every output element is a sum over the shared dimension."""
    return math.prod(out) * (left[0] if transposed else left[-1])


MACS = {
    "Conv": conv_macs,
    "ConvInteger": conv_macs,
    "QLinearConv": conv_macs,
    "ConvTranspose": transposed_conv_macs,
    "Gemm": matmul_macs,
    "MatMul": matmul_macs,
    "MatMulInteger": matmul_macs,
    "QLinearMatMul": matmul_macs,
}
RECURRENT = ("LSTM", "GRU", "RNN")
UNCOUNTED = ("Attention", "DeformConv", "DFT", "Einsum")
# The input numbers of the two factors, where scales and zero points stand between them.
FACTORS = {"QLinearConv": (0, 3), "QLinearMatMul": (0, 3)}
BODIES = {"If": if_macs, "Loop": loop_macs, "Scan": scan_macs}
