"""The results of exports and of `pooling`; imports neither torch nor onnx."""

from dataclasses import dataclass

from kanji_tui.engines.results import Parity, Pooling, Timing
from kanji_tui.system.intervals import Interval, fill_intervals


@dataclass(frozen=True)
class Accuracy:
    """Top-1 accuracy on `samples` samples from `source`, as fractions.

    `top1`: of the file in ONNX Runtime. `before`: of the network as trained, in PyTorch, float32, on the same
    samples at its own image size. The intervals follow from these: Wilson's, at 95 %.
    """

    top1: float
    before: float
    samples: int
    source: str
    top1_interval: Interval = (0.0, 1.0)
    before_interval: Interval = (0.0, 1.0)

    def __post_init__(self) -> None:
        fill_intervals(self, "top1", "before")


@dataclass(frozen=True)
class ExportedOnnx:
    """What `export onnx --json` prints. `note` says what the target is for and where it could be tested.

    `parity`: by engine, compared with the network with `pooling_type` at `size`, in PyTorch, float32. `accuracy`
    and `latency` are measured for a variant, which may predict other classes than the network as trained; `changed`
    says how it differs. `calibration`: the samples that set the ranges of int8-static.
    """

    path: str
    mapping_path: str
    bytes: int
    target: str
    opset: int
    exporter: str
    pooling: str
    pooling_nodes: tuple[Pooling, ...]
    pooling_type: str
    quantization: str
    changed: str
    parity: dict[str, Parity]
    samples_source: str
    accuracy: Accuracy | None
    latency: dict[str, tuple[Timing, ...]]
    calibration: str
    classes: int
    size: int
    note: str


@dataclass(frozen=True)
class ExportedSafetensors:
    """What `export safetensors --json` prints. `verified`: read back and equal bit for bit; None: not verified."""

    path: str
    bytes: int
    tensors: int
    parameters: int
    metadata: dict[str, str]
    verified: bool | None


@dataclass(frozen=True)
class ExportedMapping:
    """What `export mapping --json` prints."""

    path: str
    bytes: int
    classes: int
    statistics: dict[str, int | float]


@dataclass(frozen=True)
class PoolingRow:
    """One pooling type. If the model must be retrained for it, `refused` says why and the rest is empty.

    `pooling`: the pooling nodes of the file. `top1`: the file's accuracy in ONNX Runtime, with Wilson's 95 %
    interval; None without a dataset.
    """

    type: str
    trained: bool
    refused: str = ""
    bytes: int = 0
    operators: dict[str, int] | None = None
    pooling: str = ""
    top1: float | None = None
    top1_interval: Interval | None = None
    max_logit_difference: float | None = None
    latency: dict[str, tuple[Timing, ...]] | None = None


@dataclass(frozen=True)
class PoolingTable:
    """What `pooling --json` prints. `trained`: the model's own pooling type; files are for the target tract."""

    model_path: str
    trained: str
    samples: int
    samples_source: str
    poolings: tuple[PoolingRow, ...]
