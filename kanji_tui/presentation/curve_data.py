"""The data of curves: points, scales, windows. Pure functions, without Textual."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

Points = tuple[tuple[float, float], ...]
LineKind = Literal["solid", "dotted", "dashed"]
Window = tuple[float, float]

SCALES = ("linear", "log", "smoothed")
X_AXES = ("epoch", "step", "time")
SMOOTHING = 0.7  # share of the past in each smoothed value
NARROWEST = 2.0  # epochs of a window


@dataclass(frozen=True)
class Series:
    """A named curve; `points` are (x, y) with ascending x, and a y that is not finite makes a gap.

    `style` is one of document.Styled, `mark` the ASCII letter at the curve's end.
    """

    name: str
    style: str
    points: Points
    mark: str = ""
    line: LineKind = "solid"


@dataclass(frozen=True)
class Chart:
    """What a pane of curves shows. `window` is the visible range of x, which counts epochs, steps or seconds.

    `best` and `cursor` are places on that axis.

    `percent`: the values are fractions, shown in percent.
    """

    title: str
    series: tuple[Series, ...]
    window: Window
    percent: bool = False
    scale: str = SCALES[0]
    best: float | None = None
    cursor: float | None = None
    x: str = X_AXES[0]

    @property
    def empty(self) -> bool:
        """Whether none of its curves has a point."""
        return not any(series.points for series in self.series)

    @cached_property
    def curves(self) -> tuple[Series, ...]:
        """The series as drawn, smoothed or not."""
        if self.scale != "smoothed":
            return self.series
        return tuple(replace(series, points=smooth(series.points)) for series in self.series)


def smooth(points: Points, weight: float = SMOOTHING) -> Points:
    """The exponential moving average of y, without a bias to 0 at the beginning; values that are not finite stay.

    After a gap the average continues.
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
    """The points in the window and the next one on either side, since lines continue beyond the edges."""
    low, high = window
    inside = [number for number, (x, _) in enumerate(points) if low <= x <= high]
    if not inside:
        return ()
    return points[max(0, inside[0] - 1) : inside[-1] + 2]


def value_at(points: Points, x: float) -> float | None:
    """The y of the point at x; None if there is none or it is not finite."""
    return next((y for here, y in points if here == x and math.isfinite(y)), None)


def zoom(window: Window, whole: Window, factor: float, centre: float | None = None) -> Window:
    """The window, `factor` times as wide around `centre` (default: its middle), inside `whole`."""
    middle = (window[0] + window[1]) / 2 if centre is None else centre
    width = min(whole[1] - whole[0], max(NARROWEST, (window[1] - window[0]) * factor))
    return _inside((middle - width / 2, middle + width / 2), whole)


def follow(window: Window, whole: Window, x: float) -> Window:
    """The window shifted as little as needed to contain x."""
    low, high = window
    step = min(0.0, x - low) + max(0.0, x - high)
    return _inside((low + step, high + step), whole)


def _inside(window: Window, whole: Window) -> Window:
    """The window shifted into `whole`, and narrowed only if it is wider."""
    width = min(window[1] - window[0], whole[1] - whole[0])
    low = min(max(window[0], whole[0]), whole[1] - width)
    return (low, min(whole[1], low + width))
