"""The job `pooling`: size, operators, latency and accuracy of a model with each pooling type."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.export.results import PoolingTable
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL


@dataclass(frozen=True)
class Spec:
    model_path: Path = DEFAULT_MODEL
    data_dir: Path = DATA_DIR


def run(spec: Spec, report: Report) -> PoolingTable:
    from kanji_tui.export.pooling_table import compare_pooling

    return compare_pooling(spec.model_path, spec.data_dir, report)
