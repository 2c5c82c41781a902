"""The three ONNX targets and the properties of their files."""

from dataclasses import dataclass

from kanji_tui.errors import UsageError


@dataclass(frozen=True)
class Target:
    """The properties of an ONNX file.

    `opset`: exactly this one. `fixed_pooling`: no node pools
    globally; each has a fixed window of the size of its input. `batch`: the fixed size, or None for the symbol
    `batch`. `note`: what the target is for, and where it could be tested.
    """

    name: str
    opset: int
    fixed_pooling: bool
    batch: int | None
    note: str


TARGETS = {
    target.name: target
    for target in (
        Target("tract", 12, False, None, "run in tract itself"),
        Target(
            "ort-tract",
            11,
            True,
            None,
            "for candle and the crate ort-candle: no global pooling nodes, which candle-onnx does not support; "
            "they cannot be run from Python, so this file was run in tract and ONNX Runtime; the crate ort-tract "
            "runs the target tract as well, since it gives a file to tract unchanged",
        ),
        Target("strict", 11, True, 1, "the oldest operators, fixed windows, batch 1"),
    )
}


def find_target(name: str) -> Target:
    """The target of that name. Raises UsageError listing the known ones for an unknown name."""
    if name not in TARGETS:
        raise UsageError(f"there is no ONNX target '{name}'", f"choose one of: {', '.join(TARGETS)}")
    return TARGETS[name]
