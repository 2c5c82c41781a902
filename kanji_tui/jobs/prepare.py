"""The job `prepare`: record files into a dataset of small pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kanji_tui.events import Report
from kanji_tui.paths import DATA_DIR, ETL_DIR

if TYPE_CHECKING:
    from kanji_tui.data.preparation import Prepared


@dataclass(frozen=True)
class Spec:
    """`size` pixels a side; `workers` None: one for each usable core; `format` None: recognised."""

    etl_dir: Path = ETL_DIR
    output_dir: Path = DATA_DIR
    size: int = 64
    workers: int | None = None
    format: str | None = None


def run(spec: Spec, report: Report) -> "Prepared":
    from kanji_tui.data.preparation import prepare

    return prepare(spec.etl_dir, spec.output_dir, spec.size, spec.workers, spec.format, report)
