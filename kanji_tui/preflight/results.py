"""The result of the job `preflight`."""

from dataclasses import dataclass

from kanji_tui.system.check import Check


@dataclass(frozen=True)
class Preflight:
    """All checks, in the order of their groups."""

    checks: tuple[Check, ...]
