"""The telemetry of a GPU over a run, condensed: a day of events becomes a few hundred means."""

from collections.abc import Callable
from dataclasses import dataclass, field

from kanji_tui.events import Gpu

KEPT = 256  # points; one more, and neighbours are merged

Value = float | None


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


@dataclass
class GpuRecord:
    """Collects the events of one GPU."""

    _now: Gpu | None = None
    _each: int = 1  # events per point
    _pending: list[tuple[Value, ...]] = field(default_factory=list)
    _points: list[tuple[Value, ...]] = field(default_factory=list)

    def add(self, gpu: Gpu) -> None:
        """Add the next event."""
        self._now = gpu
        self._pending.append(tuple(metric.of(gpu) for metric in METRICS))
        if len(self._pending) >= self._each:
            self._points.append(_mean(self._pending))
            self._pending = []
        if len(self._points) > KEPT:
            pairs = zip(self._points[::2], self._points[1::2], strict=False)
            self._pending = [*self._points[len(self._points) // 2 * 2 :]] * self._each + self._pending
            self._points = [_mean(list(pair)) for pair in pairs]
            self._each *= 2

    def history(self) -> GpuHistory:
        """The values so far; there must have been an event."""
        assert self._now is not None
        points = [*self._points, *([_mean(self._pending)] if self._pending else [])]
        columns = (tuple(column) for column in zip(*points, strict=True))
        return GpuHistory(self._now, dict(zip((metric.name for metric in METRICS), columns, strict=True)))


def _mean(points: list[tuple[Value, ...]]) -> tuple[Value, ...]:
    """The mean of each value over the points that have it."""

    def mean(values: tuple[Value, ...]) -> Value:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    return tuple(mean(values) for values in zip(*points, strict=True))
