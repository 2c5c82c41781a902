"""The job `verify`: checks a dataset's files and images."""

from dataclasses import dataclass, replace
from pathlib import Path

from kanji_tui.data.results import Verification
from kanji_tui.events import Report
from kanji_tui.paths import DATA_DIR


@dataclass(frozen=True)
class Spec:
    """`test_model`: train a network for a few steps; `contact_sheet`: a PNG file for a page of samples.

    `unusual`: the number of outliers of each class that are listed and drawn.
    """

    data_dir: Path = DATA_DIR
    test_model: bool = False
    contact_sheet: Path | None = None
    unusual: int = 0


def run(spec: Spec, report: Report) -> Verification:
    from kanji_tui.data.checks import verify

    verified = verify(spec.data_dir, spec.contact_sheet, report, spec.unusual)
    if not spec.test_model:
        return verified
    from kanji_tui.training.sanity_check import try_learning

    return replace(verified, checks=(*verified.checks, try_learning(spec.data_dir, report)))
