"""Which fields of a training's config a search may vary, and from where to where. Free of torch."""

import math
from dataclasses import dataclass, replace
from typing import Any

from kanji_tui.errors import UsageError
from kanji_tui.training.config import SETTINGS, TrainConfig
from kanji_tui.training.settings import Setting


@dataclass(frozen=True)
class Range:
    """The values a field may take: from `low` to `high`, by factors where `log`; or one of `choices`."""

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[str, ...] = ()

    def holds(self, value: Any) -> bool:
        return value in self.choices if self.choices else self.low <= value <= self.high


def parse_ranges(text: str, config: TrainConfig) -> tuple[Range, ...]:
    """What `learning_rate,weight_decay=1e-4..1e-1,optimiser` asks for, around the config's own values.

    UsageError for a field that cannot be searched over, for a bound the config refuses, and for a field that is 0
    and has no range given.
    """
    named = [part.strip().partition("=") for part in text.split(",")]
    found = tuple(_range(name.replace("-", "_"), given, config) for name, _, given in named)
    if len({r.name for r in found}) < len(found):
        raise UsageError(f"'{text}' names a field twice", "name each once")
    return found


def searchable() -> dict[str, Setting]:
    """The settings a search may vary, by name; not those that choose the data or the length of the training."""
    return {setting.name: setting for setting in SETTINGS if setting.searchable}


def _range(name: str, given: str, config: TrainConfig) -> Range:
    setting = searchable().get(name)
    if setting is None:
        raise UsageError(f"'{name}' cannot be searched over", f"choose from: {', '.join(searchable())}")
    if setting.choices:
        return _choices(name, given, setting.choices)
    low, high = _bounds(name, given) if given else _around(setting, getattr(config, name))
    whole = int in setting.kinds
    low, high = (max(1.0, math.ceil(low)), float(math.floor(high))) if whole else (low, high)
    for bound in (low, high):
        candidate: dict[str, Any] = {name: int(bound) if whole else bound}
        replace(config, **candidate)  # refuses what no trial could use
    return Range(name, low, high, setting.factor is not None and low > 0, whole)


def _around(setting: Setting, value: float) -> tuple[float, float]:
    """The range that is searched where none is given."""
    name = setting.name
    if not value:
        raise UsageError(f"{name} is 0 in this recipe", f"give the range: --over {name}=LOW..HIGH")
    low, high = (value / setting.factor, value * setting.factor) if setting.factor else (0.0, value * 2)
    return low, min(high, setting.highest)


def _choices(name: str, given: str, names: tuple[str, ...]) -> Range:
    chosen = tuple(given.split("|")) if given else names
    unknown = [choice for choice in chosen if choice not in names]
    if unknown:
        raise UsageError(f"{name} cannot be '{unknown[0]}'", f"choose from: {'|'.join(names)}")
    return Range(name, choices=chosen)


def _bounds(name: str, given: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in given.split(".."))
    except ValueError:
        raise UsageError(f"'{given}' is no range for {name}", f"write it as {name}=1e-4..1e-2") from None
    if not (math.isfinite(high) and low < high):
        raise UsageError(f"the range {given} of {name} is empty", "put the smaller number first")
    return low, high
