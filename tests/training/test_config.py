from dataclasses import fields

import pytest

from kanji_tui.errors import UsageError
from kanji_tui.jobs.specs import from_plain, to_plain
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.training.config import RECIPES, TrainConfig, help_of, resolve


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_a_whole_recipe(network):
    resolved = resolve(TrainConfig(network=network))
    assert [f.name for f in fields(resolved) if getattr(resolved, f.name) is None] == ["sample_limit"]
    assert resolve(resolved) == resolved


def test_what_was_asked_for_goes_before_the_recipe():
    resolved = resolve(TrainConfig(epochs=3, learning_rate=0.5))
    assert (resolved.epochs, resolved.learning_rate) == (3, 0.5)
    assert resolved.batch_size == RECIPES["kanjinet"]["batch_size"]


def test_the_originals_numbers():
    original = resolve(TrainConfig(network="v2.1"))
    assert (original.epochs, original.batch_size, original.learning_rate) == (30, 64, 1e-3)
    assert (original.weight_decay, original.label_smoothing, original.clip_norm) == (1e-4, 0.1, 1.0)
    assert (original.noise, original.noise_share, original.patience) == (0.05, 0.3, 15)
    assert (original.elastic, original.ema) == (0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 0},
        {"batch_size": 1},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"split_shares": (100.0, 0.0, 0.0)},
        {"split_shares": (70.0, -15.0, 45.0)},
        {"label_smoothing": 1.0},
        {"ema": 1.5},
        {"noise": -1.0},
        {"sample_limit": 0},
        {"seed": -1},
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_name(wrong):
    (name,) = wrong
    with pytest.raises(UsageError) as refused:
        resolve(TrainConfig(**wrong))
    assert name.replace("_", " ") in refused.value.message
    assert refused.value.remedy


def test_an_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as refused:
        resolve(TrainConfig(network="alexnet"))
    assert "kanjinet" in refused.value.remedy


def test_every_field_explains_itself():
    assert all(len(help_of(f.name)) > 20 for f in fields(TrainConfig))


def test_a_config_survives_being_written_down():
    config = resolve(TrainConfig(sample_limit=9))
    assert from_plain(TrainConfig, to_plain(config)) == config
