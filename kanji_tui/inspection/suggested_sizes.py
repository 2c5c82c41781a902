"""Sizes that a graph suggests for the free sizes of its inputs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import onnx
import onnx.numpy_helper

from kanji_tui.engines.graph import graph_inputs
from kanji_tui.engines.loading import all_nodes, all_tensors

LARGEST_SIZE = 100_000  # larger numbers in a graph mean "to the end" or "all"
WINDOWS = ("Conv", "ConvInteger", "QLinearConv", "MaxPool", "AveragePool", "LpPool")
SMALL = 64  # constants of more elements are no sizes


@dataclass(frozen=True)
class Constants:
    """What is stored in a graph, by name: the values of small integer tensors, the sizes of all tensors."""

    values: dict[str, tuple[int, ...]]
    sizes: dict[str, tuple[int, ...]]


def suggested_sizes(model: onnx.ModelProto) -> list[int]:
    """Sizes that occur in the graph where an input of another size may not fit, without repetitions.

    Taken from the windows of convolutions and pooling, the constants of Reshape and Slice, and the weights that an
    input is multiplied by.
    """
    constants = stored_constants(model)
    inputs = {value.name for value in graph_inputs(model)}
    found: dict[int, None] = {}
    for node in all_nodes(model.graph):
        for size in sizes_in(node, constants, inputs):
            if 1 < size <= LARGEST_SIZE:
                found[size] = None
    return list(found)


def sizes_in(node: onnx.NodeProto, constants: Constants, inputs: set[str]) -> Iterator[int]:
    """The sizes that one node suggests."""
    second = node.input[1] if len(node.input) > 1 else ""
    if node.op_type in WINDOWS:
        yield from windows(node, constants.sizes.get(second, ()))
    elif node.op_type == "Reshape":
        sizes = [size for size in constants.values.get(second, ()) if size > 0]
        yield from (*sizes, math.prod(sizes))
    elif node.op_type == "Slice":
        bounds = [constants.values.get(name, ()) for name in node.input[1:3]]
        bounds += [tuple(a.ints) for a in node.attribute if a.name in ("starts", "ends")]
        yield from (abs(size) for bound in bounds for size in bound)
    elif node.op_type in ("MatMul", "Gemm") and node.input[0] in inputs and second in constants.sizes:
        yield from constants.sizes[second][:2]


def windows(node: onnx.NodeProto, weight: tuple[int, ...]) -> Iterator[int]:
    """The sizes that a window covers along each axis: (kernel - 1) x dilation + 1."""
    attributes = {attribute.name: tuple(attribute.ints) for attribute in node.attribute}
    kernel = attributes.get("kernel_shape") or weight[2:]
    dilations = attributes.get("dilations") or (1,) * len(kernel)
    return ((size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations, strict=False))


def stored_constants(model: onnx.ModelProto) -> Constants:
    """The constants of the graph and its subgraphs."""
    named = [(tensor.name, tensor) for tensor in all_tensors(model.graph)]
    for node in all_nodes(model.graph):
        if node.op_type == "Constant" and node.output:
            named += [(node.output[0], a.t) for a in node.attribute if a.HasField("t")]
    values = {name: whole_numbers(tensor) for name, tensor in named if math.prod(tensor.dims) <= SMALL}
    return Constants(values, {name: tuple(tensor.dims) for name, tensor in named})


def whole_numbers(tensor: onnx.TensorProto) -> tuple[int, ...]:
    """The values of an integer tensor; none for another type, or data that cannot be read."""
    if tensor.data_type not in (onnx.TensorProto.INT64, onnx.TensorProto.INT32):
        return ()
    try:
        return tuple(map(int, onnx.numpy_helper.to_array(tensor).reshape(-1)))
    except Exception:  # ValueError, TypeError or onnx's ValidationError: this one constant suggests nothing
        return ()
