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
class Attempt:
    """One try to run a file: how it was opened, the shapes of its inputs, the value of made-up integers.

    `message`: the engine's own, None if it ran.
    """

    opening: str
    inputs: dict[str, tuple[int, ...]]
    integers: int
    message: str | None


@dataclass(frozen=True)
class Support:
    """How one engine supports a model.

    `runs`: it ran on an input, and its outputs agreed with ONNX Runtime's if that ran too; False: it does not run,
    `reason` is the engine's own message; None: not known, because no made-up input fits, it cannot be given inputs,
    or it was not run at all; `reason` says which. `opening`: how it was opened when it ran. `tried`: every try.

    `refused`: the nodes it does not support, each run alone; `not_probed`: nodes that could not be run alone;
    `probed`: how many were. `difference`: the largest difference from ONNX Runtime's outputs.
    """

    runs: bool | None
    refused: tuple[UnsupportedNode, ...] = ()
    reason: str | None = None
    version: str = ""
    probed: int = 0
    not_probed: tuple[UnsupportedNode, ...] = ()
    difference: float | None = None
    latency: Latency | None = None
    opening: str | None = None
    tried: tuple[Attempt, ...] = ()


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
    shapes of the inputs it was run on; `macs_unknown`: of how many nodes they cannot be counted. `digest`:
    the file's SHA-256 in hex.
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
    digest: str = ""


@dataclass(frozen=True)
class FileError:
    """Why a file gave no result; as the error of a command."""

    message: str
    remedy: str
    code: int


@dataclass(frozen=True)
class FailedModel:
    """A file that could not be inspected or compared."""

    path: str
    error: FileError


@dataclass(frozen=True)
class Inspected:
    """What `inspect --json` prints: an entry for each file, in the order they were given."""

    models: tuple[InspectedModel | FailedModel, ...]

    @property
    def inspected(self) -> tuple[InspectedModel, ...]:
        """The files that were inspected."""
        return tuple(model for model in self.models if isinstance(model, InspectedModel))

    @property
    def failed(self) -> tuple[FailedModel, ...]:
        """The files that were not."""
        return tuple(model for model in self.models if isinstance(model, FailedModel))


@dataclass(frozen=True)
class ComparedModel:
    """One file. `added` and `gone`: how many more, or fewer, of each operator it has than the first compared one.

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
    """Parity of `model` in `backend` with the first model in ONNX Runtime.

    `reason`: why it is None; else that the tolerance is one for half precision, if it is, and the third opinion if
    the engines disagree about this model.
    """

    model: str
    backend: str
    parity: Parity | None
    reason: str


@dataclass(frozen=True)
class ParityTable:
    """All results are compared with the outputs of `reference`, on the samples or inputs in `samples_source`."""

    reference: str
    samples: int
    samples_source: str
    results: tuple[Agreement, ...]


@dataclass(frozen=True)
class Compared:
    """What `compare --json` prints: an entry for each file, in the order they were given.

    The lists in `operators` are in the order of the files that were compared.
    """

    models: tuple[ComparedModel | FailedModel, ...]
    operators: dict[str, tuple[int, ...]]
    parity: ParityTable
    latency: dict[str, tuple[Timing, ...]]

    @property
    def compared(self) -> tuple[ComparedModel, ...]:
        """The files that were compared."""
        return tuple(model for model in self.models if isinstance(model, ComparedModel))

    @property
    def failed(self) -> tuple[FailedModel, ...]:
        """The files that were not."""
        return tuple(model for model in self.models if isinstance(model, FailedModel))
