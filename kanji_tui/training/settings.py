"""How one setting of a training is described: an annotation of its field in Recipe or TrainConfig.

Files, --set, options, the form and the search all read this one description. Free of torch.
"""

import dataclasses
import types
import typing
from dataclasses import dataclass, replace
from typing import Any

from kanji_tui.allowed import MOST, Allowed
from kanji_tui.system.plain_data import convert

MAIN = ""  # what most trainings choose: first in the form, and an option of the command line
SCHEDULE = "optimiser and schedule"
MEMORY = "precision and memory"
AUGMENTATION = "augmentation"
GROUPS = (MAIN, SCHEDULE, MEMORY, AUGMENTATION)


ANY = Allowed("", lambda value: True)
AMOUNT = Allowed("0 or more", lambda value: 0 <= value < float("inf"))
POSITIVE = Allowed("more than 0", lambda value: 0 < value < float("inf"))
SHARE = Allowed("from 0 to less than 1", lambda value: 0 <= value < 1)
WHOLE_SHARE = Allowed("from 0 to 1", lambda value: 0 <= value <= 1)
BETAS = Allowed("two numbers from 0 to less than 1", lambda betas: all(0 <= beta < 1 for beta in betas))
SPLIT_SHARES = Allowed(
    "like 70/15/15 or 85/15/0, with something to train and something to validate",
    lambda shares: min(shares) >= 0 and min(shares[:2]) > 0 and sum(shares) < float("inf"),
)


def at_least(least: int) -> Allowed:
    return Allowed(f"from {least} to {MOST:,}", lambda value: value is None or least <= value <= MOST)


@dataclass(frozen=True)
class Setting:
    """One setting. `name`, `hint`, `choices` and `default` are those of its field: see `described`.

    `metavar` is what its option shows as its value. A search may vary it if it is a number or has choices and is
    `searched`: by factors, from the recipe's value divided by `factor` to the value times it, or without a factor
    from 0 to twice the value; in both cases to `highest` at most.
    """

    help: str
    group: str = SCHEDULE
    allowed: Allowed = ANY
    metavar: str | None = None
    searched: bool = True
    factor: float | None = None
    highest: float = float("inf")
    choices: tuple[str, ...] = ()
    name: str = ""
    hint: Any = str
    default: Any = None  # None: the recipe's, and for `fold` and `sample_limit` really none

    @property
    def label(self) -> str:
        return self.name.replace("_", " ")

    @property
    def option(self) -> str | None:
        """Its own option of the command line; None where there is only --set."""
        return f"--{self.name.replace('_', '-')}" if self.group == MAIN else None

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The types of its value, NoneType among them where it may be None."""
        return typing.get_args(self.hint) if isinstance(self.hint, types.UnionType) else (self.hint,)

    @property
    def searchable(self) -> bool:
        return self.searched and (bool(self.choices) or int in self.kinds or float in self.kinds)

    @property
    def _is_tuple(self) -> bool:
        return any(typing.get_origin(kind) is tuple for kind in self.kinds)

    def parse(self, text: str) -> Any:
        """The value that a person typed: `12,300`, `1e-3`, `70/15/15`, `yes`; UsageError for no such value."""
        plain: Any = text
        if self._is_tuple:
            plain = [_number(part) for part in text.split("/")]
        elif bool in self.kinds:
            plain = {"yes": True, "no": False}.get(text, text)
        elif int in self.kinds or float in self.kinds:
            plain = _number(text)
        return convert(self.hint, plain, self.label)

    def text(self, value: Any) -> str:
        """The value as it is typed, numbers in at most six digits; empty for None."""
        if value is None:
            return ""
        if isinstance(value, tuple):
            return "/".join(f"{part:g}" for part in value)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:g}" if isinstance(value, float) else str(value)


def described(kind: type) -> tuple[Setting, ...]:
    """The settings of a dataclass whose fields are all annotated with one."""
    hints = typing.get_type_hints(kind, include_extras=True)
    found = []
    for field in dataclasses.fields(kind):
        hint, setting = typing.get_args(hints[field.name])
        literal = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
        default = None if field.default is dataclasses.MISSING else field.default
        choices = setting.choices or literal
        found.append(replace(setting, name=field.name, hint=hint, choices=choices, default=default))
    return tuple(found)


def _number(text: str) -> int | float | str:
    """The number in the text; the text itself where there is none, to be refused."""
    for kind in (int, float):
        try:
            return kind(text.replace(",", "").replace("_", ""))
        except ValueError:
            continue
    return text
