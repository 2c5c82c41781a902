"""The free sizes of a model's inputs, and the sizes that its graph suggests for them."""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import onnx
import onnx.numpy_helper

from kanji_tui.engines.graph import graph_inputs, shape_of
from kanji_tui.engines.loading import all_nodes, all_tensors

LARGEST_SIZE = 100_000  # larger numbers in a graph mean "to the end" or "all"
WINDOWS = ("Conv", "ConvInteger", "QLinearConv", "MaxPool", "AveragePool", "LpPool")
SMALL = 64  # constants of more elements are no sizes
Axis = tuple[str, int]  # the name of an input, the number of an axis
FORMULAS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


@dataclass(frozen=True)
class FreeSizes:
    """The free sizes of the inputs: named ones by their name, the others by their input and axis.

    `batches` are those that count samples; `state_batches` those that do if an input is a recurrent state: the
    unnamed sizes of an input that does not begin with the batch, as in (layers, batch, features).
    """

    batches: frozenset[str | Axis]
    state_batches: frozenset[str | Axis]
    others: tuple[str | Axis, ...]


def free_sizes(model: onnx.ModelProto) -> FreeSizes:
    """The free sizes of all inputs that a run needs, in the order of the inputs, but for those that follow."""
    inputs = [(value.name, shape_of(value) or ()) for value in graph_inputs(model)]
    ranks = [len(shape) for _, shape in inputs]
    batches: dict[str | Axis, None] = {}
    states: dict[str | Axis, None] = {}
    every: dict[str | Axis, None] = {}
    for number, (name, shape) in enumerate(inputs):
        for axis, dim in enumerate(shape):
            if isinstance(dim, int):
                continue
            key = key_of(name, axis, dim)
            every[key] = None
            if "batch" in dim.lower() or (axis == 0 and (len(shape) > 1 or max(ranks) > 1)):
                batches[key] = None
            elif number and dim == "?" and isinstance(shape[0], int):
                states[key] = None
    names: dict[str | Axis, int] = {key: 1 for key in every if isinstance(key, str) and key.isidentifier()}
    for key in [key for key in every if isinstance(key, str) and computed_size(key, names) is not None]:
        for keys in (every, batches, states):
            keys.pop(key, None)
    return FreeSizes(
        frozenset(batches),
        frozenset(states.keys() - batches.keys()),
        tuple(key for key in every if key not in batches),
    )


def computed_size(dim: str, sizes: Mapping[str | Axis, int]) -> int | None:
    """The value of a size that is named by a formula of other names, as `past_length + 1`; None for other names."""
    if dim.isidentifier():
        return None
    try:
        return _value(ast.parse(dim, mode="eval").body, sizes)
    except (SyntaxError, ValueError, KeyError, ZeroDivisionError):
        return None


def _value(formula: ast.expr, sizes: Mapping[str | Axis, int]) -> int:
    """The value of a formula of names, whole numbers and FORMULAS. Raises ValueError or KeyError for others."""
    if isinstance(formula, ast.Constant) and isinstance(formula.value, int):
        return formula.value
    if isinstance(formula, ast.Name):
        return sizes[formula.id]
    if isinstance(formula, ast.BinOp) and type(formula.op) in FORMULAS:
        return FORMULAS[type(formula.op)](_value(formula.left, sizes), _value(formula.right, sizes))
    raise ValueError


def key_of(name: str, axis: int, dim: str) -> str | Axis:
    """What a free size is called: equal names are equal sizes, sizes without a name are independent."""
    return (name, axis) if dim == "?" else dim


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
