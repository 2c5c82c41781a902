"""Which fields of a training's config a search may vary, and from where to where. Free of torch."""

import math
import typing
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from kanji_tui.errors import UsageError
from kanji_tui.training.config import TrainConfig, resolve

# What decides what is learned from, or how long: trials that differ in these are no fair comparison.
NEVER = (
    *("network", "recipe", "epochs", "seed", "split", "split_shares", "fold", "sample_limit"),
    *("patience", "best_by", "pieces"),
)
# Searched by factors: from the recipe's value divided by this to the value times this. Others: from 0 to twice it.
FACTORS = {
    "learning_rate": 10,
    "weight_decay": 10,
    "final_learning_rate": 10,
    "clip_norm": 10,
    "batch_size": 4,
}
HIGHEST = {"momentum": 0.99, "ema": 0.5, "warmup": 0.9, "fade": 0.9, "scale": 0.5, "final_learning_rate": 1.0}


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
    """What `learning_rate,weight_decay=1e-4..1e-1,optimiser` asks for, around the values of a resolved config.

    UsageError for a field that cannot be searched over, for a bound the config refuses, and for a field that is 0
    and has no range given.
    """
    named = [part.strip().partition("=") for part in text.split(",")]
    found = tuple(_range(name.replace("-", "_"), given, config) for name, _, given in named)
    if len({r.name for r in found}) < len(found):
        raise UsageError(f"'{text}' names a field twice", "name each once")
    return found


def searchable() -> list[str]:
    """The names of the fields a search may vary."""
    hints = typing.get_type_hints(TrainConfig)
    return [f.name for f in fields(TrainConfig) if f.name not in NEVER and _kind(hints[f.name])]


def _range(name: str, given: str, config: TrainConfig) -> Range:
    if name not in searchable():
        raise UsageError(f"'{name}' cannot be searched over", f"choose from: {', '.join(searchable())}")
    kind = _kind(typing.get_type_hints(TrainConfig)[name])
    if isinstance(kind, tuple):
        return _choices(name, given, kind)
    value = getattr(config, name)
    if given:
        low, high = _bounds(name, given)
    elif not value:
        raise UsageError(f"{name} is 0 in this recipe", f"say from where to where: --over {name}=LOW..HIGH")
    elif name in FACTORS:
        low, high = value / FACTORS[name], value * FACTORS[name]
    else:
        low, high = 0.0, value * 2
    high = high if given else min(high, HIGHEST.get(name, high))
    whole = kind is int
    low, high = (max(1.0, math.ceil(low)), float(math.floor(high))) if whole else (low, high)
    for bound in (low, high):
        tried: dict[str, Any] = {name: int(bound) if whole else bound}
        resolve(replace(config, **tried))  # refuses what no trial could use
    return Range(name, low, high, name in FACTORS and low > 0, whole)


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


def _kind(hint: Any) -> Any:
    """int, float, or the names to choose from; None for what has neither order nor names."""
    for option in (hint, *typing.get_args(hint)):
        if typing.get_origin(option) is Literal:
            return typing.get_args(option)
        if option in (int, float):
            return option
    return None
