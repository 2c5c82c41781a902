"""What the jobs of this room give back, free of torch and onnx: read again by the faces."""

from dataclasses import dataclass

from kanji_tui.engines.results import Latency, Node, Parity, Pooling, Tensor, Timing


@dataclass(frozen=True)
class UnsupportedNode:
    """A node that an engine does not run, and why in the engine's own words."""

    node: str
    operator: str
    reason: str


@dataclass(frozen=True)
class Support:
    """What one backend makes of a model.

    `runs`: it ran on an input, and agreed with ONNX Runtime where that ran too; None: it was not run, `reason` says
    why. `refused`: the nodes it refuses when tried alone; `not_probed`: those that could not be tried. `difference`
    is the largest one to ONNX Runtime's outputs.
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
    """The nodes of one module, or one node where no module is known.

    `operators` in the order they run; `bytes` and `parameters` of the weights it reads, `macs` for one run.
    """

    name: str
    operators: tuple[str, ...]
    parameters: int
    bytes: int
    macs: int


@dataclass(frozen=True)
class InspectedModel:
    """One file. `bytes` is its size on disk, side files not counted; `weight_bytes` all its tensors.

    `opset` is that of ONNX's own operators (0: none imported), `opsets` of every domain. `macs` are for `ran_on`,
    the shapes of the inputs it was run on; `macs_unknown` counts the nodes left out for want of a shape.
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
    """One file. `added` and `gone`: how many more, and fewer, of each operator it has than the first file.

    `top1`: the fraction of the samples it recognises in ONNX Runtime; None where its classes or theirs are unknown.
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


@dataclass(frozen=True)
class Agreement:
    """The outputs of `model` in `backend` against those of the first model in ONNX Runtime; None: see `reason`."""

    model: str
    backend: str
    parity: Parity | None
    reason: str


@dataclass(frozen=True)
class ParityTable:
    """`reference` gave the outputs all others are held against, on pictures from `samples_source`."""

    reference: str
    samples: int
    samples_source: str
    results: tuple[Agreement, ...]


@dataclass(frozen=True)
class Compared:
    """What `compare --json` prints; lists within `operators` and `models` are in the order of the files."""

    models: tuple[ComparedModel, ...]
    operators: dict[str, tuple[int, ...]]
    parity: ParityTable
    latency: dict[str, tuple[Timing, ...]]
