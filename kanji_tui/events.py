"""The events a job reports while it runs, and their form as JSON lines.

A line is {"v": 1, "t": <seconds since 1970>, "type": "...", ...the event's fields}. Readers skip types and
fields they do not know, so that versions can be mixed. Units: fractions 0-1, seconds, bytes, watts, joules,
degrees Celsius.
"""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol

from kanji_tui.allowed import COUNT, MEASURED, SHARE, between
from kanji_tui.errors import Stopped

VERSION = 1
REPORT_SECONDS = 0.25  # the usual interval between two progress events

Whole = Annotated[int, COUNT]
Measured = Annotated[float, MEASURED]
Share = Annotated[float, SHARE]


@dataclass(frozen=True)
class State:
    """The job entered this state: starting, running, finished, stopped or failed."""

    type: ClassVar[str] = "state"
    state: str
    message: str = ""


@dataclass(frozen=True)
class Progress:
    """`done` of `total` (0: unknown) units of `phase`; `item` names the current file or epoch.

    `rate` is units per second, `remaining` seconds; None while unknown.
    """

    type: ClassVar[str] = "progress"
    phase: str
    done: Whole
    total: Whole
    unit: str = ""
    item: str = ""
    rate: Measured | None = None
    remaining: Measured | None = None
    bytes_per_second: Measured | None = None


@dataclass(frozen=True)
class Epoch:
    """An epoch of training ended. Accuracies are fractions; `best` marks the best validation so far.

    `train_top1` comes from the training steps, with augmentation and dropout. `train_clean_top1` is measured
    without them, on a part of the train split, with the validated weights; None in events of older versions, as is
    `val_samples`, of which the `val_...` accuracies are fractions. `threads`: on a CPU, how many the epoch had.
    """

    type: ClassVar[str] = "epoch"
    epoch: Whole
    epochs: Whole
    train_loss: Measured
    train_top1: Share
    val_loss: Measured
    val_top1: Share
    val_top3: Share
    val_top5: Share
    learning_rate: Measured
    seconds: Measured
    samples_per_second: Measured
    best: bool
    train_clean_top1: Share | None = None
    val_samples: Whole | None = None
    threads: Whole | None = None


@dataclass(frozen=True)
class Step:
    """Inside an epoch, every few seconds: the means of the steps just done.

    `position`: epochs done, 1.25 in the second; `step` counts from the training's first; `seconds` of training.
    """

    type: ClassVar[str] = "step"
    step: Whole
    position: Measured
    seconds: Measured
    loss: Measured
    top1: Share
    learning_rate: Measured
    samples_per_second: Measured


@dataclass(frozen=True)
class Load:
    """The machine of a run over the last seconds. `cpu`: the busy share of its cores.

    `own_cpu` and `own_memory`: what the job's processes have of these cores and of the memory; pages that several
    of them share count for each. Disks and network (loopback apart): bytes a second, of the whole machine. What the
    system does not say is None, as are fields that events of older versions lack.
    """

    type: ClassVar[str] = "load"
    cpu: Share | None = None
    memory_used: Whole | None = None
    memory_total: Whole | None = None
    own_memory: Whole | None = None
    disk_read: Measured | None = None
    disk_write: Measured | None = None
    network_in: Measured | None = None
    network_out: Measured | None = None
    own_cpu: Share | None = None


@dataclass(frozen=True)
class Gpu:
    """One GPU at one moment. A value that the driver does not report is None, and `reason` says why.

    `energy`: joules used since the run began; None outside a run and where it is not measured.
    """

    type: ClassVar[str] = "gpu"
    index: Annotated[int, between(0, 1023)]
    name: str
    utilisation: Measured | None = None
    memory_used: Whole | None = None
    memory_total: Whole | None = None
    power: Measured | None = None
    temperature: Measured | None = None
    reason: str = ""
    energy: Measured | None = None


@dataclass(frozen=True)
class Energy:
    """The energy that one device has used since the run began: `joules`, counted by `measured_by`.

    `joules` is None where it cannot be measured, and `reason` says why.
    """

    type: ClassVar[str] = "energy"
    device: str
    joules: Measured | None = None
    measured_by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Notice:
    """A warning for the user; the job goes on."""

    type: ClassVar[str] = "warning"
    message: str


@dataclass(frozen=True)
class Logged:
    """log.txt has grown to `size` bytes: what is new in it was written just before. So its lines have times."""

    type: ClassVar[str] = "log"
    size: Whole


@dataclass(frozen=True)
class Outcome:
    """The job's result, as its command prints it with --json."""

    type: ClassVar[str] = "result"
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """The job failed; `remedy` says what to do, `exit_code` is the exit code of its command."""

    type: ClassVar[str] = "error"
    message: str
    remedy: str = ""
    exit_code: Annotated[int, between(0, 255)] = 1


@dataclass(frozen=True)
class Damaged:
    """A line that holds no event: what a reader finds in its place. It is never written."""

    type: ClassVar[str] = "damaged"
    reason: str


Event = State | Progress | Epoch | Step | Load | Gpu | Energy | Notice | Logged | Outcome | Failure | Damaged
EVENTS: dict[str, type[Event]] = {
    kind.type: kind for kind in (State, Progress, Epoch, Step, Load, Gpu, Energy, Notice, Logged, Outcome, Failure)
}
FREQUENT = (Progress, Step, Load, Gpu, Energy)
DIGITS = 7  # of a number in a frequent event: as many as a float32 has; the others are exact


class Report(Protocol):
    """Receives a job's events and tells the job whether to stop.

    `directory` is the job's run directory, where it may leave files; None where it has none.
    """

    directory: Path | None

    def __call__(self, event: Event) -> None: ...

    def stop_requested(self) -> bool: ...


class SilentReport:
    """A report that discards every event and never asks to stop."""

    directory: Path | None = None

    def __call__(self, event: Event) -> None:
        pass

    def stop_requested(self) -> bool:
        return False


def raise_if_stopped(report: Report) -> None:
    """Raise Stopped when the user asked the job to stop; call it where stopping loses nothing."""
    if report.stop_requested():
        raise Stopped()


class Throttle:
    """Limits how often a loop reports its progress, and measures its rate from the creation of this object on."""

    def __init__(self, seconds: float = REPORT_SECONDS) -> None:
        self._seconds = seconds
        self._began = self._reported = time.monotonic()

    def due(self) -> bool:
        """Whether to report now: true at most once every `seconds`, for the first time after that long."""
        now = time.monotonic()
        if now - self._reported < self._seconds:
            return False
        self._reported = now
        return True

    def restart(self) -> None:
        """Count from now on: what would be due was just reported."""
        self._reported = time.monotonic()

    def rate(self, done: float) -> float:
        """The mean rate in units per second, after `done` units."""
        return done / max(time.monotonic() - self._began, 1e-6)

    def progress(self, phase: str, done: int, total: int, unit: str, item: str = "") -> Progress:
        """Progress with the mean rate and the remaining time at this rate; `done` counts from the creation on."""
        rate = self.rate(done)
        return Progress(phase, done, total, unit, item, rate, (total - done) / rate if rate else None)


def to_json(event: Event, moment: float) -> dict[str, Any]:
    """The event as the JSON object of its line; `moment` is its time in seconds since 1970.

    Numbers in frequent events have seven digits: what they say is drawn, and a run writes thousands of them.
    """
    fields = asdict(event)
    if isinstance(event, FREQUENT):
        fields = {name: _shorter(value) for name, value in fields.items()}
    return {"v": VERSION, "t": round(moment, 3), "type": event.type, **fields}


def _shorter(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
