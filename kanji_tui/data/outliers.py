"""The samples least like their class: wrong labels, slips of the pen, blots.

Each picture is averaged down to 16 by 16, which forgives small shifts. Its distance is one minus its correlation
with the mean of the other samples of its class: 0 for the same shape whatever the pen, 1 for nothing in common, up
to 2. Two passes, so that memory holds a sum a class and a distance a sample, never the pictures.
"""

import numpy as np

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.dataset import Dataset
from kanji_tui.data.image_statistics import in_pieces
from kanji_tui.data.resize import resize_grey
from kanji_tui.data.results import ClassOutliers, Outlier
from kanji_tui.events import Report

COARSE = 16


def find_unusual(dataset: Dataset, count: int, report: Report) -> tuple[ClassOutliers, ...]:
    """The `count` most unusual samples of each class, in the order of class numbers."""
    total = _class_sums(dataset, report)
    distance = np.empty(len(dataset), np.float32)
    for numbers, images in in_pieces(dataset, "unusual samples", report):
        coarse, labels = _coarse(images), dataset.labels[numbers]
        distance[numbers] = 1 - (_unit(coarse) * _unit(total[labels] - coarse)).sum(axis=1)
    order = np.lexsort((-distance, dataset.labels))
    starts = np.searchsorted(dataset.labels[order], np.arange(len(dataset.classes) + 1))
    paths = dataset.paths()
    return tuple(
        ClassOutliers(
            jis=name_jis(jis),
            character=character_of(jis),
            samples=tuple(
                Outlier(
                    sample=number,
                    file=(file := dataset.files[dataset.file[number]]),
                    record=(record := int(dataset.record[number])),
                    distance=round(float(distance[number]), 4),
                    path=paths.get((file, record), ""),
                )
                for number in order[starts[label] : min(starts[label + 1], starts[label] + count)].tolist()
            ),
        )
        for label, jis in enumerate(dataset.classes)
    )


def _class_sums(dataset: Dataset, report: Report) -> np.ndarray:
    """The sum of the coarse pictures of each class, (C, 256)."""
    total = np.zeros((len(dataset.classes), COARSE * COARSE))
    for numbers, images in in_pieces(dataset, "class means", report):
        np.add.at(total, dataset.labels[numbers], _coarse(images))
    return total


def _coarse(images: np.ndarray) -> np.ndarray:
    """Pictures uint8 (n, S, S) as real numbers (n, 256), each of mean 0."""
    coarse = resize_grey(images, COARSE).reshape(len(images), -1).astype(np.float64)
    centred: np.ndarray = coarse - coarse.mean(axis=1, keepdims=True)
    return centred


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit
