"""Random inputs for models of any interface: the same ones for all models whose interfaces are equal."""

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx

from kanji_tui.engines.engine import Engine, EngineError, random_value
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.graph import graph_inputs
from kanji_tui.engines.results import Shape
from kanji_tui.engines.shapes import shape_of
from kanji_tui.inspection.free_sizes import find_batches
from kanji_tui.inspection.given_inputs import GivenInputs
from kanji_tui.inspection.input_roles import Role, roles_of, value_for
from kanji_tui.inspection.made_up_inputs import SIZES, WHOLE_NUMBERS, guesses, input_type
from kanji_tui.inspection.whole_run import MOST_GUESSES, SEARCH_SECONDS
from kanji_tui.system import numbers


@dataclass(frozen=True)
class Slot:
    """An input of a model; a free size in `shape` is a str, `batch` are the axes of the batch.

    `role`: what the graph uses it for, where not every value will do.
    """

    name: str
    type: np.dtype
    shape: Shape
    batch: tuple[int, ...]
    role: Role | None = None


@dataclass(frozen=True)
class RandomInputs:
    """Random inputs for one model.

    `own`: its inputs; `shared`: the same ones with the sizes that all compared models take. `sizes`: of free sizes
    other than the batch, by the numbers of input and axis; `integer`: the value of made-up integers. `given`: what
    the person gave of the shared inputs, whose shapes it is in.
    """

    own: tuple[Slot, ...]
    shared: tuple[Slot, ...]
    sizes: Mapping[tuple[int, int], int] = field(default_factory=dict)
    integer: int = WHOLE_NUMBERS[0]
    given: GivenInputs = field(default_factory=GivenInputs)

    @property
    def always_the_same(self) -> bool:
        """Whether every input is given as an array."""
        return all(slot.name in self.given.arrays for slot in self.shared)

    def make(self, batch: int | None = None, seed: int = 0) -> tuple[Arrays, dict[str, int]]:
        """Inputs by name, and the sizes of the model's symbols.

        `batch` None: one that all models take, 1 if it is free. Raises ValueError if this one does not take it.
        """
        fixed = self._fixed_batch(self.shared if batch is None else self.own)
        if batch is not None and fixed not in (None, batch):
            raise ValueError(f"its sizes are fixed: {described(self.own)}")
        batches = {slot.shape[axis] for slot in self.shared if slot.name in self.given.names for axis in slot.batch}
        if batch is not None and batches - {batch}:
            raise ValueError(f"its sizes are given: {described(self.shared)}")
        if batch not in (None, 1) and not any(slot.batch for slot in self.shared):
            raise ValueError(f"it takes no batches: {described(self.own)}")
        shapes = [self._shape(number, batch or fixed or 1) for number in range(len(self.shared))]
        by_name = {shared.name: shape for shared, shape in zip(self.shared, shapes, strict=True)}
        arrays: Arrays = {}
        symbols: dict[str, int] = {}
        for number, (own, shared, shape) in enumerate(zip(self.own, self.shared, shapes, strict=True)):
            symbols |= {name: size for name, size in zip(own.shape, shape, strict=True) if isinstance(name, str)}
            role = shared.role
            fitting = value_for(role, math.prod(shape), by_name.get(role.data)) if role else None
            kind = self.given.type(shared.name) or own.type
            if shared.name in self.given.arrays:
                arrays[own.name] = self.given.arrays[shared.name]
            elif fitting is None:
                arrays[own.name] = random_value(kind, shape, 1000 * seed + number, self.integer)
            else:
                arrays[own.name] = np.array(fitting).astype(kind).reshape(shape)
        symbols.pop("?", None)
        return arrays, symbols

    def _shape(self, number: int, batch: int) -> tuple[int, ...]:
        """The sizes of input `number` in batches of this size."""
        slot = self.shared[number]
        shape = [
            size if isinstance(size, int) else self.sizes.get((number, axis), SIZES[0])
            for axis, size in enumerate(slot.shape)
        ]
        for axis in slot.batch:
            shape[axis] = batch
        return tuple(shape)

    def _fixed_batch(self, slots: tuple[Slot, ...]) -> int | None:
        """The only batch size that these inputs take, by position if they have no free one; None if it is free."""
        pairs = zip(slots, self.shared, strict=True)
        found = [slot.shape[axis] for slot, shared in pairs for axis in shared.batch]
        sizes = found or [slot.shape[0] for slot in slots if slot.shape]
        # A state of [2, 1, 128] beside an input of [1, 128] is in batches of 1.
        return min((size for size in sizes if isinstance(size, int)), default=None)


def share_inputs(
    models: Sequence[onnx.ModelProto], given: GivenInputs | None = None
) -> list[tuple[RandomInputs | None, str]]:
    """The random inputs of each model, and the reason why they are not those of the first one ("" if they are).

    Models of equal interface share their inputs, a model of another interface has its own. None: none can be made.
    `given`: what the person gave of the first one's inputs, which then holds for all that share them.
    """
    found: list[tuple[tuple[Slot, ...] | None, str]] = []
    shared: tuple[Slot, ...] | None = None
    for number, model in enumerate(models):
        try:
            own = slots_of(model)
        except ValueError as error:
            found.append((None, str(error)))
            continue
        if number == 0:
            shared = own
        reason = "" if shared is not None else f"the first file cannot be run: {found[0][1]}"
        if shared is not None:
            own = in_order(own, shared)
            try:
                shared = merged(shared, own)
            except ValueError as error:
                reason = str(error)
        found.append((own, reason))
    given = given or GivenInputs()
    wanted = None if shared is None else tuple(as_given(slot, given) for slot in shared)
    return [
        (
            None
            if own is None
            else RandomInputs(own, own)
            if reason or wanted is None
            else RandomInputs(own, wanted, given=given),
            reason,
        )
        for own, reason in found
    ]


def as_given(slot: Slot, given: GivenInputs) -> Slot:
    """The input with the shape that the person gave it."""
    return replace(slot, shape=given.shape(slot.name)) if slot.name in given.names else slot


def slots_of(model: onnx.ModelProto) -> tuple[Slot, ...]:
    """The inputs that a run of the model needs. Raises ValueError for one that is not a tensor of a NumPy type."""
    required = graph_inputs(model)
    axes, roles = find_batches(required).axes, roles_of(model)
    slots = []
    for value in required:
        kind = input_type(value, GivenInputs())
        slots.append(Slot(value.name, kind, shape_of(value) or (), axes[value.name], roles.get(value.name)))
    return tuple(slots)


def in_order(own: tuple[Slot, ...], first: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """The inputs `own` in the order of `first`: by name if the names are the same, else by position."""
    by_name = {slot.name: slot for slot in own}
    if by_name.keys() == {slot.name for slot in first}:
        return tuple(by_name[slot.name] for slot in first)
    return own


def merged(first: tuple[Slot, ...], own: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """The inputs `first` with the sizes that `own` fixes. Raises ValueError if the interfaces are not equal.

    They are if as many inputs have the same types and numbers of dimensions, and no two fixed sizes differ.
    """
    different = ValueError(f"its inputs are {described(own)}, those of the first file {described(first)}")
    if [(slot.type, len(slot.shape)) for slot in first] != [(slot.type, len(slot.shape)) for slot in own]:
        raise different
    slots = []
    for left, right in zip(first, own, strict=True):
        sizes = list(zip(left.shape, right.shape, strict=True))
        if any(a != b for a, b in sizes if isinstance(a, int) and isinstance(b, int)):
            raise different
        shape = tuple(b if isinstance(a, str) else a for a, b in sizes)
        slots.append(replace(left, shape=shape, batch=left.batch or right.batch))
    return tuple(slots)


def described(slots: tuple[Slot, ...]) -> str:
    """The inputs in words: `x float32 1x128, state float32 2x1x128`."""
    return ", ".join(f"{slot.name} {slot.type.name} {numbers.shape(slot.shape)}" for slot in slots) or "none"


def fitted(
    inputs: RandomInputs, model: onnx.ModelProto, path: Path, engine: Engine
) -> tuple[RandomInputs | None, str]:
    """The same inputs with the first guess of `guesses` with which `engine` runs the model.

    None and the reason if no guess fits; unchanged if the engine does not open the model.
    """
    tried: set[tuple] = set()
    first, start = "", time.monotonic()
    try:
        for guess in itertools.islice(guesses(model, inputs.given), MOST_GUESSES):
            sizes = {
                (number, axis): size
                for number, slot in enumerate(inputs.own)
                for axis, size in enumerate(guess.shapes[slot.name])
            }
            candidate = replace(inputs, sizes=sizes, integer=guess.integer)
            arrays, symbols = candidate.make()
            key = (guess.integer, *(array.shape for array in arrays.values()))
            if key in tried:
                continue
            tried.add(key)
            try:
                engine.run(path, arrays, symbols)
            except EngineError as error:
                if not error.in_run:
                    return inputs, ""
                first = first or str(error)
                if time.monotonic() - start > SEARCH_SECONDS:
                    break
            else:
                return candidate, ""
    except ValueError as error:  # too large
        return None, str(error)
    return None, f"no made-up input fits; {len(tried)} tried, the first gave: {first}"
