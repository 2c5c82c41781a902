"""Describes an ONNX graph: operators, nodes with shapes and parameters, pooling."""

import contextlib
from collections import Counter

import onnx
from onnx import numpy_helper, shape_inference

from kanji_tui.engines.loading import all_nodes, captured, initialiser_names
from kanji_tui.engines.macs import Scope, constants_of, count_macs
from kanji_tui.engines.results import Node, Pooling, Shape, Tensor
from kanji_tui.engines.shapes import known_shapes, shape_of
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
    number = value.type.tensor_type.elem_type
    known = number in onnx.TensorProto.DataType.values()
    name = onnx.TensorProto.DataType.Name(number).lower() if known else f"type {number}"
    return Tensor(value.name, name, shape_of(value))


def graph_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that a run needs: old files list their initialisers among the inputs too."""
    initialised = initialiser_names(model.graph)
    return [value for value in model.graph.input if value.name not in initialised]


def infer_shapes(model: onnx.ModelProto, symbols: dict[str, int]) -> dict[str, Shape]:
    """The shape of every tensor in the main graph that ONNX's shape inference finds, symbols replaced by sizes."""
    return known_shapes(with_shapes(model, symbols).graph)


def with_shapes(model: onnx.ModelProto, symbols: dict[str, int]) -> onnx.ModelProto:
    """A copy with the shapes that ONNX's shape inference finds, in subgraphs too; symbols replaced by sizes."""
    bound = onnx.ModelProto()
    bound.CopyFrom(model)
    del bound.graph.value_info[:]
    for value in (*bound.graph.input, *bound.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in symbols:
                dim.dim_value = symbols[dim.dim_param]
    with contextlib.suppress(Exception):  # if inference fails, the operators can still be counted
        bound = shape_inference.infer_shapes(bound, data_prop=True)
    return bound


def describe_nodes(model: onnx.ModelProto, shapes: dict[str, Shape]) -> tuple[Node, ...]:
    """Every node of the main graph, in file order; `shapes`: of its tensors, those of inner ones are in `model`."""
    scope = Scope(shapes, constants_of(model.graph))
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
                macs=count_macs(node, scope),
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
