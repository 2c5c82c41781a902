"""A long series of measurements, condensed: a day of events becomes a few hundred means."""

from dataclasses import dataclass, field

KEPT = 256  # points; one more, and neighbours are merged

Value = float | None
Point = tuple[Value, ...]


@dataclass
class Condensed:
    """Collects points of as many values each; of more than `kept` points the means of neighbours stay."""

    kept: int = KEPT
    _each: int = 1  # measurements per point
    _pending: list[Point] = field(default_factory=list)
    _points: list[Point] = field(default_factory=list)

    def add(self, point: Point) -> None:
        """Add the next measurement."""
        self._pending.append(point)
        if len(self._pending) >= self._each:
            self._points.append(_mean(self._pending))
            self._pending = []
        if len(self._points) > self.kept:
            pairs = zip(self._points[::2], self._points[1::2], strict=False)
            self._pending = [*self._points[len(self._points) // 2 * 2 :]] * self._each + self._pending
            self._points = [_mean(list(pair)) for pair in pairs]
            self._each *= 2

    def points(self) -> tuple[Point, ...]:
        """The points so far, oldest first."""
        return (*self._points, *([_mean(self._pending)] if self._pending else []))


def _mean(points: list[Point]) -> Point:
    """The mean of each value over the points that have it."""

    def mean(values: Point) -> Value:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    return tuple(mean(values) for values in zip(*points, strict=True))
