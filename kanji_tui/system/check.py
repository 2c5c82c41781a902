"""The result of one check: what was found, the verdict, and the remedy."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed", "not applicable"]


@dataclass(frozen=True)
class Check:
    """`found`: a phrase with what was found. `remedy`: what to do, empty where nothing is wrong.

    The verdict `failed` means that work is impossible; what only limits it is a `warning`.
    """

    group: str
    name: str
    verdict: Verdict
    found: str
    remedy: str = ""
