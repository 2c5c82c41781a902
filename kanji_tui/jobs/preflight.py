"""The job `preflight`: is everything here that the way from record files to a recogniser needs?"""

from dataclasses import dataclass

from kanji_tui.events import Report
from kanji_tui.preflight.all_checks import Folders, run_checks
from kanji_tui.preflight.results import Preflight


@dataclass(frozen=True)
class Spec(Folders):
    """The folders to check."""


def run(spec: Spec, report: Report) -> Preflight:
    """Every check, in the order of its groups."""
    return run_checks(spec, report)
