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
    """The machine around one moment, `seconds` after the run began; shares 0-1, bytes per second.

    `own_...`: of the run's processes. None where the run did not report it.
    """

    seconds: float
    cpu: Value
    own_cpu: Value
    memory: Value
    own_memory: Value
    disk_read: Value
    disk_write: Value
    network_in: Value
    network_out: Value


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
        self._condensed.add(
            (
                moment - self._began,
                load.cpu,
                load.own_cpu,
                _share(load.memory_used, load.memory_total),
                _share(load.own_memory, load.memory_total),
                load.disk_read,
                load.disk_write,
                load.network_in,
                load.network_out,
            )
        )

    def points(self) -> tuple[LoadPoint, ...]:
        return tuple(LoadPoint(p[0] or 0.0, *p[1:]) for p in self._condensed.points())


def _share(used: int | None, total: int | None) -> Value:
    return used / total if used and total else None


@dataclass(frozen=True)
class LoadChart:
    """What a chart of the load shows: its title, and the name and the value of each curve."""

    title: str
    percent: bool
    curves: tuple[tuple[str, Callable[[LoadPoint], Value]], ...]


def _mebibytes(value: Value) -> Value:
    return None if value is None else value / 2**20


LOADS = (
    LoadChart("CPU", True, (("machine", lambda load: load.cpu), ("run", lambda load: load.own_cpu))),
    LoadChart("memory", True, (("machine", lambda load: load.memory), ("run", lambda load: load.own_memory))),
    LoadChart(
        "disk MiB/s",
        False,
        (
            ("read", lambda load: _mebibytes(load.disk_read)),
            ("written", lambda load: _mebibytes(load.disk_write)),
        ),
    ),
    LoadChart(
        "network MiB/s",
        False,
        (("in", lambda load: _mebibytes(load.network_in)), ("out", lambda load: _mebibytes(load.network_out))),
    ),
)
