"""The y axis of a chart: the height of a value between bottom and top, and the round values that label it.

A logarithmic axis of fractions is logarithmic in 1 - value: 90 %, 99 % and 99.9 % are equally far apart.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

LEAST_ERROR = 1e-4  # 1 - value, at least
LEAST, MOST = 1e-12, 1e100  # limits: what a run's file says beyond them is drawn at them
CLOSE = 1e-9  # values that differ by less are drawn as one
STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Axis:
    """`bottom` and `top` are values; `ticks` are (value, label), ascending."""

    bottom: float
    top: float
    ticks: tuple[tuple[float, str], ...]
    percent: bool = False
    log: bool = False

    def height(self, value: float) -> float:
        """The height of a value, clipped: 0 at the bottom, 1 at the top."""
        low, high, own = self._scaled(self.bottom), self._scaled(self.top), self._scaled(value)
        return max(0.0, min(1.0, (own - low) / ((high - low) or 1.0)))

    def _scaled(self, value: float) -> float:
        if not self.log:
            return value
        return log_height(value, self.percent)


def log_height(value: float, percent: bool) -> float:
    """The height of a value on a logarithmic axis, in powers of ten."""
    return -math.log10(max(LEAST_ERROR, 1 - value)) if percent else math.log10(max(LEAST, value))


def axis(values: Iterable[float], wanted: int, percent: bool, log: bool) -> Axis:
    """An axis that holds all values between the limits, with about `wanted` ticks; `percent`: those are 0 and 1."""
    low, high = (0.0, 1.0) if percent else (-MOST, MOST)
    shown = [max(low, min(high, value)) for value in values]
    if log and not percent:
        shown = [max(LEAST, value) for value in shown if value > 0] or [1.0]
    if log:
        return _logarithmic(min(shown), max(shown), wanted, percent)
    bottom, top, ticks = scale(min(shown), max(shown), wanted, percent)
    step = ticks[1] - ticks[0]
    return Axis(bottom, top, tuple((tick, label(tick, step, percent)) for tick in ticks), percent)


def _logarithmic(low: float, high: float, wanted: int, percent: bool) -> Axis:
    """From the round value below `low` to that above `high`, with every n-th round value between as a tick."""
    bottom, top = log_height(low, percent), log_height(high, percent)
    decades = range(math.floor(min(bottom, top)) - 1, math.ceil(max(bottom, top)) + 2)
    if percent:
        rounds = sorted({1 - step * 10.0**-decade for decade in decades for step in STEPS} | {0.0, 1 - LEAST_ERROR})
        rounds = [value for value in rounds if 0 <= value <= 1 - LEAST_ERROR]
    else:
        rounds = [step * 10.0**decade for decade in decades for step in STEPS]
        rounds = [value for value in rounds if value > LEAST / 2]
    heights = [log_height(value, percent) for value in rounds]
    first = max((n for n, height in enumerate(heights) if height <= bottom + 1e-9), default=0)
    last = min((n for n, height in enumerate(heights) if height >= top - 1e-9), default=len(rounds) - 1)
    if first == last:
        first, last = max(0, first - 1), min(len(rounds) - 1, last + 1)
    chosen = rounds[first : last + 1 : max(1, -(-(last - first) // max(1, wanted - 1)))]
    ticks = tuple((value, _log_label(value, percent)) for value in chosen)
    return Axis(rounds[first], rounds[last], ticks, percent, log=True)


def _log_label(value: float, percent: bool) -> str:
    return f"{100 * value:.4g}%" if percent else f"{value:.4g}"


def scale(low: float, high: float, wanted: int, percent: bool) -> tuple[float, float, list[float]]:
    """Bottom, top and about `wanted` round ticks between, for values low...high."""
    if high - low < CLOSE:
        margin = 0.05 * (abs(low) if abs(low) > CLOSE else 1.0)
        low, high = low - margin, high + margin
    if percent:
        low, high = max(0.0, low), min(1.0, high) if high <= 1.0 else high
    raw = (high - low) / max(1, wanted - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    bottom, top = math.floor(low / step + 1e-6) * step, math.ceil(high / step - 1e-6) * step
    count = round((top - bottom) / step)
    return bottom, top, [bottom + step * number for number in range(count + 1)]


def label(value: float, step: float, percent: bool) -> str:
    """A tick's label, with the digits that its step (1, 2, 2.5 or 5 times a power of ten) needs."""
    if not 1e-6 <= step < 1e7:
        return f"{value:.4g}"
    if percent:
        return f"{100 * value:.{digits(100 * step)}f}%"
    return f"{value / 1000:.{digits(step / 1000)}f}k" if step >= 100 else f"{value:.{digits(step)}f}"


def digits(step: float) -> int:
    """The digits behind the point that distinguish all multiples of `step`."""
    return next((count for count in range(9) if abs(round(step, count) - step) < 1e-6 * step), 9)
