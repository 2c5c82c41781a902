"""What a job tells while it runs: typed events, and their form as one JSON object a line.

A line is {"v": 1, "t": <seconds since 1970>, "type": "...", ...the event's fields}. Readers skip types and
fields they do not know, so newer writers and older readers get along. Fractions are 0-1, times seconds, sizes
bytes, power watts, energy joules, temperature degrees Celsius.
"""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol

from kanji_tui.errors import Stopped

VERSION = 1


@dataclass(frozen=True)
class State:
    """The job entered a state: starting, running, finished, stopped or failed."""

    type: ClassVar[str] = "state"
    state: str
    message: str = ""


@dataclass(frozen=True)
class Progress:
    """`done` of `total` (0: unknown) `unit` in `phase`; `item` names the file or epoch at work.

    `rate` is units per second, `remaining` seconds; None where not known yet.
    """

    type: ClassVar[str] = "progress"
    phase: str
    done: int
    total: int
    unit: str = ""
    item: str = ""
    rate: float | None = None
    remaining: float | None = None
    bytes_per_second: float | None = None


@dataclass(frozen=True)
class Epoch:
    """An epoch of training ended. Accuracies are fractions; `best` marks the best validation so far.

    `train_top1` is of the epoch's own steps, with augmentation and dropout; `train_clean_top1` (None in events of
    older versions) without them, on some of the train split, by the weights that are validated.
    """

    type: ClassVar[str] = "epoch"
    epoch: int
    epochs: int
    train_loss: float
    train_top1: float
    val_loss: float
    val_top1: float
    val_top3: float
    val_top5: float
    learning_rate: float
    seconds: float
    samples_per_second: float
    best: bool
    train_clean_top1: float | None = None


@dataclass(frozen=True)
class Gpu:
    """One GPU at one moment. A value the driver does not give is None and `reason` says why.

    `energy`: the joules it has used since the run began; None outside a run and where it is not measured.
    """

    type: ClassVar[str] = "gpu"
    index: int
    name: str
    utilisation: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    power: float | None = None
    temperature: float | None = None
    reason: str = ""
    energy: float | None = None


@dataclass(frozen=True)
class Energy:
    """What one device has used since the run began: `joules`, counted by `measured_by`.

    None where it cannot be measured, and `reason` says why.
    """

    type: ClassVar[str] = "energy"
    device: str
    joules: float | None = None
    measured_by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Notice:
    """Something the person should know although the job goes on."""

    type: ClassVar[str] = "warning"
    message: str


@dataclass(frozen=True)
class Outcome:
    """The job's result, as its command prints it with --json."""

    type: ClassVar[str] = "result"
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """The job ended with an error; `remedy` says what to do, `exit_code` what its command exits with."""

    type: ClassVar[str] = "error"
    message: str
    remedy: str = ""
    exit_code: int = 1


Event = State | Progress | Epoch | Gpu | Energy | Notice | Outcome | Failure
EVENTS: dict[str, type[Event]] = {
    kind.type: kind for kind in (State, Progress, Epoch, Gpu, Energy, Notice, Outcome, Failure)
}


class Report(Protocol):
    """Where a job tells its events, and where it learns that it is to stop.

    `directory` is the run directory the job may leave files in; None where it has none.
    """

    directory: Path | None

    def __call__(self, event: Event) -> None: ...

    def stop_requested(self) -> bool: ...


class Unheard:
    """A report that nobody reads."""

    directory: Path | None = None

    def __call__(self, event: Event) -> None:
        pass

    def stop_requested(self) -> bool:
        return False


def raise_if_stopped(report: Report) -> None:
    """Raise Stopped when the user asked the job to stop; call it where stopping loses nothing."""
    if report.stop_requested():
        raise Stopped()


def to_json(event: Event, moment: float) -> dict[str, Any]:
    """The event as the JSON object of its line; `moment` in seconds since 1970."""
    return {"v": VERSION, "t": round(moment, 3), "type": event.type, **asdict(event)}


def from_json(line: dict[str, Any]) -> Event | None:
    """The event of a line, or None for a type this version does not know."""
    kind = EVENTS.get(line.get("type", ""))
    if kind is None:
        return None
    known = {f.name for f in fields(kind)}
    try:
        return kind(**{name: value for name, value in line.items() if name in known})
    except TypeError:
        return None
