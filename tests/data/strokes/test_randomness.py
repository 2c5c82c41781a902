"""Random numbers as a function of what they are for."""

import numpy as np

from kanji_tui.data.strokes.randomness import keys_of, normal, uniform


def test_a_number_does_not_depend_on_the_others_made_with_it():
    keys = keys_of(np.full(50, 7), np.arange(50))
    assert np.array_equal(uniform(keys, 9)[30, :4], uniform(keys_of(7, 30), 4)[0])
    assert np.array_equal(normal(keys, 9)[30:31], normal(keys[30:31], 9))


def test_the_stream_stays_the_same_in_later_versions():
    assert keys_of(1, 2).tolist() == [18052532085852445535]
    assert uniform(keys_of(1, 2), 2).round(12).tolist() == [[0.700652364354, 0.681256930126]]


def test_the_order_of_the_parts_matters():
    assert len({int(keys_of(*parts)[0]) for parts in ((1, 2), (2, 1), (1,), (2,), (0, 1, 2), (1, 2, 0))}) == 6


def test_uniform_numbers_are_spread_evenly_and_unrelated():
    numbers = uniform(keys_of(3, np.arange(2000)), 10)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.histogram(numbers, 20, (0, 1))[0]
    assert np.abs(counts / 1000 - 1).max() < 0.12
    assert np.abs(np.corrcoef(numbers.T) - np.eye(10)).max() < 0.1
    assert np.abs(np.corrcoef(numbers[:-1, 0], numbers[1:, 0])[0, 1]) < 0.08  # of neighbouring keys


def test_normal_numbers_have_mean_zero_and_deviation_one():
    numbers = normal(keys_of(4, np.arange(4000)), 5)
    assert abs(numbers.mean()) < 0.03
    assert abs(numbers.std() - 1) < 0.03
    assert np.abs(numbers).max() <= 3
