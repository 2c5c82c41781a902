"""What the jobs of this room give back, free of torch and onnx: read again by the faces."""

from dataclasses import dataclass

from kanji_tui.engines.results import Parity, Pooling, Timing


@dataclass(frozen=True)
class Accuracy:
    """Top-1 fractions of `samples` from `source`: of the file in ONNX Runtime, and of the network `before`.

    That one, as trained, ran in PyTorch, float32, on the same samples at their own size.
    """

    top1: float
    before: float
    samples: int
    source: str


@dataclass(frozen=True)
class ExportedOnnx:
    """What `export onnx --json` prints. `parity` is by engine; `note` says what the target could be tested in.

    `parity` is held against the network with `pooling_type` at `size`, in float32. `accuracy` and `latency` are
    measured where the file may say something else than the network as trained: where something was changed or
    quantised. `calibration` is what int8-static took its ranges from.
    """

    path: str
    mapping_path: str
    bytes: int
    target: str
    opset: int
    exporter: str
    exporter_reason: str
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
    """What `export safetensors --json` prints. `verified`: read back bit for bit; None where not asked for."""

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
    """One pooling type. Where it would need training again, `refused` says why and the rest is empty.

    `pooling`: the pooling nodes of the file. `top1`: of the file in ONNX Runtime on real test samples, else None.
    """

    type: str
    trained: bool
    refused: str = ""
    bytes: int = 0
    operators: dict[str, int] | None = None
    pooling: str = ""
    top1: float | None = None
    max_logit_difference: float | None = None
    latency: dict[str, tuple[Timing, ...]] | None = None


@dataclass(frozen=True)
class PoolingTable:
    """What `pooling --json` prints. `trained`: how the model itself pools; files are made for the target tract."""

    model_path: str
    trained: str
    samples: int
    samples_source: str
    poolings: tuple[PoolingRow, ...]
