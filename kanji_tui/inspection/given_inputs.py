"""The inputs that the person gives for a run, by shape and type or as arrays."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kanji_tui.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

SYNTAX = "NAME=SHAPE,TYPE, as in input=1x64,float32; a scalar has no shape: rate=,int64"


@dataclass(frozen=True)
class InputShape:
    """The shape and NumPy type of an input; "" is the type that the model names."""

    name: str
    shape: tuple[int, ...]
    type: str = ""


def input_shape(text: str) -> InputShape:
    """`NAME=1x64,float32`. Raises UsageError."""
    name, equals, value = text.rpartition("=")
    shape, _, kind = value.partition(",")
    if not equals or not name or not re.fullmatch(r"(\d+(x\d+)*)?", shape) or not re.fullmatch(r"\w*", kind):
        raise UsageError(f"'{text}' is not an input", f"write {SYNTAX}")
    return InputShape(name, tuple(int(size) for size in shape.split("x") if size), kind)


def input_shapes(text: str) -> tuple[InputShape, ...]:
    """Several inputs with spaces between them; none for an empty text. Raises UsageError."""
    return tuple(map(input_shape, text.split()))


@dataclass(frozen=True, eq=False)
class GivenInputs:
    """Shapes for which values are made up, and arrays, by input name."""

    shapes: dict[str, InputShape] = field(default_factory=dict)
    arrays: "dict[str, np.ndarray]" = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        return {*self.shapes, *self.arrays}

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a given input."""
        return self.arrays[name].shape if name in self.arrays else self.shapes[name].shape

    def type(self, name: str) -> "np.dtype | None":
        """The type that was given with the shape of an input; None where none was."""
        import numpy as np

        given = self.shapes.get(name)
        return np.dtype(given.type) if given and given.type else None


def read_given(shapes: Iterable[InputShape], path: Path | None) -> GivenInputs:
    """The shapes, and the arrays in the .npz file `path`. Raises UsageError if that cannot be read."""
    import numpy as np

    for given in shapes:
        if given.type and not known_type(given.type):
            raise UsageError(
                f"'{given.type}' is not a type", "write float32, float16, float64, int64, int32, bool ..."
            )
    by_name = {given.name: given for given in shapes}
    if path is None:
        return GivenInputs(by_name)
    try:
        with np.load(path, allow_pickle=False) as packed:
            arrays = {name: packed[name] for name in packed.files}
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist", "give a file written by numpy.savez") from None
    except Exception as error:  # zipfile, zlib, struct and numpy errors, AttributeError for a single .npy
        raise UsageError(
            f"{path} cannot be read as arrays by name: {error}",
            "write it in Python: numpy.savez('inputs.npz', NAME=array)",
        ) from None
    return GivenInputs(by_name, arrays)


def known_type(name: str) -> bool:
    """Whether NumPy has a number type of this name."""
    import numpy as np

    try:
        return np.dtype(name).kind in "biufc"
    except TypeError:
        return False
