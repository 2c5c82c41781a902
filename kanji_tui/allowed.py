"""Which values a field may have: said beside the field, checked wherever it is read.

    pid: Annotated[int, between(0, 2**31)]

`system.plain_data` checks these annotations in what files hold, `training.settings` those of a training.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST = 2**53  # up to here JSON's numbers are whole in every program


@dataclass(frozen=True)
class Allowed:
    """Which values a field may have, and that in words."""

    words: str
    holds: Callable[[Any], bool]


def between(low: float, high: float) -> Allowed:
    """Numbers from `low` to `high`."""
    return Allowed(f"from {low:,} to {high:,}", lambda value: low <= value <= high)


def one_of(*values: Any) -> Allowed:
    """These values."""
    return Allowed(f"one of {', '.join(map(str, values))}", lambda value: value in values)


def at_most(count: int) -> Allowed:
    """Texts of so many characters, and lists of so many values."""
    return Allowed(f"at most {count:,} long", lambda value: len(value) <= count)


def matching(pattern: str, words: str) -> Allowed:
    """Texts that match the pattern as a whole."""
    compiled = re.compile(pattern, re.DOTALL)
    return Allowed(words, lambda value: compiled.fullmatch(value) is not None)


COUNT = between(0, MOST)
SHARE = between(0, 1)
# A missing value of a measurement is null in JSON and NaN here.
MEASURED = Allowed("a finite number", lambda value: math.isnan(value) or abs(value) <= MOST)
MOMENT = between(0, 2**37)  # seconds since 1970 that a calendar has
NAME = matching(
    r"(?!\.)[A-Za-z0-9._-]{1,64}",
    "up to 64 of A-Z, a-z, 0-9, dot, dash and underscore, not beginning with a dot",
)
# What undecodable bytes of a name became is in it; other halves of characters are in no name.
FILE = matching(r"(?!\.{1,2}$)[^/\x00\ud800-\udc7f\udd00-\udfff]{1,255}", "the name of a file without its folder")
DIGEST = matching(r"[0-9a-f]{64}", "64 hexadecimal digits")
TEXT = matching(r"[^\ud800-\udfff]*", "text of whole characters")
