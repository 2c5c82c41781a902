"""The job `prepare`: builds a dataset of resized images from input files."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.data.results import Preparation
from kanji_tui.events import Report
from kanji_tui.paths import DATA_DIR, ETL_DIR


@dataclass(frozen=True)
class Spec:
    """Images of `size` x `size` pixels; `workers` None: one per usable core; `format` None: detected.

    `labels`: how folder names of hexadecimal digits are read (unicode, jis or character); None: decided.
    `accept_quarantine`: prepare even where many records are unusable.
    """

    etl_dir: Path = ETL_DIR
    output_dir: Path = DATA_DIR
    size: int = 64
    workers: int | None = None
    format: str | None = None
    labels: str | None = None
    accept_quarantine: bool = False


def run(spec: Spec, report: Report) -> Preparation:
    from kanji_tui.data.preparation import prepare

    return prepare(
        spec.etl_dir,
        spec.output_dir,
        spec.size,
        spec.workers,
        spec.format,
        report,
        spec.labels,
        spec.accept_quarantine,
    )
