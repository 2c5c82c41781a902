"""Reads any ONNX file; if it cannot be read, the error says why in one sentence."""

import math
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError, EncodeError, Message  # type: ignore[import-untyped]
from onnx import external_data_helper, inliner, numpy_helper

from kanji_tui.errors import KanjiError
from kanji_tui.system import numbers
from kanji_tui.system.file_kinds import foreign_kind
from kanji_tui.system.files import parsing, where_sought

LARGEST = 2**31 - 1  # bytes of a protobuf message, and so of an ONNX file without the files beside it
SMALL = 2**16  # weights of at most this many bytes are read at once: shapes and axes are among them


def load_onnx(path: Path) -> onnx.ModelProto:
    """The model in `path`, model-local functions inlined.

    Weights in files beside it stay there, so that a model may be larger than memory or than a protobuf message:
    `read_tensor` and `embedded` read them. Raises KanjiError for a file that is missing, empty, truncated, too
    large or not ONNX, or whose external data is missing.
    """
    path = Path(path)
    check_file(path)
    try:
        model = onnx.load(str(path), format="protobuf", load_external_data=False)
    except OSError as error:
        raise KanjiError(f"{path} cannot be read: {error.strerror or error}", f"ls -l {path}") from None
    except (DecodeError, ValueError, UnicodeDecodeError) as error:
        raise not_onnx(path, f" file, or a truncated one ({str(error) or type(error).__name__})") from None
    if not model.HasField("graph") or not model.opset_import:
        raise not_onnx(path, f" file: it has no {'opset' if model.HasField('graph') else 'graph'}")
    check_texts(model, path)
    check_external_data(model, path)
    if model.functions:
        try:
            model = inliner.inline_local_functions(model)
        except Exception as error:  # onnx raises bare RuntimeErrors here
            raise KanjiError(f"{path}: its functions cannot be inlined: {error}") from None
    return model


def check_file(path: Path) -> None:
    """Raise KanjiError if there is no file with content, or one larger than an ONNX file can be."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise KanjiError(f"{path} does not exist", where_sought(path)) from None
    except OSError as error:
        raise KanjiError(f"{path} cannot be read: {error.strerror or error}", f"ls -l {path}") from None
    if stat.S_ISDIR(found.st_mode):
        raise KanjiError(f"{path} is a folder, not an ONNX file", f"name a file in it: ls {path}")
    if not stat.S_ISREG(found.st_mode):
        raise KanjiError(f"{path} is not a regular file", "give the path of an ONNX file")
    if found.st_size == 0:
        raise KanjiError(f"{path} is empty", "export it again")
    if found.st_size > LARGEST and foreign_kind(path) is None:
        raise KanjiError(
            f"{path} has {numbers.size(found.st_size)}, but ONNX files end at {numbers.size(LARGEST + 1)}",
            "export the model with its weights in a second file (external data)",
        )


def check_texts(model: onnx.ModelProto, path: Path) -> None:
    """Raise KanjiError if a name or another text is not UTF-8, which protobuf only finds when it is read."""
    pending: list[Any] = [model]
    try:
        while pending:
            message = pending.pop()
            if isinstance(message, onnx.TensorProto):  # its values are no text, and may be many
                _ = message.name, message.doc_string, [(entry.key, entry.value) for entry in message.external_data]
                continue
            for _, value in message.ListFields():
                held = [value] if isinstance(value, str | bytes | int | float | Message) else value
                pending += [item for item in held if isinstance(item, Message)]
    except UnicodeDecodeError:
        raise KanjiError(f"{path} has a name or another text that is not UTF-8", "export it again") from None


def not_onnx(path: Path, otherwise: str) -> KanjiError:
    """The error for a file without a model: what it is, if that is known, else `is not an ONNX` + `otherwise`."""
    kind = foreign_kind(path)
    if kind is not None:
        return KanjiError(f"{path} is not an ONNX file but {kind.name}", kind.remedy)
    return KanjiError(f"{path} is not an ONNX{otherwise}", "copy or export it again, and compare the sizes")


# Weights in other files.


def check_external_data(model: onnx.ModelProto, path: Path) -> None:
    """Check that the files with the model's external data are there and large enough; read its small tensors.

    Raises KanjiError.
    """
    names = external_files(model)
    missing = [name for name in names if not (path.parent / name).is_file()]
    if missing:
        raise KanjiError(
            f"{path} stores its weights in another file, {missing[0]}, which is missing in the same folder",
            f"put {missing[0]} into {path.parent}, or export the model again in one file",
        )
    try:
        for tensor in filter(external_data_helper.uses_external_data, all_tensors(model.graph)):
            if weight_length(tensor, path.parent) <= SMALL:
                tensor.CopyFrom(embedded(tensor, path.parent))
    except Exception as error:  # checker.ValidationError, OSError, ValueError: the same message for all
        raise KanjiError(f"{path}: its weights in {', '.join(names)} cannot be read: {error}") from None


def weight_length(tensor: onnx.TensorProto, folder: Path) -> int:
    """The bytes that a tensor takes in its external file; those of its shape if no number is stated.

    Raises ValueError if they are not there.
    """
    info = external_data_helper.ExternalDataInfo(tensor)
    if not is_inside(info.location):
        raise ValueError(f"the tensor '{tensor.name}' lies in '{info.location}', outside of the model's folder")
    offset, size = info.offset or 0, (folder / info.location).stat().st_size
    length = (tensor_bytes(tensor) or size - offset) if info.length is None else int(info.length)
    if length < 0 or offset + length > size:
        raise ValueError(
            f"{info.location} has {size} bytes, but the tensor '{tensor.name}' ends at {offset + length}"
        )
    return length


def stored_bytes(model: onnx.ModelProto, path: Path) -> int:
    """Bytes of the model's file and of its weights in other files."""
    outside = filter(external_data_helper.uses_external_data, all_tensors(model.graph))
    return path.stat().st_size + sum(weight_length(tensor, path.parent) for tensor in outside)


def is_inside(location: str) -> bool:
    """Whether the location of external data names a file in the model's folder or below it, as ONNX demands."""
    return bool(location) and not Path(location).is_absolute() and ".." not in Path(location).parts


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


def embedded(tensor: onnx.TensorProto, folder: Path) -> onnx.TensorProto:
    """The tensor with its data; `folder` holds the file with the model's external data.

    Raises ValueError, TypeError, OSError or onnx's ValidationError if the data cannot be read.
    """
    if not external_data_helper.uses_external_data(tensor):
        return tensor
    copy = onnx.TensorProto()
    copy.CopyFrom(tensor)
    external_data_helper.load_external_data_for_tensor(copy, str(folder))
    copy.data_location = onnx.TensorProto.DEFAULT
    del copy.external_data[:]
    return copy


def load_whole(path: Path) -> onnx.ModelProto:
    """The model with the weights of files beside it; raises as `load_onnx` does."""
    model = load_onnx(path)
    with parsing(path, "an ONNX file"):
        for tensor in filter(external_data_helper.uses_external_data, all_tensors(model.graph)):
            tensor.CopyFrom(embedded(tensor, path.parent))
    return model


def read_tensor(tensor: onnx.TensorProto, folder: Path) -> np.ndarray:
    """The values of a tensor. Raises what `embedded` raises, and KeyError for a type that NumPy lacks."""
    return np.asarray(numpy_helper.to_array(embedded(tensor, folder)))


def serialised(model: onnx.ModelProto) -> bytes:
    """The model as bytes. Raises ValueError if it is larger than a protobuf message can be."""
    try:
        return bytes(model.SerializeToString())
    except EncodeError:
        raise ValueError(f"it would be larger than {numbers.size(LARGEST + 1)}, where ONNX files end") from None


def write_without_shapes(path: Path, folder: Path) -> Path:
    """Write the model into `folder` without the shapes of inner tensors and outputs; external data is linked."""
    model = onnx.load(str(path), load_external_data=False)
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    for name in filter(is_inside, external_files(model)):
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to((path.parent / name).resolve())
    written = folder / "without_shapes.onnx"
    written.write_bytes(serialised(model))
    return written


# Nodes and tensors.


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
