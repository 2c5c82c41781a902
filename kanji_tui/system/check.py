"""One checked fact: what was found, how it stands, and what to type where it is wrong."""

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed", "not applicable"]


@dataclass(frozen=True)
class Check:
    """`found` says in words and numbers what is there; `remedy` is what to do, empty where nothing is wrong.

    `failed` is kept for what makes work impossible; what only limits it is a `warning`.
    """

    group: str
    name: str
    verdict: Verdict
    found: str
    remedy: str = ""
