"""Reads an exported file back and checks that it has every property of its target."""

import re
from collections.abc import Iterator
from pathlib import Path

import onnx

from kanji_tui.engines.graph import (
    GLOBAL_POOLS,
    describe_nodes,
    describe_tensor,
    find_pooling,
    infer_shapes,
    opsets,
)
from kanji_tui.engines.loading import all_nodes, external_files
from kanji_tui.engines.results import Pooling
from kanji_tui.errors import KanjiError
from kanji_tui.export.conversion import BATCH, INPUT, OUTPUT
from kanji_tui.export.targets import Target
from kanji_tui.networks.card import ModelCard

# A local path: /home/..., ~/..., C:\...
LOCAL_PATH = re.compile(r"(?:^|[\s\"'(=:,\[])(?:~?/|[A-Za-z]:\\+)[\w.@+-]+[/\\]")


def read_back(path: Path, target: Target, card: ModelCard) -> tuple[Pooling, ...]:
    """Check the file; returns its pooling nodes. Raises KanjiError naming the property that it lacks."""
    model = onnx.load(str(path), load_external_data=False)
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # ValidationError and InferenceError have no common base
        raise invalid(target, f"the ONNX checker rejects it: {error}") from None
    if opsets(model) != {"ai.onnx": target.opset}:
        raise invalid(target, f"it imports {opsets(model)}, not opset {target.opset} alone")
    if external_files(model):
        raise invalid(target, f"it stores weights in another file: {', '.join(external_files(model))}")
    check_interface(model, target, card)
    for text in texts(model):
        if found := LOCAL_PATH.search(text):
            raise invalid(target, f"its metadata contains a local path: {found.group().strip()}...")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    if metadata.get("card") != card.to_text():
        raise invalid(target, "its card is not the model's")
    pooling = find_pooling(model, describe_nodes(model, infer_shapes(model, {BATCH: 1})))
    if target.fixed_pooling:
        global_pools = [pool.node for pool in pooling if pool.window == "whole image"]
        global_pools += [node.name for node in all_nodes(model.graph) if node.op_type in GLOBAL_POOLS]
        if global_pools:
            raise invalid(target, f"it has a global pooling node: {global_pools[0]}")
    return pooling


def check_interface(model: onnx.ModelProto, target: Target, card: ModelCard) -> None:
    """Check name, type and shape of the one input and the one output."""
    batch = BATCH if target.batch is None else target.batch
    expected = [
        (INPUT, "float", (batch, 1, card.size, card.size)),
        (OUTPUT, "float", (batch, len(card.classes))),
    ]
    found = [describe_tensor(value) for value in (*model.graph.input, *model.graph.output)]
    if [(tensor.name, tensor.type, tensor.shape) for tensor in found] != expected:
        raise invalid(target, f"its inputs and outputs are {found}, not {expected}")


def texts(model: onnx.ModelProto) -> Iterator[str]:
    """Every doc string and metadata value in the file."""
    yield from (model.doc_string, model.graph.doc_string)
    yield from (entry.value for entry in (*model.metadata_props, *model.graph.metadata_props))
    for item in (*all_nodes(model.graph), *model.graph.input, *model.graph.output, *model.graph.initializer):
        yield item.doc_string
        yield from (entry.value for entry in item.metadata_props)


def invalid(target: Target, problem: str) -> KanjiError:
    """The error for a file that lacks a property of its target."""
    return KanjiError(f"the {target.name} file is not as it should be: {problem}; it was not kept")
