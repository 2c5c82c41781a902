"""The shapes that an ONNX file states."""

import onnx

from kanji_tui.engines.results import Shape


def shape_of(value: onnx.ValueInfoProto) -> Shape | None:
    """The shape of a tensor: sizes, names of symbolic sizes, "?" for a size without either; None if unknown."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return tuple(size_of(dim) for dim in tensor.shape.dim)


def size_of(dim: onnx.TensorShapeProto.Dimension) -> int | str:
    """A size, its name, or "?". Exporters write free sizes as -1, and inference may compute a negative one."""
    return dim.dim_value if dim.HasField("dim_value") and dim.dim_value >= 0 else dim.dim_param or "?"


def known_shapes(graph: onnx.GraphProto) -> dict[str, Shape]:
    """The shape of every tensor of a graph of which one is stated, without its subgraphs."""
    shapes: dict[str, Shape] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    shapes |= {sparse.values.name: tuple(sparse.dims) for sparse in graph.sparse_initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shape = shape_of(value)
        if shape is not None:
            shapes.setdefault(value.name, shape)
    return shapes
