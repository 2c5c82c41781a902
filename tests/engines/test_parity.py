"""The rule that decides whether an export matches the network."""

import numpy as np
import pytest

from kanji_tui.engines.parity import Comparison
from kanji_tui.engines.results import Parity


def compare(reference: list, logits: list) -> Parity:
    comparison = Comparison()
    comparison.add(np.array(reference, np.float32), np.array(logits, np.float32))
    return comparison.result("1.0")


def test_the_tolerance_is_relative_to_the_largest_logit() -> None:
    parity = compare([[40.0, -1.0], [0.0, 3.0]], [[40.003, -1.0], [0.0, 3.0]])
    assert parity.tolerance == pytest.approx(40e-4)
    assert parity.max_logit_difference == pytest.approx(0.003, rel=1e-2)
    assert parity.passed
    assert not compare([[4.0, -1.0]], [[4.003, -1.0]]).passed


def test_small_logits_have_a_tolerance_of_1e_4() -> None:
    assert compare([[0.1, 0.0]], [[0.1, 0.00009]]).passed
    assert not compare([[0.1, 0.0]], [[0.1, 0.00011]]).passed


def test_samples_within_the_tolerance_of_a_tie_are_not_counted() -> None:
    parity = compare([[1.0, 1.00005], [5.0, 1.0]], [[1.00005, 1.0], [5.0, 1.0]])
    assert parity.decided == 1
    assert parity.samples == 2
    assert parity.passed


def test_another_top1_class_fails() -> None:
    parity = compare([[5.0, 1.0], [1.0, 5.0]], [[5.0, 1.0], [5.0, 1.0]])
    assert parity.top1_agreement == 0.5
    assert not parity.passed


def test_nan_fails() -> None:
    parity = compare([[5.0, 1.0]], [[float("nan"), 1.0]])
    assert parity.top1_agreement == 1.0, "NumPy takes a NaN for the largest"
    assert not parity.passed


def test_one_tolerance_holds_for_all_batches() -> None:
    comparison = Comparison()
    comparison.add(np.array([[1.0, 0.0]], np.float32), np.array([[1.001, 0.0]], np.float32))
    comparison.add(np.array([[0.0, 20.0]], np.float32), np.array([[0.0, 20.0]], np.float32))
    parity = comparison.result("")
    assert parity.samples == 2
    assert parity.passed, "the tolerance is that of the largest logit of all"


def test_logits_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        compare([[1.0, 2.0]], [[1.0]])
