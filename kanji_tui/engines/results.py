"""What the jobs of this room give back, free of torch and onnx: read again by the faces."""

from dataclasses import dataclass

Shape = tuple[int | str, ...]  # sizes, names of symbolic sizes, "?" for a size without either


@dataclass(frozen=True)
class Node:
    """One node of the main graph. Shapes hold sizes, names of symbolic sizes, or "?"; None where unknown.

    `module` is the module of the network it came from, where the exporter wrote that down. `parameters` counts the
    weights it reads, `macs` its multiply-accumulates for the shapes shown (None where a size is unknown).
    """

    number: int
    name: str
    operator: str
    module: str
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape | None, ...]
    outputs: tuple[str, ...]
    output_shapes: tuple[Shape | None, ...]
    attributes: dict[str, str]
    parameters: int
    macs: int | None


@dataclass(frozen=True)
class Tensor:
    """An input or output of the model."""

    name: str
    type: str
    shape: Shape | None


@dataclass(frozen=True)
class Pooling:
    """A node that pools: its window, "whole picture" for a global one, and the shape that comes in."""

    node: str
    operator: str
    window: str
    input_shape: Shape | None


@dataclass(frozen=True)
class Parity:
    """The logits of an engine against PyTorch's float32 ones on the same samples.

    `tolerance` is 1e-4 x max(1, `largest_logit`). `top1_agreement` is the fraction of `decided` samples (those
    whose first two reference logits lie further apart than the tolerance) with the same first class. `passed`: no
    difference above the tolerance, and every decided sample agrees.
    """

    samples: int
    max_logit_difference: float
    tolerance: float
    largest_logit: float
    decided: int
    top1_agreement: float
    passed: bool
    version: str


@dataclass(frozen=True)
class Timing:
    """Seconds of one run of `model` on `batch` pictures: median and spread between the quartiles of `runs`.

    Warmed up, on `threads` threads, symbolic sizes bound. `median` and `spread` are None where it was not run, and
    `reason` says why.
    """

    model: str
    batch: int
    median: float | None
    spread: float | None
    runs: int
    threads: int
    reason: str = ""


@dataclass(frozen=True)
class Latency:
    """Seconds of one run: the median of `runs` and the spread between their quartiles, warmed up."""

    batch: int
    median: float
    spread: float
    runs: int
    threads: int
