"""Suspect labels: samples of which a trained model is sure that they show another character than their label says.

After confident learning (Northcutt, Jiang, Chuang: "Confident Learning: Estimating Uncertainty in Dataset Labels",
Journal of Artificial Intelligence Research 70, 2021). With p(c) the model's probability of class c for a sample:

    threshold t(c)   the mean of p(c) over the samples labelled c: how sure the model usually is of that class
                     (over all samples the mean of p(their label), for a class that labels none of them)
    suspect          the most probable class c is not the label, and p(c) >= t(c)
    margin           p(label) - p(c), from -1 to 0: the most suspect first, their "normalised margin"

It holds for samples the model did not learn from. Of the train split it learned the labels, wrong ones included:
there p(label) is too high, and what is found is the least of what there is. To look at every sample train folds
(`train --fold k/n`) and look at the test part of each.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.dataset import Dataset
from kanji_tui.recognition.predictions import PARTS, Predictions
from kanji_tui.recognition.results import Suspect, Suspects
from kanji_tui.system.files import write_text

TRAIN_NOTE = (
    "the model learned the labels of the train split, wrong ones included: of those it finds the fewest, "
    "so look at test and val first"
)
HEADER = (
    "file\trecord\tdata_set\tlabel\tlabel_jis\tpredicted\tpredicted_jis\tlabel_probability\tpredicted_probability"
    "\tthreshold\tmargin\tsplit\tsample\tpath"
)


def rank_suspects(predictions: Predictions, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places in `predictions` of the suspect samples, most suspect first, int64, and their thresholds, float64.

    `truth` uint16 (M,): the labels' JIS codes. Equals stand in the order of their sample numbers.
    """
    known = ~np.isnan(predictions.loss)
    if not known.any():
        return np.empty(0, np.int64), np.empty(0)
    own = np.where(known, predictions.own, 0).astype(np.float64)
    labelled = np.bincount(truth[known], minlength=65536)
    sums = np.bincount(truth[known], weights=own[known], minlength=65536)
    thresholds = np.where(labelled > 0, sums / np.maximum(labelled, 1), own[known].mean())
    first, sure = predictions.jis[:, 0], predictions.probability[:, 0].astype(np.float64)
    places = np.flatnonzero(known & (first != truth) & (sure >= thresholds[first]))
    places = places[np.argsort((own - sure)[places], kind="stable")]
    return places, thresholds[first[places]]


def find_suspects(
    dataset: Dataset, predictions: Predictions, parts: np.ndarray | None, model_path: Path
) -> Suspects:
    """The suspect samples among those predicted; `parts` as `parts_of` gives them."""
    truth = dataset.jis[predictions.index]
    places, thresholds = rank_suspects(predictions, truth)
    paths, own = dataset.paths(), predictions.own
    found = []
    for place, threshold in zip(places.tolist(), thresholds.tolist(), strict=True):
        number = int(predictions.index[place])
        label, predicted = int(truth[place]), int(predictions.jis[place, 0])
        file, record = dataset.files[int(dataset.file[number])], int(dataset.record[number])
        part = -1 if parts is None else int(parts[number])
        sure = float(predictions.probability[place, 0])
        found.append(
            Suspect(
                file=file,
                record=record,
                data_set=int(dataset.set[number]),
                label=character_of(label),
                label_jis=name_jis(label),
                predicted=character_of(predicted),
                predicted_jis=name_jis(predicted),
                label_probability=float(own[place]),
                predicted_probability=sure,
                threshold=threshold,
                margin=float(own[place]) - sure,
                split=PARTS[part] if part >= 0 else "",
                sample=number,
                path=paths.get((file, record), ""),
            )
        )
    learned = parts is not None and bool((parts[predictions.index] == 0).any())
    unknown = int(np.isnan(predictions.loss).sum())
    return Suspects(
        samples=len(predictions) - unknown,
        unknown_samples=unknown,
        suspects=tuple(found),
        split=predictions.split,
        model_path=str(model_path),
        model_digest=predictions.model_digest,
        dataset_digest=predictions.dataset_digest,
        note=TRAIN_NOTE if learned else "",
    )


def write_tsv(path: Path, suspects: Sequence[Suspect]) -> None:
    """One line a sample under the names of its columns, UTF-8, whole or not at all."""
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
    # a file name may hold anything; a cell may not
    return "\t".join(str(cell).replace("\t", " ").replace("\n", " ").replace("\r", " ") for cell in cells)
