"""Finds out how both engines support a model: runs the whole model on an input, then every node alone.

ONNX Runtime runs first and gives the values of all tensors; tract is compared with them.
"""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx

from kanji_tui.engines.engine import Engine, EngineError, engine_version, random_value
from kanji_tui.engines.graph import graph_inputs, infer_shapes, shape_of
from kanji_tui.engines.loading import all_nodes, all_tensors
from kanji_tui.engines.results import Latency, Shape
from kanji_tui.engines.weights import dense_array
from kanji_tui.events import Report
from kanji_tui.inspection.difference import disagreement
from kanji_tui.inspection.probing import RANDOM, Values, fixed_names, probe_nodes
from kanji_tui.inspection.results import Support
from kanji_tui.inspection.third_opinion import third_opinion

WHOLE_LIMIT_SECONDS = 60.0
# Sizes tried for symbolic dimensions other than the batch: common sequence lengths and image sizes.
SIZES = (64, 224, 16, 8, 1)


@dataclass(frozen=True)
class FoundSupport:
    """Support by engine, the input shapes and symbol sizes it holds for, and the tensor shapes of the run."""

    backends: dict[str, Support]
    ran_on: dict[str, tuple[int, ...]]
    symbols: dict[str, int]
    shapes: dict[str, Shape] = field(default_factory=dict)


@dataclass
class WholeRun:
    """The run of a whole model: its outputs, or None and the reason; `untried`: it was not run at all."""

    outputs: list[np.ndarray | None] | None
    reason: str = ""
    latency: Latency | None = None
    untried: bool = False


def find_support(
    path: Path, model: onnx.ModelProto, onnxruntime: Engine, tract: Engine, folder: Path, report: Report
) -> FoundSupport:
    """Run the whole model and every node alone in both engines; `folder` is for temporary files."""
    inputs, symbols, reference, no_inputs = run_reference(path, model, onnxruntime)
    values = trace(model, inputs, symbols, onnxruntime, folder, run=reference.outputs is not None)
    other = WholeRun(None, no_inputs) if no_inputs else run_whole(tract, path, inputs, symbols)
    backends = {}
    for engine, whole in ((onnxruntime, reference), (tract, other)):
        reason, difference = whole.reason, None
        if engine is tract and whole.outputs is not None and reference.outputs is not None:
            reason, difference = compare_with_reference(model, reference.outputs, whole.outputs)
            if reason:
                disputed = {onnxruntime.name: reference.outputs, tract.name: whole.outputs}
                reason += f"; {third_opinion(path, inputs, symbols, disputed)}"
        probes = probe_nodes(engine, model, values, folder, report)
        backends[engine.name] = Support(
            runs=None if no_inputs or whole.untried else whole.outputs is not None and not reason,
            refused=tuple(probes.refused),
            reason=reason,
            version=engine_version(engine.name),
            probed=probes.probed,
            not_probed=tuple(probes.not_probed),
            difference=difference,
            latency=whole.latency,
        )
    return FoundSupport(
        backends=backends,
        ran_on={name: array.shape for name, array in inputs.items()},
        symbols=symbols,
        shapes={name: array.shape for name, array in values.arrays.items()},
    )


def run_reference(
    path: Path, model: onnx.ModelProto, engine: Engine
) -> tuple[dict[str, np.ndarray], dict[str, int], WholeRun, str]:
    """Run the model in ONNX Runtime with the first of SIZES that works.

    Returns the inputs, the sizes of symbols, the run, and the reason if no inputs can be made ("" if they can).
    """
    first: tuple[dict[str, np.ndarray], dict[str, int], WholeRun, str] | None = None
    for size in SIZES:
        try:
            inputs, symbols = make_inputs(model, size)
        except ValueError as error:
            return {}, {}, WholeRun(None, str(error)), str(error)
        whole = run_whole(engine, path, inputs, symbols)
        if whole.outputs is not None:
            return inputs, symbols, whole, ""
        first = first or (inputs, symbols, whole, "")
        if all(array.shape == inputs[name].shape for name, array in make_inputs(model, SIZES[-1])[0].items()):
            break  # no input has a free size
    assert first is not None
    return first


def make_inputs(model: onnx.ModelProto, size: int, batch: int = 1) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Random inputs and the sizes of the symbols: `batch` for a free first dimension, `size` for other free ones.

    Raises ValueError for inputs that are not tensors or of types that NumPy lacks, and for a graph without outputs.
    """
    if not model.graph.output:
        raise ValueError("not run: the graph is empty, it has no output")
    required = graph_inputs(model)
    symbols: dict[str, int] = {}
    for value in required:
        for axis, dim in enumerate(shape_of(value) or ()):
            if isinstance(dim, str) and dim != "?":
                symbols[dim] = batch if axis == 0 else symbols.get(dim, size)
    inputs = {}
    for seed, value in enumerate(required):
        if value.type.WhichOneof("value") != "tensor_type":
            raise ValueError(f"not run: its input '{value.name}' is not a tensor")
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type))
        if dtype.kind == "V" or dtype.names or dtype.str[1] == "V":
            raise ValueError(f"not run: its input '{value.name}' has a type that NumPy lacks")
        shape = shape_of(value)
        if shape is None:
            shape = (1,)
        known = tuple(
            symbols.get(dim, batch if axis == 0 else size) if isinstance(dim, str) else dim
            for axis, dim in enumerate(shape)
        )
        inputs[value.name] = random_value(dtype, known, seed)
    return inputs, symbols


def run_whole(engine: Engine, path: Path, inputs: dict[str, np.ndarray], symbols: dict[str, int]) -> WholeRun:
    """Run the file, and time it if it runs."""
    if engine.name == "tract" and any(array.dtype.kind == "U" for array in inputs.values()):
        return WholeRun(None, "not run: the Python package of tract does not support strings", untried=True)
    try:
        outputs = engine.run(path, inputs, symbols, WHOLE_LIMIT_SECONDS)
    except EngineError as error:
        return WholeRun(None, str(error))
    with contextlib.suppress(EngineError):  # it runs, but too slowly to be timed
        return WholeRun(outputs, latency=engine.latency(path, inputs, symbols))
    return WholeRun(outputs)


def compare_with_reference(
    model: onnx.ModelProto, reference: list[np.ndarray | None], outputs: list[np.ndarray | None]
) -> tuple[str, float | None]:
    """How tract's outputs differ from ONNX Runtime's ("" if they agree), and the largest difference."""
    if any(node.op_type in RANDOM for node in all_nodes(model.graph)):
        return "", None
    both = zip(reference, outputs, strict=False)
    pairs = [(want, have) for want, have in both if want is not None and have is not None]
    half = any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in all_tensors(model.graph))
    reason, difference = disagreement([want for want, _ in pairs], [have for _, have in pairs], half)
    return f"it runs, but {reason}" if reason else "", difference


def trace(
    model: onnx.ModelProto,
    inputs: dict[str, np.ndarray],
    symbols: dict[str, int],
    engine: Engine,
    folder: Path,
    run: bool,
) -> Values:
    """The values of all tensors of the main graph, from one run in which each of them is an output.

    With `run` False (the model does not run) only weights and inputs are known; `probe_nodes` then adds more.
    """
    shapes = infer_shapes(model, symbols)
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    types |= {v.name: v.type.tensor_type.elem_type for v in inferred_values(model)}
    arrays = dict(inputs)
    for tensor in model.graph.initializer:
        try:
            arrays.setdefault(tensor.name, onnx.numpy_helper.to_array(tensor))
        except (ValueError, TypeError, KeyError):
            continue
    for sparse in model.graph.sparse_initializer:
        arrays.setdefault(sparse.values.name, dense_array(sparse))
    names = [name for node in model.graph.node for name in node.output if name]
    if run and names:
        traced = onnx.ModelProto()
        traced.CopyFrom(model)
        del traced.graph.output[:]
        traced.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        path = folder / "trace.onnx"
        try:
            path.write_bytes(traced.SerializeToString())
            outputs = engine.run(path, inputs, symbols)
            arrays |= {name: array for name, array in zip(names, outputs, strict=True) if array is not None}
        except (EngineError, ValueError):
            pass  # more than protobuf's 2 GB, or a type that Python lacks; `probe_nodes` finds the values then
    return Values(arrays, fixed_names(model.graph), types, shapes)


def inferred_values(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The tensors of the main graph whose types ONNX infers."""
    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except Exception:  # inference failed: only the declared types are known
        graph = model.graph
    return [*graph.input, *graph.value_info, *graph.output]
