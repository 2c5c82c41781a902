"""Counts correct predictions by class, and confusions, for evaluation, training and the Browser."""

import numpy as np

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.recognition.results import Confusion


def count_by_class(labels: np.ndarray, correct: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples and correct predictions of each class, int64 (classes,) each.

    `labels`: integers (N,) from 0 to classes - 1; `correct`: bool (N,).
    """
    return np.bincount(labels, minlength=classes), np.bincount(labels[correct], minlength=classes)


def most_confused(truth: np.ndarray, predicted: np.ndarray, most: int) -> tuple[Confusion, ...]:
    """The `most` frequent pairs of a label and another prediction; ties are ordered by their codes.

    `truth` and `predicted`: JIS codes as integers (N,).
    """
    wrong = truth != predicted
    pairs = truth[wrong].astype(np.int64) << 16 | predicted[wrong].astype(np.int64)
    found, counts = np.unique(pairs, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return tuple(_confusion(*divmod(int(found[index]), 65536), int(counts[index])) for index in order)


def _confusion(truth: int, predicted: int, count: int) -> Confusion:
    return Confusion(
        truth=character_of(truth),
        predicted=character_of(predicted),
        count=count,
        truth_jis=name_jis(truth),
        predicted_jis=name_jis(predicted),
    )
