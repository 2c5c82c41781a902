"""What a search may vary, and from where to where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.errors import UsageError
from kanji_tui.training.config import configure
from kanji_tui.training.search_space import Range, parse_ranges, searchable

CONFIG = configure(recipe="standard", learning_rate=1e-3, batch_size=64)


def test_around_the_recipe_s_own_values() -> None:
    rate, batch, rotation = parse_ranges("learning-rate, batch_size,rotation", CONFIG)
    assert (rate.name, rate.low, rate.high, rate.log) == ("learning_rate", 1e-4, pytest.approx(1e-2), True)
    assert batch == Range("batch_size", 16.0, 256.0, log=True, whole=True)
    assert rotation == Range("rotation", 0.0, 2 * CONFIG.rotation)


def test_within_what_is_said() -> None:
    decay, optimiser, momentum = parse_ranges("weight_decay=1e-4..1e-1,optimiser=muon|sgd,momentum", CONFIG)
    assert decay == Range("weight_decay", 1e-4, 1e-1, log=True)
    assert optimiser == Range("optimiser", choices=("muon", "sgd"))
    assert momentum.high == 0.99


def test_every_field_can_be_searched_or_says_why_not() -> None:
    assert {"learning_rate", "weight_decay", "label_smoothing", "ema", "elastic", "optimiser"} <= set(searchable())
    assert not {"epochs", "seed", "split", "network", "recipe", "betas", "detect_anomaly"} & set(searchable())
    for name in searchable():
        value = getattr(CONFIG, name)
        if value:
            (found,) = parse_ranges(name, CONFIG)
            assert found.holds(value), name
        else:
            with pytest.raises(UsageError) as refused:
                parse_ranges(name, CONFIG)
            assert f"--over {name}=LOW..HIGH" in refused.value.remedy


@pytest.mark.parametrize(
    "over",
    [
        *("epochs", "colour", "", "learning_rate,learning_rate", "learning_rate=1", "learning_rate=1e-2..1e-4"),
        *("learning_rate=0..1", "momentum=0.5..1.5", "optimiser=magic", "erase", "rotation=nan..3", "ema=0..inf"),
    ],
)
def test_what_makes_no_sense_is_refused(over: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_ranges(over, CONFIG)
    assert refused.value.remedy or "it must be" in refused.value.message


@given(st.text(alphabet="learning_rate=.,1e-|5", max_size=30))
def test_any_text_gives_ranges_or_a_sentence(over: str) -> None:
    try:
        ranges = parse_ranges(over, CONFIG)
    except UsageError:
        return
    assert all(found.choices or found.low < found.high for found in ranges)
