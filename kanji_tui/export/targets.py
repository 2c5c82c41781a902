"""What the three ONNX targets promise."""

from dataclasses import dataclass

from kanji_tui.errors import UsageError


@dataclass(frozen=True)
class Target:
    """One kind of ONNX file.

    `opset` is exact. `modern`: torch's modern exporter is tried first. `fixed_pooling`: no node pools globally,
    each has a window of the size that its picture has. `batch`: 1 where fixed, None where it is the symbol `batch`.
    """

    name: str
    opset: int
    modern: bool
    fixed_pooling: bool
    batch: int | None
    note: str


TARGETS = {
    target.name: target
    for target in (
        Target("tract", 12, True, False, None, "run in tract itself"),
        Target(
            "ort-tract",
            11,
            False,
            True,
            None,
            "the ort-tract crate cannot be run from Python: this file was run in tract and in ONNX Runtime and "
            "checked for the absence of global pooling nodes",
        ),
        Target("strict", 11, False, True, 1, "the oldest operators, fixed windows, one picture at a time"),
    )
}


def find_target(name: str) -> Target:
    """The target of that name; UsageError for an unknown one, listing the known."""
    if name not in TARGETS:
        raise UsageError(f"there is no ONNX target '{name}'", f"choose one of: {', '.join(TARGETS)}")
    return TARGETS[name]
