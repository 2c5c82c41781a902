"""How ONNX Runtime Web supports a model: run in WebAssembly where Node is here, and by its table for WebGPU."""

import contextlib
from dataclasses import replace
from pathlib import Path

import onnx

from kanji_tui.engines.engine import WEB, EngineError, engine_version
from kanji_tui.engines.results import Node
from kanji_tui.engines.web_assembly import WebEngine, why_not
from kanji_tui.inspection.results import Support
from kanji_tui.inspection.support import FoundSupport, compare_with_reference
from kanji_tui.inspection.webgpu import REASON, webgpu_support


def web_support(
    path: Path, model: onnx.ModelProto, nodes: tuple[Node, ...], opsets: dict[str, int], found: FoundSupport
) -> Support:
    """The verdict on ONNX Runtime Web. `found`: what the other engines said, and what they ran the model on.

    `runs`: it ran in WebAssembly, and its outputs agreed; None where it was not run. `refused`: the nodes that have
    no WebGPU kernel.
    """
    by_table = webgpu_support(nodes, opsets)
    if found.outputs is None or why_not(path, found.inputs):
        return by_table
    version, latency = engine_version(WEB), None
    with WebEngine() as engine:
        try:
            outputs = engine.run(path, found.inputs)
        except EngineError as error:
            return replace(
                by_table, runs=False, reason=f"in WebAssembly: {error}; WebGPU {REASON}", version=version
            )
        with contextlib.suppress(EngineError):  # it runs, but too slowly to be timed
            latency = engine.latency(path, found.inputs)
    reason, difference = compare_with_reference(model, found.outputs, outputs)
    verdict = f"in WebAssembly {reason}" if reason else "run in WebAssembly"
    return replace(
        by_table,
        runs=not reason,
        reason=f"{verdict}; WebGPU {REASON}",
        version=version,
        difference=difference,
        latency=latency,
    )
