"""The job `train`: a network learns a dataset. Its run directory keeps everything it earned."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kanji_tui.events import Report
from kanji_tui.training.config import TrainConfig

if TYPE_CHECKING:
    from kanji_tui.training.results import Trained


@dataclass(frozen=True)
class Spec:
    """`resume`: the run directory to go on from, with its own config; then `config` is not looked at."""

    data_dir: Path = Path("dataset")
    models_dir: Path = Path("models")
    config: TrainConfig = field(default_factory=TrainConfig)
    resume: Path | None = None


def run(spec: Spec, report: Report) -> "Trained":
    from kanji_tui.jobs.publish import publish_finished
    from kanji_tui.training.trainer import train

    assert report.directory is not None, "a training always has a run directory"
    trained = train(spec.data_dir, spec.config, report.directory, spec.resume, report)
    publish_finished(report.directory, spec.models_dir, report)
    return trained
