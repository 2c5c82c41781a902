"""The job `probe`: estimates the duration and memory of a training from a few real steps."""

from dataclasses import dataclass, field
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DATA_DIR
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.training.results import Probed


@dataclass(frozen=True)
class Spec:
    """The dataset and settings of the training."""

    data_dir: Path = DATA_DIR
    config: TrainConfig = field(default_factory=configure)


def run(spec: Spec, report: Report) -> Probed:
    from kanji_tui.training.probe import probe

    return probe(spec.data_dir, spec.config, report)
