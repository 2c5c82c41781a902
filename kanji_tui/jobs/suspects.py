"""The job `suspects`: finds suspected label errors, where the label disagrees with a confident model."""

from dataclasses import dataclass, replace
from pathlib import Path

from kanji_tui.events import Notice, Report
from kanji_tui.jobs.evaluate import predictions_folder
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL
from kanji_tui.recognition.results import Suspects


@dataclass(frozen=True)
class Spec:
    """`split`: test, val, train or all. `output_path`: a TSV file for the results."""

    model_path: Path = DEFAULT_MODEL
    data_dir: Path = DATA_DIR
    split: str = "test"
    output_path: Path | None = None


def run(spec: Spec, report: Report) -> Suspects:
    from kanji_tui.data.dataset import open_dataset
    from kanji_tui.recognition.evaluation import predict_split
    from kanji_tui.recognition.models import open_model
    from kanji_tui.recognition.predictions import split_of_samples
    from kanji_tui.recognition.suspects import find_suspects, write_tsv

    model, dataset = open_model(spec.model_path), open_dataset(spec.data_dir)
    predicted = predict_split(model, dataset, spec.split, predictions_folder(spec.model_path), report)
    found = find_suspects(
        dataset, predicted.predictions, split_of_samples(dataset, model.card.split), spec.model_path
    )
    if found.note:
        report(Notice(found.note))
    if spec.output_path is None:
        return found
    write_tsv(spec.output_path, found.suspects)
    return replace(found, output_path=str(spec.output_path))
