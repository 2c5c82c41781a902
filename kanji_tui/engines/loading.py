"""Reads any ONNX file; if it cannot be read, the error says why in one sentence."""

import math
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import external_data_helper, inliner

from kanji_tui.errors import KanjiError


def load_onnx(path: Path) -> onnx.ModelProto:
    """The model in `path` with its weights, model-local functions inlined.

    Raises KanjiError for a file that is missing, empty, truncated, not ONNX, or whose external data is missing.
    """
    path = Path(path)
    if not path.exists():
        raise KanjiError(f"{path} does not exist")
    if path.is_dir():
        raise KanjiError(f"{path} is a folder, not an ONNX file", f"name a file in it: ls {path}")
    if path.stat().st_size == 0:
        raise KanjiError(f"{path} is empty", "export it again")
    try:
        model = onnx.load(str(path), format="protobuf", load_external_data=False)
    except OSError as error:
        raise KanjiError(f"{path} cannot be read: {error.strerror or error}", f"ls -l {path}") from None
    except (DecodeError, ValueError, UnicodeDecodeError) as error:
        raise KanjiError(
            f"{path} is not an ONNX file, or a truncated one ({str(error) or type(error).__name__})",
            "copy or export it again, and compare the sizes",
        ) from None
    if not model.HasField("graph") or not model.opset_import:
        raise KanjiError(f"{path} is not an ONNX file: it has no {'opset' if model.HasField('graph') else 'graph'}")
    load_external_data(model, path)
    if model.functions:
        try:
            model = inliner.inline_local_functions(model)
        except Exception as error:  # onnx raises bare RuntimeErrors here
            raise KanjiError(f"{path}: its functions cannot be inlined: {error}") from None
    return model


def load_external_data(model: onnx.ModelProto, path: Path) -> None:
    """Read the weights stored in files beside `path` into the model."""
    names = external_files(model)
    missing = [name for name in names if not (path.parent / name).is_file()]
    if missing:
        raise KanjiError(
            f"{path} stores its weights in another file, {missing[0]}, which is missing in the same folder",
            f"put {missing[0]} into {path.parent}, or export the model again in one file",
        )
    if not names:
        return
    try:
        external_data_helper.load_external_data_for_model(model, str(path.parent))
    except Exception as error:  # checker.ValidationError, OSError, ValueError: the same message for all
        raise KanjiError(f"{path}: its weights in {', '.join(names)} cannot be read: {error}") from None


def external_files(model: onnx.ModelProto) -> list[str]:
    """The names of the files that hold the model's external data; usually none."""
    names = {
        entry.value
        for tensor in all_tensors(model.graph)
        if external_data_helper.uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return sorted(names)


def subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs in a node's attributes: branches of an If, the body of a Loop."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Every node of a graph and of its subgraphs."""
    for node in graph.node:
        yield node
        for inner in subgraphs(node):
            yield from all_nodes(inner)


def captured(node: onnx.NodeProto) -> Iterator[str]:
    """The tensors of the outer graph that the subgraphs of a node read."""
    for graph in subgraphs(node):
        own = {value.name for value in graph.input} | initialiser_names(graph)
        for inner in graph.node:
            yield from (name for name in (*inner.input, *captured(inner)) if name and name not in own)
            own.update(inner.output)
        yield from (value.name for value in graph.output if value.name not in own)


def initialiser_names(graph: onnx.GraphProto) -> set[str]:
    """The names of a graph's initialisers, sparse ones among them."""
    return {
        *(tensor.name for tensor in graph.initializer),
        *(sparse.values.name for sparse in graph.sparse_initializer),
    }


def initialisers(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """(name, tensor) of a graph's initialisers; a sparse one consists of two tensors, values and indices."""
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for sparse in graph.sparse_initializer:
        yield sparse.values.name, sparse.values
        yield sparse.values.name, sparse.indices


def attribute_tensors(node: onnx.NodeProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """(name, tensor) of the tensors in a node's attributes: the name under which other nodes read it, or ""."""
    constant = node.op_type in ("Constant", "ConstantOfShape")  # their output is the tensor, or filled with it
    name = node.output[0] if constant and node.output else ""
    for attribute in node.attribute:
        dense = [attribute.t] if attribute.HasField("t") else []
        sparse = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
        yield from ((name, tensor) for tensor in (*dense, *attribute.tensors))
        for tensor in (*sparse, *attribute.sparse_tensors):
            yield name, tensor.values
            yield name, tensor.indices


def named_tensors(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    """(name, tensor) of every tensor stored in a graph and its subgraphs, "" for those that no node can read."""
    yield from initialisers(graph)
    for node in graph.node:
        yield from attribute_tensors(node)
        for inner in subgraphs(node):
            yield from named_tensors(inner)


def all_tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every tensor in a graph: initialisers and attributes of its nodes, subgraphs included."""
    return (tensor for _, tensor in named_tensors(graph))


# The elements in a byte, for types that are packed (onnx.proto, TensorProto.int32_data).
PACKED = {"INT4": 2, "UINT4": 2, "FLOAT4E2M1": 2, "INT2": 4, "UINT2": 4}


def tensor_bytes(tensor: onnx.TensorProto) -> int:
    """Bytes of a tensor's elements as they are stored; 0 for types that this onnx package does not know."""
    if tensor.data_type == onnx.TensorProto.STRING:
        return sum(map(len, tensor.string_data))
    count = math.prod(tensor.dims)
    try:
        name = onnx.TensorProto.DataType.Name(tensor.data_type)
        width = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, TypeError, ValueError):
        return 0
    return math.ceil(count / PACKED[name]) if name in PACKED else int(count * width)
