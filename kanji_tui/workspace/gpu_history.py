"""The telemetry of a GPU over a run, condensed."""

from collections.abc import Callable
from dataclasses import dataclass

from kanji_tui.events import Gpu
from kanji_tui.workspace.condensed import Condensed, Value


@dataclass(frozen=True)
class GpuMetric:
    """One value of a GPU: its name in `Gpu.reason`, and how it is read from an event."""

    name: str
    of: Callable[[Gpu], Value]


METRICS: tuple[GpuMetric, ...] = (
    GpuMetric("utilisation", lambda gpu: gpu.utilisation),
    GpuMetric("memory", lambda gpu: gpu.memory_used),
    GpuMetric("power", lambda gpu: gpu.power),
    GpuMetric("temperature", lambda gpu: gpu.temperature),
    GpuMetric("energy", lambda gpu: gpu.energy),
)


@dataclass(frozen=True)
class GpuHistory:
    """`now` is the last event. `values` by metric name, oldest first, None where the driver gave none."""

    now: Gpu
    values: dict[str, tuple[Value, ...]]

    @property
    def index(self) -> int:
        return self.now.index

    def last(self, name: str) -> Value:
        """The newest value of a metric; None where the driver gave none."""
        return next(metric.of(self.now) for metric in METRICS if metric.name == name)

    def reason(self, name: str) -> str:
        """Why the metric has no value, as the driver reports it."""
        for part in self.now.reason.split("; "):
            names, _, why = part.partition(": ")
            if name in names and why:
                return f"{why} ({names.split('(')[1]}" if "(" in names else why
        return "the run did not report it" if self.now.reason or name == "energy" else "the driver gives no value"


class GpuRecord:
    """Collects the events of one GPU."""

    def __init__(self) -> None:
        self._now: Gpu | None = None
        self._condensed = Condensed()

    def add(self, gpu: Gpu) -> None:
        """Add the next event."""
        self._now = gpu
        self._condensed.add(tuple(metric.of(gpu) for metric in METRICS))

    def history(self) -> GpuHistory:
        """The values so far; there must have been an event."""
        assert self._now is not None
        columns = zip(*self._condensed.points(), strict=True)
        return GpuHistory(self._now, dict(zip((metric.name for metric in METRICS), columns, strict=True)))
