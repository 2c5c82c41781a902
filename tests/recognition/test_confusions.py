"""Counts of correct predictions and of confusions."""

import numpy as np

from kanji_tui.recognition.confusions import count_by_class, most_confused
from kanji_tui.recognition.results import Confusion


def test_classes_without_samples_count_zero() -> None:
    samples, correct = count_by_class(np.array([0, 2, 2, 0]), np.array([True, False, True, True]), 4)
    assert samples.tolist() == [2, 0, 2, 0]
    assert correct.tolist() == [2, 0, 1, 0]


def test_confusions_are_sorted_by_frequency_then_by_code() -> None:
    truth = np.array([0x4544, 0x4544, 0x3021, 0x467C, 0x467C], np.uint16)
    predicted = np.array([0x467C, 0x467C, 0x3026, 0x4544, 0x467C], np.uint16)
    found = most_confused(truth, predicted, 2)
    assert found == (Confusion("田", "日", 2, "4544", "467C"), Confusion("亜", "愛", 1, "3021", "3026"))
    assert most_confused(truth[:0], predicted[:0], 5) == ()
