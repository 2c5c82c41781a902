"""What a run measured between its epochs: the steps of training, and the load of the machine over time."""

from collections.abc import Callable
from dataclasses import dataclass

from kanji_tui.events import Load, Step
from kanji_tui.workspace.condensed import Condensed, Value

STEPS_KEPT = 512


@dataclass(frozen=True)
class StepPoint:
    """The training around one moment. `position`: epochs done; `seconds` of training; the others as in Step."""

    position: float
    step: float
    seconds: float
    loss: Value
    top1: Value
    learning_rate: Value
    samples_per_second: Value


@dataclass(frozen=True)
class LoadPoint:
    """The machine around one moment, `seconds` after the run began; shares 0-1, bytes, bytes per second."""

    seconds: float
    cpu: Value
    memory: Value
    own_memory: Value
    disk_read: Value


class StepRecord:
    """Collects the Step events of a run."""

    def __init__(self) -> None:
        self._condensed = Condensed(STEPS_KEPT)

    def add(self, step: Step) -> None:
        self._condensed.add(
            (
                step.position,
                step.step,
                step.seconds,
                step.loss,
                step.top1,
                step.learning_rate,
                step.samples_per_second,
            )
        )

    def points(self) -> tuple[StepPoint, ...]:
        found = self._condensed.points()
        return tuple(StepPoint(p[0] or 0.0, p[1] or 0.0, p[2] or 0.0, *p[3:]) for p in found)


class LoadRecord:
    """Collects the Load events of a run."""

    def __init__(self) -> None:
        self._condensed = Condensed()
        self._began = 0.0

    def add(self, moment: float, load: Load) -> None:
        self._began = self._began or moment
        share = load.memory_used / load.memory_total if load.memory_used and load.memory_total else None
        self._condensed.add((moment - self._began, load.cpu, share, load.own_memory, load.disk_read))

    def points(self) -> tuple[LoadPoint, ...]:
        return tuple(LoadPoint(p[0] or 0.0, *p[1:]) for p in self._condensed.points())


LOADS: tuple[tuple[str, str, bool, Callable[[LoadPoint], Value]], ...] = (
    ("CPU", "machine", True, lambda load: load.cpu),
    ("memory", "machine", True, lambda load: load.memory),
    ("disk reads", "MiB/s", False, lambda load: None if load.disk_read is None else load.disk_read / 2**20),
)
"""Title of the chart, name of the curve, whether it is in percent, value."""
