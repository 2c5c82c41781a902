"""Random inputs for models of any interface: the same ones for all models whose interfaces are equal."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from kanji_tui.inspection.made_up_inputs import SIZES, input_type
from kanji_tui.system import numbers


@dataclass(frozen=True)
class Slot:
    """An input of a model; a free size in `shape` is a str, `batch` are the axes of the batch."""

    name: str
    type: np.dtype
    shape: Shape
    batch: tuple[int, ...]


@dataclass(frozen=True)
class RandomInputs:
    """Random inputs for one model.

    `own`: its inputs; `shared`: the same ones with the sizes that all compared models take. `size` is given to free
    sizes other than the batch.
    """

    own: tuple[Slot, ...]
    shared: tuple[Slot, ...]
    size: int = SIZES[0]

    def make(self, batch: int | None = None, seed: int = 0) -> tuple[Arrays, dict[str, int]]:
        """Inputs by name, and the sizes of the model's symbols.

        `batch` None: one that all models take, 1 if it is free. Raises ValueError if this one does not take it.
        """
        fixed = self._fixed_batch(self.shared if batch is None else self.own)
        if batch is not None and fixed not in (None, batch):
            raise ValueError(f"its sizes are fixed: {described(self.own)}")
        if batch not in (None, 1) and not any(slot.batch for slot in self.shared):
            raise ValueError(f"it takes no batches: {described(self.own)}")
        arrays: Arrays = {}
        symbols: dict[str, int] = {}
        for number, (own, shared) in enumerate(zip(self.own, self.shared, strict=True)):
            shape = [size if isinstance(size, int) else self.size for size in shared.shape]
            for axis in shared.batch:
                shape[axis] = batch or fixed or 1
            symbols |= {name: size for name, size in zip(own.shape, shape, strict=True) if isinstance(name, str)}
            arrays[own.name] = random_value(own.type, tuple(shape), 1000 * seed + number)
        symbols.pop("?", None)
        return arrays, symbols

    def _fixed_batch(self, slots: tuple[Slot, ...]) -> int | None:
        """The only batch size that these inputs take, by position if they have no free one; None if it is free."""
        pairs = zip(slots, self.shared, strict=True)
        found = [slot.shape[axis] for slot, shared in pairs for axis in shared.batch]
        sizes = found or [slot.shape[0] for slot in slots if slot.shape]
        # A state of [2, 1, 128] beside an input of [1, 128] is in batches of 1.
        return min((size for size in sizes if isinstance(size, int)), default=None)


def share_inputs(models: Sequence[onnx.ModelProto]) -> list[tuple[RandomInputs | None, str]]:
    """The random inputs of each model, and the reason why they are not those of the first one ("" if they are).

    Models of equal interface share their inputs, a model of another interface has its own. None: none can be made.
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
    return [
        (RandomInputs(own, own if reason or shared is None else shared) if own is not None else None, reason)
        for own, reason in found
    ]


def slots_of(model: onnx.ModelProto) -> tuple[Slot, ...]:
    """The inputs that a run of the model needs. Raises ValueError for one that is not a tensor of a NumPy type."""
    required = graph_inputs(model)
    axes = find_batches(required).axes
    slots = []
    for value in required:
        kind = input_type(value, GivenInputs())
        slots.append(Slot(value.name, kind, shape_of(value) or (), axes[value.name]))
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


def sized(inputs: RandomInputs, path: Path, engine: Engine) -> RandomInputs:
    """The same inputs with the first of SIZES with which `engine` runs the model; unchanged if none fits."""
    tried: list[Arrays] = []
    for size in SIZES:
        candidate = replace(inputs, size=size)
        try:
            arrays, symbols = candidate.make()
        except ValueError:  # too large
            continue
        if tried and all(np.array_equal(array, tried[0][name]) for name, array in arrays.items()):
            break  # no size is free but the batch
        tried.append(arrays)
        with contextlib.suppress(EngineError):
            engine.run(path, arrays, symbols)
            return candidate
    return inputs
