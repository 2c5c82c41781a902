"""Finds the values of all tensors of a model, by running it once with each of them as an output."""

from pathlib import Path

import onnx
from onnx.external_data_helper import uses_external_data

from kanji_tui.engines.engine import Engine, EngineError
from kanji_tui.engines.graph import infer_shapes
from kanji_tui.engines.loading import LARGEST, all_tensors, embedded, serialised, stored_bytes
from kanji_tui.engines.weights import dense_array
from kanji_tui.inspection.probing import Values, fixed_names, read_names
from kanji_tui.inspection.whole_run import WholeRun


def trace(path: Path, model: onnx.ModelProto, ran: WholeRun, engine: Engine | None, folder: Path) -> Values:
    """The values of all tensors of the main graph that something reads, as far as a run in `engine` gives them.

    If the model did not run, there is no engine, or the model is too large for the file that this needs, only
    weights and inputs are known; `probe_nodes` then adds what the nodes compute one by one.
    """
    guess = ran.guess
    arrays = dict(ran.inputs)
    symbols = guess.symbols if guess else {}
    read = read_names(model.graph)
    names = [name for node in model.graph.node for name in node.output if name in read]
    if engine and guess and ran.outputs is not None and names and stored_bytes(model, path) < LARGEST:
        traced = folder / "trace.onnx"
        try:
            traced.write_bytes(serialised(with_outputs(model, names, path.parent)))
            outputs = engine.run(traced, ran.inputs, symbols)
            arrays |= {name: array for name, array in zip(names, outputs, strict=True) if array is not None}
        except (EngineError, ValueError):
            pass  # more than protobuf's 2 GiB, or a type that Python lacks
        traced.unlink(missing_ok=True)
    arrays |= {sparse.values.name: dense_array(sparse) for sparse in model.graph.sparse_initializer}
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    types |= {v.name: v.type.tensor_type.elem_type for v in inferred_values(model)}
    return Values(
        arrays=arrays,
        weights={tensor.name: tensor for tensor in model.graph.initializer if tensor.name not in arrays},
        folder=path.parent,
        fixed=fixed_names(model.graph),
        types=types,
        shapes=infer_shapes(model, symbols),
        fit=ran.outputs is not None,
    )


def with_outputs(model: onnx.ModelProto, names: list[str], folder: Path) -> onnx.ModelProto:
    """A copy of the model that has the tensors `names` as outputs and all weights in it.

    `folder` holds the model's external data. Raises ValueError if it cannot be read.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    try:
        for tensor in filter(uses_external_data, all_tensors(copy.graph)):
            tensor.CopyFrom(embedded(tensor, folder))
    except Exception as error:  # OSError, TypeError, onnx's ValidationError
        raise ValueError(str(error)) from None
    return copy


def inferred_values(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The tensors of the main graph whose types ONNX infers."""
    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except Exception:  # inference failed: only the declared types are known
        graph = model.graph
    return [*graph.input, *graph.value_info, *graph.output]
