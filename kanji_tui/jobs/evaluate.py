"""The job `evaluate`: evaluates a model on a split of a dataset, and saves its predictions."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL, WEIGHTS
from kanji_tui.recognition.results import Evaluation
from kanji_tui.runs.publish import published


@dataclass(frozen=True)
class Spec:
    """`split`: test, val, train or all. The top five of each sample are saved in `predictions_folder`.

    With `others` the models are evaluated as an ensemble: the mean of their probabilities, which is not saved.
    """

    model_path: Path = DEFAULT_MODEL
    data_dir: Path = DATA_DIR
    split: str = "test"
    others: tuple[Path, ...] = ()


def run(spec: Spec, report: Report) -> Evaluation:
    from kanji_tui.recognition.evaluation import evaluate

    if spec.others:
        from kanji_tui.recognition.ensemble import evaluate_ensemble

        return evaluate_ensemble((spec.model_path, *spec.others), spec.data_dir, spec.split, report)
    folder = predictions_folder(spec.model_path)
    return evaluate(spec.model_path, spec.data_dir, spec.split, folder, report)


def predictions_folder(model_path: Path) -> Path:
    """The folder for a model's predictions: the run it was published from, else the model's own folder."""
    record = published(model_path.parent) if model_path.name == WEIGHTS else None
    run = model_path.parent / "runs" / record.run if record else model_path.parent
    return run if run.is_dir() else model_path.parent
