"""Finds out how both engines support a model: runs the whole model on an input, then every node alone.

ONNX Runtime runs first and gives the values of all tensors; tract is compared with them.
"""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import onnx

from kanji_tui.engines.engine import ENGINES, Engine, Outputs, engine_version
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.loading import all_nodes, all_tensors
from kanji_tui.engines.results import Shape
from kanji_tui.events import Report
from kanji_tui.inspection.difference import disagreement
from kanji_tui.inspection.given_inputs import GivenInputs
from kanji_tui.inspection.made_up_inputs import make_inputs
from kanji_tui.inspection.probing import Probes, is_random, probe_nodes
from kanji_tui.inspection.results import Support
from kanji_tui.inspection.third_opinion import third_opinion
from kanji_tui.inspection.tracing import trace
from kanji_tui.inspection.whole_run import WholeRun, limit_seconds, run_first, run_whole


@dataclass(frozen=True)
class FoundSupport:
    """Support by engine, the input shapes and symbol sizes it holds for, and the tensor shapes of the run.

    `inputs`, `outputs`: of the run of the whole model, in the first engine that ran it; None if neither did.
    """

    backends: dict[str, Support]
    ran_on: dict[str, tuple[int, ...]]
    symbols: dict[str, int]
    shapes: dict[str, Shape] = field(default_factory=dict)
    inputs: Arrays = field(default_factory=dict)
    outputs: Outputs | None = None


def find_support(
    path: Path,
    model: onnx.ModelProto,
    given: GivenInputs,
    engines: tuple[Engine, Engine],
    folder: Path,
    report: Report,
) -> FoundSupport:
    """Run the whole model and every node alone in both engines; `folder` is for temporary files.

    Raises UsageError for given inputs that are not the model's.
    """
    onnxruntime, tract = engines
    reference = run_first(onnxruntime, path, model, given, report)
    make = partial(make_inputs, model, given=given)
    if reference.to_run:
        other = run_whole(tract, path, reference.to_run, make, limit_seconds(model, path), report)
    else:
        other = WholeRun(no_inputs=reference.no_inputs)
    ran = other if reference.outputs is None and other.outputs is not None else reference
    values = trace(path, model, ran, None if ran is other else onnxruntime, folder)
    backends = {}
    for engine, whole in ((onnxruntime, reference), (tract, other)):
        refused_whole = whole.error is not None and whole.error.whole_file
        runs = whole.outputs is not None
        probes = Probes() if refused_whole else probe_nodes(engine, model, values, runs, folder, report)
        backends[engine.name] = support_of(engine, path, model, whole, reference, probes)
    return FoundSupport(
        backends=backends,
        ran_on=ran.guess.shapes if ran.guess else {},
        symbols=ran.guess.symbols if ran.guess else {},
        shapes={name: array.shape for name, array in values.arrays.items()},
        inputs=ran.inputs,
        outputs=ran.outputs,
    )


def support_of(
    engine: Engine, path: Path, model: onnx.ModelProto, whole: WholeRun, reference: WholeRun, probes: Probes
) -> Support:
    """The verdict on an engine, with the evidence for it."""
    reason, difference = whole.reason, None
    if whole is not reference and whole.outputs is not None and reference.outputs is not None:
        reason, difference = compare_with_reference(model, reference.outputs, whole.outputs)
        if reason:
            disputed = {ENGINES[0]: reference.outputs, engine.name: whole.outputs}
            symbols = whole.guess.symbols if whole.guess else {}
            reason += f"; {third_opinion(path, whole.inputs, symbols, disputed)}"
    runs: bool | None = whole.outputs is not None and not reason
    if whole.undecided(reference) and not (whole.error and probes.refused):
        runs, reason = None, whole.reason_undecided
    return Support(
        runs=runs,
        refused=tuple(probes.refused),
        reason=reason or None,
        version=engine_version(engine.name),
        probed=probes.probed,
        not_probed=tuple(probes.not_probed),
        difference=difference,
        latency=whole.latency,
        opening=whole.opening,
        tried=whole.tried,
    )


def compare_with_reference(
    model: onnx.ModelProto, reference: list[np.ndarray | None], outputs: list[np.ndarray | None]
) -> tuple[str, float | None]:
    """How tract's outputs differ from ONNX Runtime's ("" if they agree), and the largest difference."""
    if any(is_random(node) for node in all_nodes(model.graph)):
        return "", None
    both = zip(reference, outputs, strict=False)
    pairs = [(want, have) for want, have in both if want is not None and have is not None]
    half = any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in all_tensors(model.graph))
    reason, difference = disagreement([want for want, _ in pairs], [have for _, have in pairs], half)
    return f"it runs, but {reason}" if reason else "", difference
