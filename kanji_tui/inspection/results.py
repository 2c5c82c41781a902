"""The results of `inspect` and `compare`; imports neither torch nor onnx."""

from dataclasses import dataclass

from kanji_tui.engines.results import Latency, Node, Parity, Pooling, Tensor, Timing
from kanji_tui.system.intervals import Interval


@dataclass(frozen=True)
class UnsupportedNode:
    """A node that an engine does not support; `reason` is the engine's own message."""

    node: str
    operator: str
    reason: str


@dataclass(frozen=True)
class Support:
    """How one engine supports a model.

    `runs`: it ran on an input, and its outputs agreed with ONNX Runtime's if that ran too; None: not run, `reason`
    says why. `refused`: the nodes it does not support, each run alone; `not_probed`: nodes that could not be run
    alone; `probed`: how many were. `difference`: the largest difference from ONNX Runtime's outputs.
    """

    runs: bool | None
    refused: tuple[UnsupportedNode, ...] = ()
    reason: str = ""
    version: str = ""
    probed: int = 0
    not_probed: tuple[UnsupportedNode, ...] = ()
    difference: float | None = None
    latency: Latency | None = None


@dataclass(frozen=True)
class Layer:
    """The nodes of one module, or a single node whose module is unknown.

    `operators` in execution order; `bytes` and `parameters` of the weights it reads, `macs` for one run.
    """

    name: str
    operators: tuple[str, ...]
    parameters: int
    bytes: int
    macs: int


@dataclass(frozen=True)
class InspectedModel:
    """One file. `bytes`: its size on disk without external data; `weight_bytes`: all its tensors.

    `opset`: of ONNX's own operators (0: none imported); `opsets`: of every domain. `macs` are for `ran_on`, the
    shapes of the inputs it was run on; `macs_unknown`: how many nodes they leave out because a shape is unknown.
    """

    path: str
    bytes: int
    weight_bytes: int
    opset: int
    opsets: dict[str, int]
    ir_version: int
    producer: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: dict[str, int]
    pooling: tuple[Pooling, ...]
    parameters: int
    macs: int
    macs_unknown: int
    layers: tuple[Layer, ...]
    nodes: tuple[Node, ...]
    metadata: dict[str, str]
    ran_on: dict[str, tuple[int, ...]]
    backends: dict[str, Support]


@dataclass(frozen=True)
class Inspected:
    """What `inspect --json` prints."""

    models: tuple[InspectedModel, ...]


@dataclass(frozen=True)
class ComparedModel:
    """One file. `added` and `gone`: how many more, or fewer, of each operator it has than the first file.

    `top1`: its top-1 accuracy in ONNX Runtime, a fraction, with Wilson's 95 % interval; None if the classes of the
    file or samples are unknown.
    """

    path: str
    bytes: int
    weight_bytes: int
    opset: int
    opsets: dict[str, int]
    producer: str
    parameters: int
    added: dict[str, int]
    gone: dict[str, int]
    top1: float | None
    top1_interval: Interval | None = None


@dataclass(frozen=True)
class Agreement:
    """Parity of `model` in `backend` with the first model in ONNX Runtime; `reason` says why it is None."""

    model: str
    backend: str
    parity: Parity | None
    reason: str


@dataclass(frozen=True)
class ParityTable:
    """All results are compared with the outputs of `reference`, on samples from `samples_source`."""

    reference: str
    samples: int
    samples_source: str
    results: tuple[Agreement, ...]


@dataclass(frozen=True)
class Compared:
    """What `compare --json` prints; the lists in `operators` and `models` are in file order."""

    models: tuple[ComparedModel, ...]
    operators: dict[str, tuple[int, ...]]
    parity: ParityTable
    latency: dict[str, tuple[Timing, ...]]
