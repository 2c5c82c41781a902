"""Compares the logits of an ONNX file with those of the network sample by sample, other outputs run by run."""

import numpy as np

from kanji_tui.engines.engine import Outputs
from kanji_tui.engines.results import Parity

SMALL_BATCH = 16  # small enough for an engine that emulates an arithmetic to answer within the limit
TOLERANCE = 1e-4
HALF_TOLERANCE = 1e-3  # of weights that are stored in half precision, which has 11 bits


class Comparison:
    """Takes logits batch by batch; keeps four numbers per sample, so memory allows any number of samples."""

    def __init__(self, tolerance: float = TOLERANCE) -> None:
        """`tolerance`: the largest difference that passes, as a share of the largest logit, at least of 1."""
        self._tolerance = tolerance
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
        tolerance = self._tolerance * max(1.0, largest)
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


def compare_runs(
    reference: list[Outputs], found: list[Outputs], version: str, tolerance: float = TOLERANCE
) -> Parity:
    """Outputs of any shape compared with the reference, run by run; `samples` is the number of runs.

    `tolerance`: see `Comparison`.

    Infinite and NaN values must be the same in both. Raises ValueError if the outputs differ in number, shape or
    type, if values that are not floats differ, or if no output is a tensor.
    """
    differences: list[float] = []
    largest = 0.0
    for want, have in zip(reference, found, strict=True):
        if len(want) != len(have):
            raise ValueError(f"it has {len(have)} outputs, the first file {len(want)}")
        for number, (left, right) in enumerate(zip(want, have, strict=True), 1):
            if left is None or right is None:
                continue
            if (left.shape, left.dtype) != (right.shape, right.dtype):
                kinds = [f"{array.dtype} of {array.shape}" for array in (right, left)]
                raise ValueError(f"its output {number} is {kinds[0]}, that of the first file {kinds[1]}")
            if left.dtype.kind == "f":
                differences.append(largest_difference(left, right))
                largest = max(largest, float(np.abs(left[np.isfinite(left)]).max(initial=0)))
            elif np.array_equal(left, right):
                differences.append(0.0)
            else:
                raise ValueError(f"its output {number} ({left.dtype}) has other values than that of the first file")
    if not differences:
        raise ValueError("its outputs are not tensors")
    most = tolerance * max(1.0, largest)
    difference = max(differences)
    return Parity(len(found), difference, most, largest, 0, None, difference <= most, version)


def largest_difference(left: np.ndarray, right: np.ndarray) -> float:
    """The largest difference of two float arrays of one shape; infinite where only one is NaN or infinite."""
    equal = (left == right) | (np.isnan(left) & np.isnan(right))
    with np.errstate(invalid="ignore"):
        distance = np.where(equal, 0, left.astype(np.float64) - right)
    return float(np.abs(np.nan_to_num(distance, nan=np.inf, posinf=np.inf, neginf=-np.inf)).max(initial=0))


def margin(logits: np.ndarray) -> np.ndarray:
    """The largest logit of each sample minus the second largest; infinite with a single class."""
    if logits.shape[1] < 2:
        return np.full(len(logits), np.inf)
    second, first = np.partition(logits, -2, axis=1)[:, -2:].T
    return np.asarray(first - second)
