"""Makes inputs up for a model of which only the interface is known: one guess after the other, until one fits."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx

from kanji_tui.engines.engine import MOST_VALUES, random_value
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.graph import graph_inputs
from kanji_tui.engines.results import Shape
from kanji_tui.engines.shapes import shape_of
from kanji_tui.errors import UsageError
from kanji_tui.inspection.free_sizes import Axis, FreeSizes, computed_size, free_sizes, key_of
from kanji_tui.inspection.given_inputs import GivenInputs
from kanji_tui.inspection.input_roles import roles_of, value_for
from kanji_tui.inspection.suggested_sizes import suggested_sizes
from kanji_tui.system import numbers

SIZES = (64, 224, 16, 8, 1)
LAST_SIZES = (512, 16_000)  # 16,000 samples are a second of speech
FEWEST_MIXED = 6  # sizes of which two different ones are combined
MOST_ELEMENTS = 2**22  # of one made-up input
WHOLE_NUMBERS = (1, 0)  # the values of integers, in this order


@dataclass(frozen=True)
class Guess:
    """The shapes of the inputs of one run, the sizes of their symbols, and the value of made-up integers.

    `types`: of the inputs that are made up; the others are given as arrays.
    """

    shapes: dict[str, tuple[int, ...]]
    types: dict[str, np.dtype]
    symbols: dict[str, int]
    integer: int

    @property
    def made_up(self) -> bool:
        """Whether at least one input is made up."""
        return bool(self.types)

    @property
    def elements(self) -> int:
        """The number of elements of the largest made-up input."""
        return max((math.prod(self.shapes[name]) for name in self.types), default=0)


def guesses(model: onnx.ModelProto, given: GivenInputs) -> Iterator[Guess]:
    """Guesses to try, the most usual sizes first; only one where nothing is free.

    Raises ValueError, at the first one, for inputs that are no tensors, of types that NumPy lacks, or too large,
    and UsageError for given inputs that are not the model's.
    """
    check_given(model, given)
    free = free_sizes(model)
    known = given_sizes(model, given)
    sizes = tuple(dict.fromkeys((*SIZES, *suggested_sizes(model), *LAST_SIZES)))
    keys = (*free.batches, *free.state_batches, *free.others)
    smallest = make_guess(model, {**dict.fromkeys(keys, 1), **known}, WHOLE_NUMBERS[0], given)
    if smallest.elements > MOST_VALUES:
        name = max(smallest.types, key=lambda name: math.prod(smallest.shapes[name]))
        raise ValueError(f"its input '{name}' of {numbers.shape(smallest.shapes[name])} is too large to be made up")
    most = max(MOST_ELEMENTS, smallest.elements)  # what is fixed may be larger
    seen = set()
    for integer in WHOLE_NUMBERS:
        for assigned in assignments(free, sizes):
            guess = make_guess(model, {**assigned, **known}, integer, given)
            varies = any(kind.kind in "iu" and kind.itemsize > 1 for kind in guess.types.values())
            key = tuple(guess.shapes.values()), varies and integer
            if key not in seen and guess.elements <= most:
                seen.add(key)
                yield guess


def assignments(free: FreeSizes, sizes: tuple[int, ...]) -> Iterator[dict[str | Axis, int]]:
    """A size for every free size: all alike, then the states not as batches, then two different sizes."""
    batches = dict.fromkeys(free.batches, free.batch)
    states = dict.fromkeys(free.state_batches, free.batch)
    others = free.others
    for size in sizes:
        yield {**dict.fromkeys(others, size), **batches, **states}
    if states:
        for size in sizes:
            yield {**dict.fromkeys(others, size), **batches}
    varied = [key for key in others if key not in states]
    if len(varied) > 1:
        for common, other in itertools.permutations(sizes[:FEWEST_MIXED], 2):
            for key in varied:
                yield {**dict.fromkeys(others, common), key: other, **batches, **states}


def make_guess(model: onnx.ModelProto, assigned: dict[str | Axis, int], integer: int, given: GivenInputs) -> Guess:
    """The given shapes as they are, and those of the other inputs with the assigned sizes."""
    required = graph_inputs(model)
    return Guess(
        shapes={value.name: input_shape(value, assigned, given) for value in required},
        types={value.name: input_type(value, given) for value in required if value.name not in given.arrays},
        symbols={key: size for key, size in assigned.items() if isinstance(key, str)},
        integer=integer,
    )


def make_inputs(model: onnx.ModelProto, guess: Guess, given: GivenInputs) -> Arrays:
    """The given arrays, and made-up ones that fit what the graph uses them for."""
    roles = roles_of(model)
    inputs = {}
    for seed, (name, shape) in enumerate(guess.shapes.items()):
        if name not in guess.types:
            inputs[name] = given.arrays[name]
            continue
        dtype, role = guess.types[name], roles.get(name)
        fitting = value_for(role, math.prod(shape), guess.shapes.get(role.data)) if role else None
        if fitting is None:
            inputs[name] = random_value(dtype, shape, seed, guess.integer)
        else:
            inputs[name] = np.array(fitting).astype(dtype).reshape(shape)
    return inputs


def input_shape(value: onnx.ValueInfoProto, assigned: dict[str | Axis, int], given: GivenInputs) -> tuple[int, ...]:
    """The shape that is given, else the model's with its free sizes assigned; one value if it has none."""
    if value.name in given.names:
        return given.shape(value.name)
    shape = shape_of(value)
    if shape is None:
        return (1,)
    return tuple(
        dim if isinstance(dim, int) else assigned_size(key_of(value.name, axis, dim), assigned)
        for axis, dim in enumerate(shape)
    )


def assigned_size(key: str | Axis, assigned: dict[str | Axis, int]) -> int:
    """The size of `key`, computed if it is a formula of names that have sizes."""
    computed = computed_size(key, assigned) if isinstance(key, str) else None
    return max(0, computed) if computed is not None else assigned[key]


def input_type(value: onnx.ValueInfoProto, given: GivenInputs) -> np.dtype:
    """The NumPy type that is given, else the model's. Raises ValueError if NumPy has no such type."""
    name = value.name
    if name in given.shapes and given.shapes[name].type:
        return np.dtype(given.shapes[name].type)
    if value.type.WhichOneof("value") != "tensor_type":
        raise ValueError(f"its input '{name}' is not a tensor")
    try:
        dtype: np.dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
    except (KeyError, TypeError):
        raise ValueError(f"its input '{name}' has a type that this program does not know") from None
    if dtype.kind == "V" or dtype.names or dtype.str[1] == "V":
        raise ValueError(f"its input '{name}' has a type that NumPy lacks")
    return dtype


def given_sizes(model: onnx.ModelProto, given: GivenInputs) -> dict[str | Axis, int]:
    """The free sizes that follow from given shapes: those of the same name, and all batches from one."""
    sizes: dict[str | Axis, int] = {}
    for value in graph_inputs(model):
        if value.name in given.names:
            pairs = zip(shape_of(value) or (), given.shape(value.name), strict=False)
            sizes |= {
                key_of(value.name, axis, dim): size
                for axis, (dim, size) in enumerate(pairs)
                if isinstance(dim, str)
            }
    free = free_sizes(model)
    batch = next((size for key, size in sizes.items() if key in free.batches), None)
    return sizes if batch is None else {**dict.fromkeys(free.batches | free.state_batches, batch), **sizes}


def check_given(model: onnx.ModelProto, given: GivenInputs) -> None:
    """Raise UsageError if a given input is not one of the model's, or does not have its type and fixed sizes."""
    inputs = {value.name: value for value in graph_inputs(model)}
    for name in sorted(given.names):
        if name not in inputs:
            raise UsageError(f"the model has no input '{name}'", f"its inputs are: {', '.join(inputs) or 'none'}")
        declared, shape = shape_of(inputs[name]), given.shape(name)
        if declared is not None and not agrees(declared, shape):
            raise UsageError(
                f"the shape {numbers.shape(shape) or 'of a scalar'} does not fit the input '{name}'",
                f"the model takes {numbers.shape(declared)}",
            )
        if name in given.arrays and given.arrays[name].dtype != input_type(inputs[name], GivenInputs()):
            wanted = input_type(inputs[name], GivenInputs())
            raise UsageError(
                f"the array '{name}' is {given.arrays[name].dtype}, the model takes {wanted}",
                f"convert it: {name}.astype('{wanted}')",
            )


def agrees(declared: Shape, shape: tuple[int, ...]) -> bool:
    """Whether an input of this shape has the declared rank and fixed sizes."""
    pairs = zip(declared, shape, strict=False)
    return len(declared) == len(shape) and all(isinstance(dim, str) or dim == size for dim, size in pairs)
