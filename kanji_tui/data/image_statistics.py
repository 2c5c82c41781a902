"""Measures every image of a dataset, batch by batch, so that memory use stays small."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kanji_tui.data.dataset import Dataset
from kanji_tui.data.resize import resize_weights
from kanji_tui.events import Progress, Report, Throttle, raise_if_stopped

BATCH = 2048  # images measured together
INK = 64  # pixel values, 0-255, from here on count as ink
FULL_INK = 250
HEAT_MAP = 16


@dataclass(frozen=True, eq=False)
class ImageStatistics:
    """Measurements of each of N images, and their mean image.

    `brightest` uint8 (N,): highest pixel. `mean`, `border` float32 (N,): mean of all pixels, of the outermost ones.
    `saturated` float32 (N,): share of pixels at full ink. `touches_edge` bool (N,): ink in the outermost pixels.
    `offset` float32 (N, 2): how far right of and below the image's centre its centre of mass lies, as a fraction of
    its side. `fingerprint` uint64 (N,): equal for equal images. `mean_image` float64 (S, S), 0-1.
    """

    brightest: np.ndarray
    mean: np.ndarray
    border: np.ndarray
    saturated: np.ndarray
    touches_edge: np.ndarray
    offset: np.ndarray
    fingerprint: np.ndarray
    mean_image: np.ndarray

    def heat_map(self) -> tuple[tuple[float, ...], ...]:
        """The mean image as 16 rows of 16 mean values, 0-1."""
        matrix, units = resize_weights(len(self.mean_image), HEAT_MAP)
        coarse = matrix @ self.mean_image @ matrix.T / units**2
        return tuple(tuple(round(float(value), 4) for value in row) for row in coarse)


def measure_images(dataset: Dataset, report: Report) -> ImageStatistics:
    """The statistics of every image, in one pass."""
    batches = []
    total = np.zeros((dataset.size, dataset.size))
    for _, images in in_batches(dataset, "image statistics", report):
        batches.append(_measure(images))
        total += images.sum(axis=0, dtype=np.uint32)
    columns = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
    return ImageStatistics(*columns, *[total / 255 / max(1, len(dataset))])


def in_batches(dataset: Dataset, phase: str, report: Report) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Sample numbers and images of the whole dataset, batch by batch in order; raises Stopped between batches."""
    throttle = Throttle()
    for start in range(0, len(dataset), BATCH):
        raise_if_stopped(report)
        numbers = np.arange(start, min(start + BATCH, len(dataset)))
        yield numbers, dataset.images(numbers)
        if throttle.due():
            report(throttle.progress(phase, start + len(numbers), len(dataset), "samples"))
    report(Progress(phase, len(dataset), len(dataset), "samples"))


def _measure(images: np.ndarray) -> tuple[np.ndarray, ...]:
    """The statistics of images uint8 (n, S, S), in the order of ImageStatistics."""
    count, size = images.shape[:2]
    flat = images.reshape(count, -1)
    border = np.concatenate([images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1)
    across = images.sum(axis=1, dtype=np.float32)
    down = images.sum(axis=2, dtype=np.float32)
    position = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    mass = np.maximum(across.sum(axis=1), 1)
    offset = np.stack([across @ position / mass, down @ position / mass], axis=1)
    # The fingerprint: 64-bit words times fixed odd numbers, summed modulo 2**64.
    words = flat.view(np.uint64)
    factors = np.random.RandomState(0).randint(0, 2**63, words.shape[1], dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    fingerprint = (words * factors).sum(axis=1, dtype=np.uint64)
    return (
        flat.max(axis=1),
        flat.mean(axis=1, dtype=np.float32),
        border.mean(axis=1, dtype=np.float32),
        (flat >= FULL_INK).mean(axis=1, dtype=np.float32),
        border.max(axis=1) >= INK,
        offset,
        fingerprint,
    )
