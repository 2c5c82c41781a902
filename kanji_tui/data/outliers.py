"""Finds the outliers of each class: samples that are least like it, such as wrong labels and blots.

Each image is averaged down to 16 by 16 pixels, so that small shifts matter little. Its distance is one minus its
correlation with the mean of the other samples of its class: 0 for the same shape in any ink, 1 for no correlation,
2 at most. Two passes over the dataset: memory holds one sum per class and one distance per sample, no images.
"""

import numpy as np

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.dataset import Dataset
from kanji_tui.data.image_statistics import in_batches
from kanji_tui.data.resize import resize_grey
from kanji_tui.data.results import ClassOutliers, Outlier
from kanji_tui.events import Report

COARSE = 16


def find_outliers(dataset: Dataset, count: int, report: Report) -> tuple[ClassOutliers, ...]:
    """The `count` samples of each class that are least like it, in the order of class numbers."""
    total = _class_sums(dataset, report)
    distance = np.empty(len(dataset), np.float32)
    for numbers, images in in_batches(dataset, "outliers", report):
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
    """The sum of the coarse images of each class, (C, 256)."""
    total = np.zeros((len(dataset.classes), COARSE * COARSE))
    for numbers, images in in_batches(dataset, "class means", report):
        np.add.at(total, dataset.labels[numbers], _coarse(images))
    return total


def _coarse(images: np.ndarray) -> np.ndarray:
    """Images uint8 (n, S, S) averaged down to float64 (n, 256), the mean of each subtracted."""
    coarse = resize_grey(images, COARSE).reshape(len(images), -1).astype(np.float64)
    centred: np.ndarray = coarse - coarse.mean(axis=1, keepdims=True)
    return centred


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit
