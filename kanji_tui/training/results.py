"""What the jobs of this room give back, free of torch and onnx: read again by the faces."""

from dataclasses import dataclass
from typing import Annotated

from kanji_tui.allowed import COUNT, MEASURED, SHARE
from kanji_tui.recognition.results import Confusion
from kanji_tui.system.intervals import Interval, fill_intervals


@dataclass(frozen=True)
class Phase:
    """`seconds` the host spent, of them `share` of all; `device_seconds` a GPU's, None where the host computes.

    `host wait` is the host waiting for the GPU to end after the last step; `other` what no phase names: reports,
    Python.
    """

    phase: str
    seconds: float
    device_seconds: float | None
    share: float


@dataclass(frozen=True)
class Profile:
    """Some steps in the middle of training. `seconds` is all they took, with the profiler's own cost in it."""

    steps: int
    batch_size: int
    device: str
    seconds: float
    phases: tuple[Phase, ...]


@dataclass(frozen=True)
class Metrics:
    """Fractions, and `loss`, the mean cross-entropy without label smoothing. `balanced`: mean recall of classes.

    The intervals follow from the other fields: Wilson's, at 95 %.
    """

    samples: Annotated[int, COUNT]
    loss: Annotated[float, MEASURED]
    top1: Annotated[float, SHARE]
    top3: Annotated[float, SHARE]
    top5: Annotated[float, SHARE]
    balanced: Annotated[float, SHARE]
    top1_interval: Interval = (0.0, 1.0)
    top3_interval: Interval = (0.0, 1.0)
    top5_interval: Interval = (0.0, 1.0)

    def __post_init__(self) -> None:
        fill_intervals(self, "top1", "top3", "top5")


@dataclass(frozen=True)
class ClassRecall:
    """A class, by character and JIS code, and the fraction `top1` of its samples that was recognised.

    The interval follows from these: Wilson's, at 95 %.
    """

    character: str
    jis: str
    samples: Annotated[int, COUNT]
    top1: Annotated[float, SHARE]
    top1_interval: Interval = (0.0, 1.0)

    def __post_init__(self) -> None:
        fill_intervals(self, "top1")


@dataclass(frozen=True)
class ByClass:
    """Of the best epoch's validation: the `weakest` classes, lowest recall first; the most frequent confusions."""

    weakest: tuple[ClassRecall, ...]
    confusions: tuple[Confusion, ...]


@dataclass(frozen=True)
class Trained:
    """The result of `train`. `validation` is that of the best epoch; `test` is None without a test split.

    `epochs` were trained. `seconds` is the whole time over all resumptions, `samples_per_second` the steps' speed.
    `weakest_classes` and `confusions` are those of `ByClass`; `profile`: where one was asked for.
    `source` and `license`: those of the model's card.
    """

    run: str
    network: str
    parameters: int
    classes: int
    epochs: int
    best_epoch: int
    validation: Metrics
    test: Metrics | None
    seconds: float
    samples_per_second: float
    device: str
    source: str
    recipe: str
    precision: str
    weakest_classes: tuple[ClassRecall, ...]
    confusions: tuple[Confusion, ...]
    profile: Profile | None = None
    license: str = ""


@dataclass(frozen=True)
class Probed:
    """`seconds_per_epoch` with its validation, `seconds` of all epochs and the test at the end.

    `memory_bytes`: on a GPU the most that torch held on it, on a CPU the most this process held; both with the
    images of the whole split, where they are kept in memory. `steps` were measured.
    """

    samples_per_second: float
    seconds_per_epoch: float
    seconds: float
    memory_bytes: int
    device: str
    steps: int
    epochs: int
    samples: int
