"""`inspect`: describes ONNX files, and finds out by running them which engines support them."""

from functools import partial
from pathlib import Path

import onnx

from kanji_tui.engines.engine import ENGINES, Engine
from kanji_tui.engines.graph import (
    count_operators,
    describe_nodes,
    describe_tensor,
    find_pooling,
    graph_inputs,
    opsets,
    with_shapes,
)
from kanji_tui.engines.loading import load_onnx
from kanji_tui.engines.shapes import known_shapes
from kanji_tui.engines.weights import count_parameters, weight_bytes
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.inspection.failures import answer_or_failure
from kanji_tui.inspection.given_inputs import GivenInputs, InputShape, read_given
from kanji_tui.inspection.layers import size_by_layer
from kanji_tui.inspection.results import FailedModel, Inspected, InspectedModel
from kanji_tui.inspection.support import find_support
from kanji_tui.inspection.web_support import web_support
from kanji_tui.system.files import sha256
from kanji_tui.system.folders import temporary_folder


def inspect_models(
    paths: tuple[Path, ...], report: Report, shapes: tuple[InputShape, ...] = (), arrays: Path | None = None
) -> Inspected:
    """Inspect each file in turn, on the inputs in the .npz file `arrays`, made-up ones of `shapes`, or guesses.

    A file that cannot be inspected gets an error as its entry. Raises UsageError if `shapes` or `arrays` make no
    sense for any file.
    """
    given = read_given(shapes, arrays)
    models: list[InspectedModel | FailedModel] = []
    with Engine(ENGINES[0]) as onnxruntime, Engine(ENGINES[1]) as tract:
        for number, path in enumerate(paths):
            raise_if_stopped(report)
            report(Progress("inspecting", number, len(paths), "models", Path(path).name))
            answer = partial(inspect_model, Path(path), given, (onnxruntime, tract), report)
            models.append(answer_or_failure(Path(path), answer))
    report(Progress("inspecting", len(paths), len(paths), "models"))
    return Inspected(tuple(models))


def inspect_model(path: Path, given: GivenInputs, engines: tuple[Engine, Engine], report: Report) -> InspectedModel:
    """Describe the file and run it in both engines. Raises KanjiError if it cannot be read."""
    model = load_onnx(path)
    with temporary_folder() as folder:
        support = find_support(path, model, given, engines, folder, report)
    # Shapes measured in a run override inferred ones.
    inferred = with_shapes(model, support.symbols)
    nodes = describe_nodes(inferred, {**known_shapes(inferred.graph), **support.shapes})
    imported = opsets(model)
    return InspectedModel(
        path=str(path),
        bytes=path.stat().st_size,
        weight_bytes=weight_bytes(model),
        opset=imported.get("ai.onnx", 0),
        opsets=imported,
        ir_version=model.ir_version,
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        inputs=tuple(describe_tensor(value) for value in graph_inputs(model)),
        outputs=tuple(describe_tensor(value) for value in model.graph.output),
        operators=count_operators(model),
        pooling=find_pooling(model, nodes),
        parameters=count_parameters(model),
        macs=sum(node.macs or 0 for node in nodes),
        macs_unknown=sum(node.macs is None for node in nodes),
        layers=size_by_layer(model, nodes),
        nodes=nodes,
        metadata=read_metadata(model),
        ran_on=support.ran_on,
        backends={**support.backends, "onnxruntime-web": web_support(path, model, nodes, imported, support)},
        digest=sha256(path),
    )


def read_metadata(model: onnx.ModelProto) -> dict[str, str]:
    """The metadata in the file, by key."""
    return {entry.key: entry.value for entry in model.metadata_props}
