"""What the nodes of a graph use its inputs for, where not every value will do: shapes, axes, scales, lengths."""

from collections.abc import Sequence
from dataclasses import dataclass

import onnx

from kanji_tui.engines.loading import all_nodes

PASSING_ON = ("Identity", "Cast")
Sizes = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Role:
    """Input number `position` of `node`, whose first input is the tensor `data` ("" if it has none)."""

    node: onnx.NodeProto
    position: int
    data: str


def roles_of(model: onnx.ModelProto) -> dict[str, Role]:
    """The first role of each input of the graph that ROLES knows."""
    origin = {value.name: value.name for value in model.graph.input}
    roles: dict[str, Role] = {}
    for node in all_nodes(model.graph):
        if node.op_type in PASSING_ON and node.input[0] in origin:
            origin[node.output[0]] = origin[node.input[0]]
        for position, name in enumerate(node.input):
            if name in origin and role_name(node, position) in ROLES:
                roles.setdefault(origin[name], Role(node, position, node.input[0]))
    return roles


def role_name(node: onnx.NodeProto, position: int) -> tuple[str, int]:
    """The operator, all reductions as one, and the number of its input."""
    return ("Reduce" if node.op_type.startswith("Reduce") else node.op_type, position)


def value_for(role: Role, size: int, data: Sizes | None) -> Sequence[float] | None:
    """`size` values that fit the role; `data`: the shape of the node's first input. None if none are known."""
    values = ROLES[role_name(role.node, role.position)](size, data or (), role.node)
    return values if len(values) == size else None


def whole_number(node: onnx.NodeProto, name: str, otherwise: int) -> int:
    """An attribute of a node."""
    return next((int(attribute.i) for attribute in node.attribute if attribute.name == name), otherwise)


# What fits, from the operators' descriptions at onnx.ai. Each maker takes the number of values, the shape of the
# node's first input, () if unknown, and the node.


def reshaped(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    """One free size and ones: any tensor has this shape."""
    return [-1, *[1] * (size - 1)][:size]


def data_sizes(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    """The shape of the data, which leaves it as large as it is."""
    return list(data[-size:] if size else ())


def first_axes(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    return list(range(size))


def axes_of_size_one(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    return [axis for axis, length in enumerate(data) if length == 1][:size]


def equal_parts(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    """Sizes of parts whose sum is the axis that is split."""
    if not size or not data:
        return []
    whole, over = divmod(data[whole_number(node, "axis", 0)], size)
    return [whole + (part < over) for part in range(size)]


def grid_size(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    """The size of the images that a grid is made for: as many as it has matrices."""
    return [*data[:1], 1, *[8] * (size - 2)]


def columns(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    """The size of an image of as many pixels as there are blocks, for blocks of one pixel."""
    return [*data[2:], *[1] * (size - 1)]


def whole_region(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    """The beginnings and ends of a region of interest, as fractions: all of the image."""
    return [0.0] * (size // 2) + [1.0] * (size - size // 2)


def zeros(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    return [0] * size


def ones(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    return [1] * size


def eights(size: int, data: Sizes, node: onnx.NodeProto) -> Sequence[float]:
    """A length that is neither nothing nor too much: a window, an end, a depth."""
    return [8] * size


ROLES = {
    ("Reshape", 1): reshaped,
    ("Expand", 1): ones,
    ("Tile", 1): ones,
    ("Slice", 1): zeros,
    ("Slice", 2): ones,
    ("Slice", 3): first_axes,
    ("Slice", 4): ones,
    ("Squeeze", 1): axes_of_size_one,
    ("Unsqueeze", 1): first_axes,
    ("Reduce", 1): first_axes,
    ("Resize", 1): whole_region,
    ("Resize", 2): ones,
    ("Resize", 3): data_sizes,
    ("Upsample", 1): ones,
    ("CenterCropPad", 1): data_sizes,
    ("Split", 1): equal_parts,
    ("SplitToSequence", 1): equal_parts,
    ("AffineGrid", 1): grid_size,
    ("Col2Im", 1): columns,
    ("Col2Im", 2): ones,
    ("Pad", 1): zeros,
    ("Pad", 3): first_axes,
    ("CumSum", 1): zeros,
    ("Range", 1): eights,
    ("OneHot", 1): eights,
    ("STFT", 3): eights,
    ("MelWeightMatrix", 1): eights,
    ("MelWeightMatrix", 2): eights,
    ("HannWindow", 0): eights,
    ("HammingWindow", 0): eights,
    ("BlackmanWindow", 0): eights,
}
