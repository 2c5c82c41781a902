"""The 95 % confidence interval of an accuracy."""

import math
from typing import Any

Interval = tuple[float, float]
Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations


def wilson_interval(share: float, samples: int) -> Interval:
    """Wilson's score interval at 95 % (Wilson 1927) for the fraction `share` of `samples`: low and high, 0-1.

    Unlike the share plus or minus two standard errors it also holds for few samples and near 0 and 1. It takes the
    samples as independent: with few writers, whose samples are alike, the true interval is wider. (0, 1) for no
    samples.
    """
    if samples < 1:
        return 0.0, 1.0
    widening = Z * Z / samples
    centre = (share + widening / 2) / (1 + widening)
    variance = max(0.0, share * (1 - share)) / samples + widening / (4 * samples)
    half = Z / (1 + widening) * math.sqrt(variance)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def fill_intervals(result: Any, *names: str) -> None:
    """Set the field `NAME_interval` of a frozen dataclass for each of its fractions NAME of `result.samples`."""
    for name in names:
        object.__setattr__(result, f"{name}_interval", wilson_interval(getattr(result, name), result.samples))
