"""The job `evaluate`: how good is a model on a split of a dataset, and what does it say of each sample?"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kanji_tui.events import Report

if TYPE_CHECKING:
    from kanji_tui.recognition.evaluation import Evaluation

DEFAULT_MODEL = Path("models/best_kanji_model.pth")


@dataclass(frozen=True)
class Spec:
    """`split`: test, val, train or all. In a run directory the top five of each sample are kept there."""

    model_path: Path = DEFAULT_MODEL
    data_dir: Path = Path("dataset")
    split: str = "test"


def run(spec: Spec, report: Report) -> "Evaluation":
    from kanji_tui.recognition.evaluation import evaluate

    return evaluate(spec.model_path, spec.data_dir, spec.split, report.directory, report)
