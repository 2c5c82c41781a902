"""The job `evaluate`: how good is a model on a split of a dataset, and what does it say of each sample?"""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL, WEIGHTS
from kanji_tui.recognition.results import Evaluation
from kanji_tui.runs.publish import published


@dataclass(frozen=True)
class Spec:
    """`split`: test, val, train or all. The top five of each sample are kept in `predictions_folder`.

    The models in `others` judge together with the first, by the mean of their probabilities; nothing is kept then.
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
    keep_in = predictions_folder(spec.model_path)
    return evaluate(spec.model_path, spec.data_dir, spec.split, keep_in, report)


def predictions_folder(model_path: Path) -> Path:
    """Where a model's predictions are kept: with the run it was published from, else beside it."""
    record = published(model_path.parent) if model_path.name == WEIGHTS else None
    run = model_path.parent / "runs" / record.run if record else model_path.parent
    return run if run.is_dir() else model_path.parent
