"""Does an ONNX file say what the network says? Logits compared sample by sample."""

import numpy as np

from kanji_tui.engines.results import Parity

SMALL_BATCH = 16  # few enough that an engine which emulates its arithmetic answers in time
TOLERANCE = 1e-4


class Comparison:
    """Takes logits batch by batch and keeps a few numbers a sample, so that any number of samples fits."""

    def __init__(self) -> None:
        self._differences: list[np.ndarray] = []
        self._largest: list[np.ndarray] = []
        self._margins: list[np.ndarray] = []
        self._same: list[np.ndarray] = []

    def add(self, reference: np.ndarray, logits: np.ndarray) -> None:
        """Compare a batch of float32 (N, C) logits with the reference's; ValueError for another shape."""
        if reference.shape != logits.shape:
            raise ValueError(f"logits of shape {logits.shape} cannot be compared with {reference.shape}")
        self._differences.append(np.abs(reference.astype(np.float64) - logits).max(axis=1))
        self._largest.append(np.abs(reference).max(axis=1))
        self._margins.append(margin(reference))
        self._same.append(reference.argmax(axis=1) == logits.argmax(axis=1))

    def result(self, version: str) -> Parity:
        """The verdict over all batches, at least one; `version` is the engine's."""
        largest = float(np.concatenate(self._largest).max())
        difference = float(np.concatenate(self._differences).max())
        tolerance = TOLERANCE * max(1.0, largest)
        decided = np.concatenate(self._margins) > tolerance
        same = np.concatenate(self._same)[decided]
        agreement = float(same.mean()) if len(same) else 1.0
        return Parity(
            samples=len(decided),
            max_logit_difference=difference,
            tolerance=tolerance,
            largest_logit=largest,
            decided=len(same),
            top1_agreement=agreement,
            # Written so that a NaN fails.
            passed=difference <= tolerance and agreement == 1.0,
            version=version,
        )


def margin(logits: np.ndarray) -> np.ndarray:
    """How far the first logit of each sample lies above the second; infinite with a single class."""
    if logits.shape[1] < 2:
        return np.full(len(logits), np.inf)
    second, first = np.partition(logits, -2, axis=1)[:, -2:].T
    return np.asarray(first - second)
