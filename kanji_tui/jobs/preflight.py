"""The job `preflight`: checks that everything from record files to a trained model can run."""

from dataclasses import dataclass

from kanji_tui.events import Report
from kanji_tui.preflight.all_checks import Folders, run_checks
from kanji_tui.preflight.results import Preflight


@dataclass(frozen=True)
class Spec(Folders):
    """The folders to check."""


def run(spec: Spec, report: Report) -> Preflight:
    """Run every check; the results are in the order of their groups."""
    return run_checks(spec, report)
