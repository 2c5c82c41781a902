"""The operators that ONNX Runtime Web supports on WebGPU, from its own table; nothing is run here."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import onnx

from kanji_tui.engines.results import Node
from kanji_tui.inspection.results import Support, UnsupportedNode

SOURCE = "onnxruntime-web 1.30.0"
REASON = (
    f"not run: by the table of {SOURCE} for its main entry; element types, limits of single kernels and the other "
    "kernels of onnxruntime-web/webgpu are not known"
)


@dataclass(frozen=True)
class Kernel:
    """A WebGPU kernel is registered for the versions `first` to `last` of its operator, or without a last one."""

    first: int
    last: int | None

    def runs(self, version: int) -> bool:
        """Whether ONNX Runtime takes this kernel for that version of the operator.

        A kernel without a last version runs exactly its first one, though the table writes `11+`
        (onnxruntime/core/framework/kernel_registry.cc; onnxruntime issue 27231).
        """
        return version == self.first if self.last is None else self.first <= version <= self.last


@cache
def webgpu_operators() -> dict[tuple[str, str], tuple[Kernel, ...]]:
    """The kernels of each (domain, operator) in the table."""
    text = (files("kanji_tui.inspection") / "facts" / "webgpu_operators.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[2:]]
    return {(row[1], row[0]): tuple(kernel(part) for part in row[2].split(",")) for row in rows}


def kernel(text: str) -> Kernel:
    """The kernel that the table writes as `4-6`, `7` or `8+`."""
    if text.endswith("+"):
        return Kernel(int(text[:-1]), None)
    first, _, last = text.partition("-")
    return Kernel(int(first), int(last or first))


def operator_version(domain: str, operator: str, opset: int) -> int | None:
    """The opset in which the operator last changed, as seen from `opset`; None if `opset` is too new for this onnx.

    An operator that ONNX does not define has version 1: ONNX Runtime's own have never changed theirs.
    """
    if domain != "ai.onnx":
        return 1
    if opset > onnx.defs.onnx_opset_version():
        return None
    try:
        return int(onnx.defs.get_schema(operator, opset, "").since_version)
    except onnx.defs.SchemaError:
        return 1


def webgpu_support(nodes: tuple[Node, ...], opsets: dict[str, int]) -> Support:
    """The nodes without a WebGPU kernel, by the table of ONNX Runtime Web and its rule for versions."""
    missing, unknown = [], []
    for node in nodes:
        if node.operator == "Constant":
            continue  # folded when the model is loaded
        domain, _, operator = node.operator.rpartition(".")
        domain = domain or "ai.onnx"
        opset = opsets.get(domain, 1)
        kernels = webgpu_operators().get((domain, operator), ())
        version = operator_version(domain, operator, opset)
        if kernels and version is None:
            reason = f"whether {operator} changed up to opset {opset}: this onnx package ends before it"
            unknown.append(UnsupportedNode(node.name, node.operator, reason))
        elif not any(kernel.runs(version or 0) for kernel in kernels):
            missing.append(UnsupportedNode(node.name, node.operator, why_no_kernel(operator, version, kernels)))
    return Support(None, tuple(missing), REASON, not_probed=tuple(unknown))


def why_no_kernel(operator: str, version: int | None, kernels: tuple[Kernel, ...]) -> str:
    """What the table has instead of a kernel for that version of the operator."""
    if not kernels:
        return "no WebGPU kernel: it runs on the CPU instead"
    newest = max(kernel.last or kernel.first for kernel in kernels)
    return f"no WebGPU kernel for {operator} of opset {version} (newest: {newest}): it runs on the CPU instead"
