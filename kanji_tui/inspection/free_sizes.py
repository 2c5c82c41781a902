"""The free sizes of a model's inputs, and which of them count samples: the batch."""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import onnx

from kanji_tui.engines.graph import graph_inputs
from kanji_tui.engines.results import Shape
from kanji_tui.engines.shapes import shape_of

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
class Batches:
    """The axes of each input that count samples, by its name; () for an input without a batch.

    `states`: the inputs of which that is a guess: recurrent states, as (layers, batch, features).
    """

    axes: dict[str, tuple[int, ...]]
    states: frozenset[str]


def find_batches(inputs: Sequence[onnx.ValueInfoProto]) -> Batches:
    """The batch axes of all inputs; they may be fixed sizes.

    By name: sizes called `batch` or alike are the batch on any axis. By position, if no size is called so: a free
    first size, and sizes of the same name on other axes, as in [n, 8] and [2, n, 128]. A first size without a name
    is the batch too. If all inputs have one dimension, their first sizes are lengths.

    The only size without a name in an input whose first size is fixed is the batch of a state if another input has
    a batch, as in [?, 8] and [2, ?, 128], or if its shape is not that of the first input, whose own first size is
    then the batch, as in [1, 8] and [2, ?, 128].
    """
    shapes = {value.name: shape_of(value) or () for value in inputs}
    names = names_in(shapes.values())
    deep = max(map(len, shapes.values()), default=0) > 1
    firsts = {shape[0] for shape in shapes.values() if deep and shape and shape[0] in names}
    wanted = {name for name in names if "batch" in name.lower()} or firsts
    axes = {
        name: tuple(axis for axis, size in enumerate(shape) if size in wanted) for name, shape in shapes.items()
    }
    for name, shape in shapes.items():
        if not axes[name] and deep and shape and shape[0] == "?":
            axes[name] = (0,)
    free, first = any(axes.values()), next(iter(shapes.values()), ())
    states = {
        name: (shape.index("?"),)
        for name, shape in shapes.items()
        if not axes[name] and shape.count("?") == 1 and isinstance(shape[0], int) and (free or shape != first)
    }
    if states and not free and len(first) > 1:
        axes[next(iter(shapes))] = (0,)
    return Batches(axes | states, frozenset(states))


def names_in(shapes: Iterable[Shape]) -> set[str]:
    """The names of sizes, without formulas of other names."""
    named = {size for shape in shapes for size in shape if isinstance(size, str) and size != "?"}
    plain: dict[str | Axis, int] = {name: 1 for name in named if name.isidentifier()}
    return {name for name in named if computed_size(name, plain) is None}


@dataclass(frozen=True)
class FreeSizes:
    """The free sizes of the inputs: named ones by their name, the others by their input and axis.

    `batches` are those that count samples, `state_batches` those that may: of recurrent states. `batch`: the size
    that they have, 1 unless an input fixes it. Formulas of other names are omitted.
    """

    batches: frozenset[str | Axis]
    state_batches: frozenset[str | Axis]
    others: tuple[str | Axis, ...]
    batch: int = 1


def free_sizes(model: onnx.ModelProto) -> FreeSizes:
    """The free sizes of all inputs that a run needs, in the order of the inputs, but for those that follow."""
    inputs = graph_inputs(model)
    found, names = find_batches(inputs), names_in(shape_of(value) or () for value in inputs)
    batches: set[str | Axis] = set()
    states: set[str | Axis] = set()
    every: dict[str | Axis, None] = {}
    fixed = []
    for value in inputs:
        for axis, size in enumerate(shape_of(value) or ()):
            is_batch = axis in found.axes[value.name]
            if isinstance(size, int):
                fixed += [size] if is_batch else []
                continue
            if size != "?" and size not in names:
                continue
            key = key_of(value.name, axis, size)
            every[key] = None
            if is_batch:
                (states if value.name in found.states else batches).add(key)
    others = tuple(key for key in every if key not in batches)
    return FreeSizes(frozenset(batches), frozenset(states), others, min(fixed, default=1))


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
