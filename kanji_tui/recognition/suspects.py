"""Finds suspected label errors: samples for which a trained model is confident of another class than their label.

Based on confident learning (Northcutt, Jiang, Chuang: "Confident Learning: Estimating Uncertainty in Dataset
Labels", Journal of Artificial Intelligence Research 70, 2021). With p(c) the model's probability of class c for a
sample:

    threshold t(c)   the mean of p(c) over the samples labelled c: the model's usual confidence in that class
                     (for a class without samples: the mean of p(label) over all samples)
    suspect          the most probable class c is not the label, and p(c) >= t(c)
    margin           p(label) - p(c), from -1 to 0 (the paper's "normalised margin"); sorted lowest first

The rule holds for samples that the model was not trained on. On the train split the model has learned the labels,
wrong ones included, so p(label) is too high and few errors are found. To test every sample, train all folds (`train
--fold k/n`) and test the test split of each.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.dataset import Dataset
from kanji_tui.recognition.predictions import SPLIT_NAMES, Predictions
from kanji_tui.recognition.results import Suspect, Suspects
from kanji_tui.system.files import write_text

TRAIN_NOTE = (
    "the model was trained on the labels of the train split, wrong ones included, so it finds few errors there: "
    "look at test and val first"
)
HEADER = (
    "file\trecord\tdata_set\tlabel\tlabel_jis\tpredicted\tpredicted_jis\tlabel_probability\tpredicted_probability"
    "\tthreshold\tmargin\tsplit\tsample\tpath"
)


def rank_suspects(predictions: Predictions, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers in `predictions` of the suspects, lowest margin first, int64, and their thresholds, float64.

    `truth` uint16 (M,): the labels' JIS codes. Ties are in the order of sample numbers.
    """
    known = ~np.isnan(predictions.loss)
    if not known.any():
        return np.empty(0, np.int64), np.empty(0)
    own = np.where(known, predictions.label_probability, 0).astype(np.float64)
    labelled = np.bincount(truth[known], minlength=65536)
    sums = np.bincount(truth[known], weights=own[known], minlength=65536)
    thresholds = np.where(labelled > 0, sums / np.maximum(labelled, 1), own[known].mean())
    first, confidence = predictions.jis[:, 0], predictions.probability[:, 0].astype(np.float64)
    rows = np.flatnonzero(known & (first != truth) & (confidence >= thresholds[first]))
    rows = rows[np.argsort((own - confidence)[rows], kind="stable")]
    return rows, thresholds[first[rows]]


def find_suspects(
    dataset: Dataset, predictions: Predictions, splits: np.ndarray | None, model_path: Path
) -> Suspects:
    """The suspected label errors among the predicted samples; `splits` as `split_of_samples` returns them."""
    truth = dataset.jis[predictions.index]
    rows, thresholds = rank_suspects(predictions, truth)
    paths, own = dataset.paths(), predictions.label_probability
    found = []
    for row, threshold in zip(rows.tolist(), thresholds.tolist(), strict=True):
        number = int(predictions.index[row])
        label, predicted = int(truth[row]), int(predictions.jis[row, 0])
        file, record = dataset.files[int(dataset.file[number])], int(dataset.record[number])
        split = -1 if splits is None else int(splits[number])
        confidence = float(predictions.probability[row, 0])
        found.append(
            Suspect(
                file=file,
                record=record,
                data_set=int(dataset.set[number]),
                label=character_of(label),
                label_jis=name_jis(label),
                predicted=character_of(predicted),
                predicted_jis=name_jis(predicted),
                label_probability=float(own[row]),
                predicted_probability=confidence,
                threshold=threshold,
                margin=float(own[row]) - confidence,
                split=SPLIT_NAMES[split] if split >= 0 else "",
                sample=number,
                path=paths.get((file, record), ""),
            )
        )
    trained_on = splits is not None and bool((splits[predictions.index] == 0).any())
    unknown = int(np.isnan(predictions.loss).sum())
    return Suspects(
        samples=len(predictions) - unknown,
        unknown_samples=unknown,
        suspects=tuple(found),
        split=predictions.split,
        model_path=str(model_path),
        model_digest=predictions.model_digest,
        dataset_digest=predictions.dataset_digest,
        note=TRAIN_NOTE if trained_on else "",
    )


def write_tsv(path: Path, suspects: Sequence[Suspect]) -> None:
    """Write a header and one line per sample, tab-separated, UTF-8, atomically."""
    lines = [HEADER, *(_line(suspect) for suspect in suspects)]
    write_text(path, "\n".join(lines) + "\n")


def _line(suspect: Suspect) -> str:
    cells = (
        suspect.file,
        suspect.record,
        suspect.data_set,
        suspect.label,
        suspect.label_jis,
        suspect.predicted,
        suspect.predicted_jis,
        f"{suspect.label_probability:.6f}",
        f"{suspect.predicted_probability:.6f}",
        f"{suspect.threshold:.6f}",
        f"{suspect.margin:.6f}",
        suspect.split,
        suspect.sample,
        suspect.path,
    )
    # A file name may contain tabs and line breaks; a cell may not.
    return "\t".join(str(cell).replace("\t", " ").replace("\n", " ").replace("\r", " ") for cell in cells)
