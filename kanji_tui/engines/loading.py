"""Reads any ONNX file; if it cannot be read, the error says why in one sentence."""

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


def all_tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every tensor in a graph: initialisers and attributes of its nodes, subgraphs included."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
        for inner in subgraphs(node):
            yield from all_tensors(inner)
