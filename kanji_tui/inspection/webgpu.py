"""The operators that ONNX Runtime Web supports on WebGPU, from its own table; nothing is run here."""

from functools import cache
from importlib.resources import files

from kanji_tui.engines.results import Node
from kanji_tui.inspection.results import UnsupportedNode

SOURCE = "onnxruntime-web 1.30.0, docs/webgpu-operators.md"


@cache
def webgpu_operators() -> dict[tuple[str, str], tuple[range, ...]]:
    """The opset versions of each (domain, operator) that has a WebGPU kernel."""
    text = (files("kanji_tui.inspection") / "facts" / "webgpu_operators.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[2:]]
    return {(row[1], row[0]): tuple(versions(part) for part in row[2].split(",")) for row in rows}


def versions(text: str) -> range:
    """The opset versions of `4-6`, `7` or `8+`, as a range."""
    if text.endswith("+"):
        return range(int(text[:-1]), 1000)
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def without_webgpu_kernel(nodes: tuple[Node, ...], opsets: dict[str, int]) -> tuple[UnsupportedNode, ...]:
    """The nodes for which the table names no WebGPU kernel at the model's opset."""
    missing = []
    for node in nodes:
        if node.operator == "Constant":
            continue  # folded when the model is loaded
        domain, _, operator = node.operator.rpartition(".")
        domain = domain or "ai.onnx"
        kernels = webgpu_operators().get((domain, operator))
        if kernels is None:
            reason = "no WebGPU kernel: it runs on the CPU instead"
        elif not any(opsets.get(domain, 1) in kernel for kernel in kernels):
            reason = f"no WebGPU kernel for opset {opsets.get(domain, 1)}: it runs on the CPU instead"
        else:
            continue
        missing.append(UnsupportedNode(node.name, node.operator, reason))
    return tuple(missing)
