"""An exported file read back: does it keep every promise of its target?"""

import json
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

# A path of some machine: /home/..., ~/..., C:\...
LOCAL_PATH = re.compile(r"(?:^|[\s\"'(=:,\[])(?:~?/|[A-Za-z]:\\+)[\w.@+-]+[/\\]")


def read_back(path: Path, target: Target, card: ModelCard) -> tuple[Pooling, ...]:
    """Check the file and give its pooling nodes. Raises KanjiError naming the promise it breaks."""
    model = onnx.load(str(path), load_external_data=False)
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # ValidationError and InferenceError share no base
        raise broken(target, f"the ONNX checker refuses it: {error}") from None
    if opsets(model) != {"ai.onnx": target.opset}:
        raise broken(target, f"it imports {opsets(model)}, not opset {target.opset} alone")
    if external_files(model):
        raise broken(target, f"it keeps weights in another file: {', '.join(external_files(model))}")
    check_interface(model, target, card)
    for text in notes(model):
        if found := LOCAL_PATH.search(text):
            raise broken(target, f"its notes name a path of this machine: {found.group().strip()}...")
    kept = {entry.key: entry.value for entry in model.metadata_props}
    if json.loads(kept["card"]) != json.loads(json.dumps(card.to_json())):
        raise broken(target, "it carries another card than the model")
    pooling = find_pooling(model, describe_nodes(model, infer_shapes(model, {BATCH: 1})))
    if target.fixed_pooling:
        whole = [pool.node for pool in pooling if pool.window == "whole image"]
        whole += [node.name for node in all_nodes(model.graph) if node.op_type in GLOBAL_POOLS]
        if whole:
            raise broken(target, f"it still pools globally at {whole[0]}")
    return pooling


def check_interface(model: onnx.ModelProto, target: Target, card: ModelCard) -> None:
    """One input and one output, named, typed and shaped as promised."""
    batch = BATCH if target.batch is None else target.batch
    wanted = [
        (INPUT, "float", (batch, 1, card.size, card.size)),
        (OUTPUT, "float", (batch, len(card.classes))),
    ]
    found = [describe_tensor(value) for value in (*model.graph.input, *model.graph.output)]
    if [(tensor.name, tensor.type, tensor.shape) for tensor in found] != wanted:
        raise broken(target, f"its interface is {found}, not {wanted}")


def notes(model: onnx.ModelProto) -> Iterator[str]:
    """Every text in the file that is there for people: doc strings and metadata."""
    yield from (model.doc_string, model.graph.doc_string)
    yield from (entry.value for entry in (*model.metadata_props, *model.graph.metadata_props))
    for item in (*all_nodes(model.graph), *model.graph.input, *model.graph.output, *model.graph.initializer):
        yield item.doc_string
        yield from (entry.value for entry in item.metadata_props)


def broken(target: Target, what: str) -> KanjiError:
    """The sentence for a file that does not keep a promise."""
    return KanjiError(f"the {target.name} file is not what it should be: {what}; it was not kept")
