"""How ONNX Runtime Web supports a model: run in WebAssembly where Node is here, and by its table for WebGPU."""

from dataclasses import replace
from pathlib import Path

import onnx

from kanji_tui.engines.results import Node
from kanji_tui.engines.web_assembly import run_in_node, why_not
from kanji_tui.engines.web_runtime import pinned
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
    run = run_in_node(path, found.inputs)
    version = f"{pinned().version}, WebAssembly in Node"
    if run.error:
        return replace(
            by_table, runs=False, reason=f"in WebAssembly: {run.error}; WebGPU {REASON}", version=version
        )
    reason, difference = compare_with_reference(model, found.outputs, list(run.outputs))
    verdict = f"in WebAssembly {reason}" if reason else "run in WebAssembly"
    return replace(
        by_table,
        runs=not reason,
        reason=f"{verdict}; WebGPU {REASON}",
        version=version,
        difference=difference,
        latency=run.latency,
    )
