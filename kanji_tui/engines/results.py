"""The results of running and describing ONNX files; imports neither torch nor onnx."""

from dataclasses import dataclass, field

# The ways to open a file in an engine, in the order in which they are tried.
AS_IT_IS = "as it is"
SIZED = "with input sizes given"
WITHOUT_SHAPES = "with input sizes given and the file's inner and output shapes dropped"
OPENINGS = {"onnxruntime": (AS_IT_IS,), "tract": (AS_IT_IS, SIZED, WITHOUT_SHAPES), "onnx": (AS_IT_IS,)}

CONTROL_FLOW = ("If", "Loop", "Scan")  # operators with graphs inside
Shape = tuple[int | str, ...]  # sizes, names of symbolic sizes, "?" for a size without either


@dataclass(frozen=True)
class Node:
    """One node of the main graph. Shapes hold sizes, names of symbolic sizes, or "?"; None where unknown.

    `module` is the module of the network it came from, "" if the exporter did not record it. `parameters` counts
    the weights it reads, `macs` its multiply-accumulates for these shapes: of an If the costlier branch's, of
    a Loop or Scan those of all iterations. None if they cannot be counted.
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
    """A pooling node: its window ("whole image" if global) and the shape of its input."""

    node: str
    operator: str
    window: str
    input_shape: Shape | None


@dataclass(frozen=True)
class Parity:
    """An engine's logits compared with PyTorch's float32 logits on the same samples, or two models' outputs.

    `tolerance` is 1e-4 x max(1, `largest_logit`); 1e-3 x that of two models, one of which has weights in half
    precision. `decided` counts the samples whose two largest reference logits differ by more than the tolerance;
    `top1_agreement` is the fraction of those with the same top-1 class, None for outputs that are not compared by
    class. `passed`: no difference exceeds the tolerance, and every decided sample agrees.
    """

    samples: int
    max_logit_difference: float
    tolerance: float
    largest_logit: float
    decided: int
    top1_agreement: float | None
    passed: bool
    version: str


@dataclass(frozen=True)
class Timing:
    """Seconds of one run of `model` on `batch` images: the median of `runs` runs, and their interquartile range.

    Measured after a warm-up, on `threads` threads, symbolic sizes bound, with inputs of the shapes `inputs`. If it
    was not run, `median` and `spread` are None and `reason` says why.
    """

    model: str
    batch: int
    median: float | None
    spread: float | None
    runs: int
    threads: int
    reason: str = ""
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Latency:
    """Seconds of one run on inputs of the shapes `inputs`: the median of `runs` runs and their interquartile range.

    Measured after a warm-up, on `threads` threads.
    """

    median: float
    spread: float
    runs: int
    threads: int
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
