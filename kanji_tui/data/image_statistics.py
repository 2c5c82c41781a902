"""One look at every picture of a dataset, in pieces, so that memory stays small."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kanji_tui.data.dataset import Dataset
from kanji_tui.data.resize import resize_weights
from kanji_tui.events import Progress, Report, raise_if_stopped

PIECE = 2048  # pictures looked at together
REPORT_SECONDS = 0.25
INK = 64  # of 255: from here on a pixel counts as ink
FULL = 250
HEAT_MAP = 16


@dataclass(frozen=True, eq=False)
class Looks:
    """What the look at each picture (N of them) gave, and at all of them together.

    `brightest` uint8. `mean`, `border` float32: mean value of all pixels, of the outermost ones. `full`: share of
    pixels at full ink. `touches` bool: ink in the outermost pixels. `middle` (N, 2): how far right of and below the
    picture's middle the centre of mass lies, as a fraction of its side. `print`: a 64-bit fingerprint. `average`
    float64 (S, S): the mean of all pictures, 0-1.
    """

    brightest: np.ndarray
    mean: np.ndarray
    border: np.ndarray
    full: np.ndarray
    touches: np.ndarray
    middle: np.ndarray
    print: np.ndarray
    average: np.ndarray

    def heat_map(self) -> tuple[tuple[float, ...], ...]:
        """Where the ink lies: 16 rows of 16 mean values, 0-1."""
        matrix, units = resize_weights(len(self.average), HEAT_MAP)
        coarse = matrix @ self.average @ matrix.T / units**2
        return tuple(tuple(round(float(value), 4) for value in row) for row in coarse)


def look_at_all(dataset: Dataset, report: Report) -> Looks:
    """Look at every picture once."""
    pieces = []
    total = np.zeros((dataset.size, dataset.size))
    for _, images in in_pieces(dataset, "pictures", report):
        pieces.append(_look(images))
        total += images.sum(axis=0, dtype=np.uint32)
    columns = [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
    return Looks(*columns, *[total / 255 / max(1, len(dataset))])


def in_pieces(dataset: Dataset, phase: str, report: Report) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All sample numbers and pictures in order, some together; reports, and stops when asked to."""
    told = began = time.monotonic()
    for start in range(0, len(dataset), PIECE):
        raise_if_stopped(report)
        numbers = np.arange(start, min(start + PIECE, len(dataset)))
        yield numbers, dataset.images(numbers)
        if time.monotonic() - told > REPORT_SECONDS:
            told = time.monotonic()
            done = start + len(numbers)
            rate = done / max(told - began, 1e-6)
            report(Progress(phase, done, len(dataset), "samples", "", rate, (len(dataset) - done) / rate))
    report(Progress(phase, len(dataset), len(dataset), "samples"))


def _look(images: np.ndarray) -> tuple[np.ndarray, ...]:
    count, size = images.shape[:2]
    flat = images.reshape(count, -1)
    border = np.concatenate([images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1)
    across = images.sum(axis=1, dtype=np.float32)
    down = images.sum(axis=2, dtype=np.float32)
    place = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    mass = np.maximum(across.sum(axis=1), 1)
    middle = np.stack([across @ place / mass, down @ place / mass], axis=1)
    # A fingerprint: 64-bit words times fixed odd numbers, summed modulo 2**64.
    words = flat.view(np.uint64)
    factors = np.random.RandomState(0).randint(0, 2**63, words.shape[1], dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    prints = (words * factors).sum(axis=1, dtype=np.uint64)
    return (
        flat.max(axis=1),
        flat.mean(axis=1, dtype=np.float32),
        border.mean(axis=1, dtype=np.float32),
        (flat >= FULL).mean(axis=1, dtype=np.float32),
        border.max(axis=1) >= INK,
        middle,
        prints,
    )
