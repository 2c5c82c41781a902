"""Describes an ONNX graph: operators, nodes with shapes, parameters and multiply-accumulates (MACs)."""

import contextlib
import math
from collections import Counter

import onnx
from onnx import numpy_helper, shape_inference

from kanji_tui.engines.loading import all_nodes, captured, initialiser_names
from kanji_tui.engines.results import Node, Pooling, Shape, Tensor
from kanji_tui.engines.weights import stored_weights

NAME_SCOPES = "pkg.torch.onnx.name_scopes"
GLOBAL_POOLS = ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")


def operator_name(node: onnx.NodeProto) -> str:
    """The operator, with its domain unless that is ONNX's own: `Conv`, `com.microsoft.FusedConv`."""
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def node_name(node: onnx.NodeProto, number: int) -> str:
    """The name of a node, or its operator and number if it has none."""
    return node.name or f"{node.op_type}_{number}"


def count_operators(model: onnx.ModelProto) -> dict[str, int]:
    """How often each operator occurs, subgraphs included; most frequent first."""
    counts = Counter(operator_name(node) for node in all_nodes(model.graph))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def opsets(model: onnx.ModelProto) -> dict[str, int]:
    """The opset version of each operator domain that the file imports; ONNX's own is `ai.onnx`."""
    return {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}


def describe_tensor(value: onnx.ValueInfoProto) -> Tensor:
    """Name, type and shape of an input or output."""
    kind = value.type.WhichOneof("value") or "unknown"
    if kind != "tensor_type":
        return Tensor(value.name, kind.removesuffix("_type"), None)
    return Tensor(
        value.name, onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower(), shape_of(value)
    )


def shape_of(value: onnx.ValueInfoProto) -> Shape | None:
    """The shape of a tensor: sizes, names of symbolic sizes, "?" for a size without either; None if unknown."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(size_of(dim) for dim in tensor.shape.dim)


def size_of(dim: onnx.TensorShapeProto.Dimension) -> int | str:
    """A size, its name, or "?". Exporters write free sizes as -1, and inference may compute a negative one."""
    return dim.dim_value if dim.HasField("dim_value") and dim.dim_value >= 0 else dim.dim_param or "?"


def graph_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that a run needs: old files list their initialisers among the inputs too."""
    initialised = initialiser_names(model.graph)
    return [value for value in model.graph.input if value.name not in initialised]


def infer_shapes(model: onnx.ModelProto, symbols: dict[str, int]) -> dict[str, Shape]:
    """The shape of every tensor in the main graph that ONNX's shape inference finds, symbols replaced by sizes."""
    bound = onnx.ModelProto()
    bound.CopyFrom(model)
    del bound.graph.value_info[:]
    for value in (*bound.graph.input, *bound.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in symbols:
                dim.dim_value = symbols[dim.dim_param]
    with contextlib.suppress(Exception):  # if inference fails, the operators can still be counted
        bound = shape_inference.infer_shapes(bound, data_prop=True)
    shapes: dict[str, Shape] = {tensor.name: tuple(tensor.dims) for tensor in bound.graph.initializer}
    shapes |= {sparse.values.name: tuple(sparse.dims) for sparse in bound.graph.sparse_initializer}
    for value in (*bound.graph.input, *bound.graph.value_info, *bound.graph.output):
        shape = shape_of(value)
        if shape is not None:
            shapes.setdefault(value.name, shape)
    return shapes


def describe_nodes(model: onnx.ModelProto, shapes: dict[str, Shape]) -> tuple[Node, ...]:
    """Every node of the main graph, in file order."""
    by_name: Counter[str] = Counter()
    inside: Counter[int | None] = Counter()  # parameters stored in a node's own attributes and subgraphs
    for weight in stored_weights(model.graph):
        if weight.name:
            by_name[weight.name] += weight.parameters
        else:
            inside[weight.node] += weight.parameters
    nodes = []
    for number, node in enumerate(model.graph.node):
        nodes.append(
            Node(
                number=number,
                name=node_name(node, number),
                operator=operator_name(node),
                module=module_of(node),
                inputs=tuple(node.input),
                input_shapes=tuple(shapes.get(name) for name in node.input),
                outputs=tuple(node.output),
                output_shapes=tuple(shapes.get(name) for name in node.output),
                attributes={attribute.name: show_attribute(attribute) for attribute in node.attribute},
                parameters=inside[number] + sum(by_name[name] for name in {*node.input, *captured(node)}),
                macs=count_macs(node, shapes),
            )
        )
    return tuple(nodes)


def module_of(node: onnx.NodeProto) -> str:
    """The full name of the module that a node came from: `network.body.3.branch.0`; "" if unknown.

    The dynamo exporter writes it into the node's metadata. The TorchScript exporter writes it into the node's name:
    `/network/body/body.3/branch/branch.0/Conv`, where a part that extends the part before it, as `body.3` extends
    `body`, replaces it.
    """
    for entry in node.metadata_props:
        if entry.key == NAME_SCOPES:
            scopes = [part.strip(" '\"") for part in entry.value.strip("[]").split(",")]
            named = [scope for scope in scopes[:-1] if scope]
            return named[-1] if named else ""
    if not node.name.startswith("/"):
        return ""
    parts: list[str] = []
    for part in node.name.strip("/").split("/")[:-1]:
        if parts and part.startswith(f"{parts[-1]}."):
            parts[-1] = part
        else:
            parts.append(part)
    return ".".join(parts)


def show_attribute(attribute: onnx.AttributeProto) -> str:
    """An attribute's value as text of at most 80 characters."""
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.GraphProto):
        return f"graph of {len(value.node)} nodes"
    if isinstance(value, onnx.TensorProto):
        kind = onnx.TensorProto.DataType.Name(value.data_type).lower()
        return f"{kind} {tuple(value.dims)}" if value.dims else f"{kind} {numpy_helper.to_array(value)}"
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def count_macs(node: onnx.NodeProto, shapes: dict[str, Shape]) -> int | None:
    """Multiply-accumulates of a node; 0 for operators that do hardly any.

    None if a size is unknown, and for the operators in UNCOUNTED and in domains other than ONNX's.
    """
    counter = MACS.get(node.op_type)
    first, second = FACTORS.get(node.op_type, (0, 1))
    try:
        if node.op_type in RECURRENT:
            # Each step of each sequence is multiplied once by the input weights and once by the recurrent ones.
            (length, batch, _), into, recurrent = (sizes(shapes[name]) for name in node.input[:3])
            return length * batch * (math.prod(into) + math.prod(recurrent))
        if counter is None:
            return None if node.op_type in UNCOUNTED or node.domain not in ("", "ai.onnx") else 0
        known = [sizes(shapes[name]) for name in (node.input[first], node.input[second], node.output[0])]
        left, right, out = known
        return counter(left, right, out, any(a.name == "transA" and a.i for a in node.attribute))
    except (KeyError, IndexError, ValueError):
        return None


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
UNCOUNTED = ("Attention", "DeformConv", "DFT", "Einsum", "If", "Loop", "Scan")
# The input numbers of the two factors, where scales and zero points stand between them.
FACTORS = {"QLinearConv": (0, 3), "QLinearMatMul": (0, 3)}


def find_pooling(model: onnx.ModelProto, nodes: tuple[Node, ...]) -> tuple[Pooling, ...]:
    """Every node that pools over the image axes, as operator or as mean or maximum over both axes."""
    found = []
    for node in nodes:
        shape = node.input_shapes[0] if node.input_shapes else None
        if node.operator in GLOBAL_POOLS:
            found.append(Pooling(node.name, node.operator, "whole image", shape))
        elif node.operator in ("AveragePool", "MaxPool", "LpPool"):
            window = node.attributes.get("kernel_shape", "?").strip("[]").replace(", ", "x")
            found.append(Pooling(node.name, node.operator, window, shape))
        elif reduces_image_axes(model, node.number, shape):
            found.append(Pooling(node.name, node.operator, "whole image", shape))
    return tuple(found)


def reduces_image_axes(model: onnx.ModelProto, number: int, shape: Shape | None) -> bool:
    """Whether node `number` is global pooling written as a mean or maximum over both image axes."""
    node = model.graph.node[number]
    if node.op_type not in ("ReduceMean", "ReduceMax") or shape is None or len(shape) != 4:
        return False
    return {axis % 4 for axis in reduced_axes(model, node)} == {2, 3}


def reduced_axes(model: onnx.ModelProto, node: onnx.NodeProto) -> list[int]:
    """The axes a Reduce node reduces: an attribute up to opset 17, an input later; [] if computed at run time."""
    for attribute in node.attribute:
        if attribute.name == "axes":
            return list(attribute.ints)
    if len(node.input) < 2:
        return []
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    tensors |= {
        constant.output[0]: attribute.t
        for constant in model.graph.node
        if constant.op_type == "Constant"
        for attribute in constant.attribute
        if attribute.name == "value"
    }
    tensor = tensors.get(node.input[1])
    return [int(axis) for axis in numpy_helper.to_array(tensor).reshape(-1)] if tensor is not None else []
