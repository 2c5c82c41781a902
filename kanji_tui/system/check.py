"""One line of a check-up: what was looked at, how it stands, and what to type where it does not."""

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
