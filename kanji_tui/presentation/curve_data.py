"""What curves are made of, before anything is drawn: points, looks, windows. Pure, and free of Textual."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

Points = tuple[tuple[float, float], ...]
Window = tuple[float, float]

LOOKS = ("linear", "log", "smoothed")
SMOOTHING = 0.7  # share of the past in each smoothed value
NARROWEST = 2.0  # epochs in a window


@dataclass(frozen=True)
class Series:
    """A named curve; `points` are (x, y) with ascending x; a point with a y that is no number breaks it.

    `style` as that of document.Styled.
    `mark` is the ASCII letter that stands at its end; a `dotted` one is drawn with gaps.
    """

    name: str
    style: str
    points: Points
    mark: str = ""
    dotted: bool = False


@dataclass(frozen=True)
class Chart:
    """Everything one pane of curves shows. `best` and `cursor` are epochs; `window` is what of x is seen.

    `percent`: the values are fractions and are shown as per cent.
    """

    title: str
    series: tuple[Series, ...]
    window: Window
    percent: bool = False
    look: str = LOOKS[0]
    best: float | None = None
    cursor: float | None = None

    @cached_property
    def curves(self) -> tuple[Series, ...]:
        """The series as they are looked at."""
        if self.look != "smoothed":
            return self.series
        return tuple(replace(series, points=smooth(series.points)) for series in self.series)


def smooth(points: Points, weight: float = SMOOTHING) -> Points:
    """The exponential mean of y so far, without a bias to 0 at the beginning; what is no number stays none.

    After a gap the mean goes on where it was.
    """
    smoothed = []
    mean = known = 0.0
    for x, y in points:
        if math.isfinite(y):
            mean = weight * mean + (1 - weight) * y
            known = weight * known + (1 - weight)
            smoothed.append((x, mean / known))
        else:
            smoothed.append((x, y))
    return tuple(smoothed)


def within(points: Points, window: Window) -> Points:
    """The points in the window, and the ones next to it on either side: lines run on over the edge."""
    low, high = window
    inside = [number for number, (x, _) in enumerate(points) if low <= x <= high]
    if not inside:
        return ()
    return points[max(0, inside[0] - 1) : inside[-1] + 2]


def value_at(points: Points, x: float) -> float | None:
    """The y of the point at x, None where there is none or it is no number."""
    return next((y for here, y in points if here == x and math.isfinite(y)), None)


def zoom(window: Window, whole: Window, factor: float, centre: float | None = None) -> Window:
    """The window made `factor` as wide around `centre` (its middle unless given), inside `whole`."""
    middle = (window[0] + window[1]) / 2 if centre is None else centre
    width = min(whole[1] - whole[0], max(NARROWEST, (window[1] - window[0]) * factor))
    return _inside((middle - width / 2, middle + width / 2), whole)


def follow(window: Window, whole: Window, x: float) -> Window:
    """The window moved as little as needed to hold x."""
    low, high = window
    step = min(0.0, x - low) + max(0.0, x - high)
    return _inside((low + step, high + step), whole)


def _inside(window: Window, whole: Window) -> Window:
    """The window moved, and only where it must be narrowed, into `whole`."""
    width = min(window[1] - window[0], whole[1] - whole[0])
    low = min(max(window[0], whole[0]), whole[1] - width)
    return (low, min(whole[1], low + width))
