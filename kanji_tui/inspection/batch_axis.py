"""Finds the batch dimension of a model's inputs, by name or by position."""

import re
from collections.abc import Sequence

import onnx

from kanji_tui.engines.graph import shape_of

BATCH_NAME = re.compile(r"\w*batch\w*", re.IGNORECASE)  # batch, batch_size, not 4*batch


def batch_axes(inputs: Sequence[onnx.ValueInfoProto]) -> dict[str, int | None]:
    """The axis of each input that is the batch, None if it has no free batch size.

    A size named `batch` or alike is the batch on any axis. Without such a name, a free first size is the batch, and
    so are sizes of the same name on other axes: in [n, 8] and [2, n, 128]. If sizes have no names and another input
    has a batch, the first free size is taken: in [?, 8] and [2, ?, 128].
    """
    shapes = {value.name: shape_of(value) or () for value in inputs}
    sizes = {size for shape in shapes.values() for size in shape if isinstance(size, str) and size != "?"}
    names = {size for size in sizes if BATCH_NAME.fullmatch(size)}
    names = names or {shape[0] for shape in shapes.values() if shape and shape[0] in sizes}

    def named_or_first(shape: Sequence[int | str]) -> int | None:
        named = next((axis for axis, size in enumerate(shape) if size in names), None)
        return 0 if named is None and shape and shape[0] == "?" else named

    axes = {name: named_or_first(shape) for name, shape in shapes.items()}
    if any(axis is not None for axis in axes.values()):
        for name, shape in shapes.items():
            if axes[name] is None and "?" in shape:
                axes[name] = list(shape).index("?")
    return axes
