"""What a preflight finds: checks, each with its verdict and what to type where something is missing."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed", "not applicable"]


@dataclass(frozen=True)
class Check:
    """`found` says in words what is there; `remedy` is a shell command, empty where nothing needs mending.

    `failed` is kept for what makes work impossible; what only limits it is a `warning`.
    """

    group: str
    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Preflight:
    """All checks, in the order of their groups."""

    checks: tuple[Check, ...]
