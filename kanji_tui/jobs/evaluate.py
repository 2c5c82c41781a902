"""The job `evaluate`: the metrics of a model on a split of a dataset, and its prediction for each sample."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.paths import BUILT_IN, DATA_DIR, DEFAULT_MODEL, MODELS_DIR, WEIGHTS
from kanji_tui.recognition.results import Evaluation
from kanji_tui.runs.publish import published


@dataclass(frozen=True)
class Spec:
    """`split`: test, val, train or all. The top five of each sample are stored in `predictions_folder`.

    The models in `others` form an ensemble with the first, by the mean of their probabilities; its predictions are
    not stored. `characters`: the character set that decides between look-alikes in `top1_strict`.
    """

    model_path: Path = DEFAULT_MODEL
    data_dir: Path = DATA_DIR
    split: str = "test"
    others: tuple[Path, ...] = ()
    characters: str | None = None


def run(spec: Spec, report: Report) -> Evaluation:
    from kanji_tui.recognition.evaluation import evaluate

    if spec.others:
        from kanji_tui.recognition.ensemble import evaluate_ensemble

        return evaluate_ensemble(
            (spec.model_path, *spec.others), spec.data_dir, spec.split, report, spec.characters
        )
    folder = predictions_folder(spec.model_path)
    return evaluate(spec.model_path, spec.data_dir, spec.split, folder, report, spec.characters)


def predictions_folder(model_path: Path) -> Path:
    """The folder for a model's predictions: that of the run it was published from, else the model's own."""
    if model_path == BUILT_IN:
        return MODELS_DIR
    record = published(model_path.parent) if model_path.name == WEIGHTS else None
    run = model_path.parent / "runs" / record.run if record else model_path.parent
    return run if run.is_dir() else model_path.parent
