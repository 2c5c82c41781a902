"""Compares the logits of an ONNX file with those of the network, sample by sample."""

import numpy as np

from kanji_tui.engines.results import Parity

SMALL_BATCH = 16  # small enough for an engine that emulates an arithmetic to answer within the limit
TOLERANCE = 1e-4


class Comparison:
    """Takes logits batch by batch; keeps four numbers per sample, so memory allows any number of samples."""

    def __init__(self) -> None:
        self._differences: list[np.ndarray] = []
        self._largest: list[np.ndarray] = []
        self._margins: list[np.ndarray] = []
        self._agrees: list[np.ndarray] = []

    def add(self, reference: np.ndarray, logits: np.ndarray) -> None:
        """Compare a batch of float32 (N, C) logits with the reference. Raises ValueError if the shapes differ."""
        if reference.shape != logits.shape:
            raise ValueError(f"logits of shape {logits.shape} cannot be compared with {reference.shape}")
        self._differences.append(np.abs(reference.astype(np.float64) - logits).max(axis=1))
        self._largest.append(np.abs(reference).max(axis=1))
        self._margins.append(margin(reference))
        self._agrees.append(reference.argmax(axis=1) == logits.argmax(axis=1))

    def result(self, version: str) -> Parity:
        """The result over all batches, of which there must be one; `version` is the engine's."""
        largest = float(np.concatenate(self._largest).max())
        difference = float(np.concatenate(self._differences).max())
        tolerance = TOLERANCE * max(1.0, largest)
        decided = np.concatenate(self._margins) > tolerance
        agrees = np.concatenate(self._agrees)[decided]
        agreement = float(agrees.mean()) if len(agrees) else 1.0
        return Parity(
            samples=len(decided),
            max_logit_difference=difference,
            tolerance=tolerance,
            largest_logit=largest,
            decided=len(agrees),
            top1_agreement=agreement,
            # A NaN must fail, so not `difference > tolerance`.
            passed=difference <= tolerance and agreement == 1.0,
            version=version,
        )


def margin(logits: np.ndarray) -> np.ndarray:
    """The largest logit of each sample minus the second largest; infinite with a single class."""
    if logits.shape[1] < 2:
        return np.full(len(logits), np.inf)
    second, first = np.partition(logits, -2, axis=1)[:, -2:].T
    return np.asarray(first - second)
