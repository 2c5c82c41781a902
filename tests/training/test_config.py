from dataclasses import fields

import pytest
import torch

from kanji_tui.errors import UsageError
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.system.gpu import torch_uses_gpu
from kanji_tui.system.plain_data import from_plain, to_plain
from kanji_tui.training import checkpoint, trainer
from kanji_tui.training.config import TrainConfig, help_of, resolve
from kanji_tui.training.recipes import NAMES, recipe
from kanji_tui.training.results import Metrics


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_a_whole_recipe(network):
    resolved = resolve(TrainConfig(network=network))
    assert [f.name for f in fields(resolved) if getattr(resolved, f.name) is None] == ["fold", "sample_limit"]
    assert resolve(resolved) == resolved


def test_what_was_asked_for_goes_before_the_recipe():
    resolved = resolve(TrainConfig(epochs=3, learning_rate=0.5))
    assert (resolved.epochs, resolved.learning_rate) == (3, 0.5)
    assert resolved.batch_size == recipe("standard", on_gpu=torch_uses_gpu())["batch_size"]


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_is_whole_and_can_be_chosen_for_every_network(name):
    assert recipe(name, on_gpu=False).keys() == recipe(name, on_gpu=True).keys()
    for network in NETWORKS:
        resolved = resolve(TrainConfig(network=network, recipe=name))
        assert resolved.recipe == name
        assert resolved.epochs == recipe(name, on_gpu=False)["epochs"]


def test_a_gpu_has_larger_batches_but_the_original_keeps_its_own(monkeypatch):
    small = resolve(TrainConfig()).batch_size
    monkeypatch.setattr("kanji_tui.training.config.torch_uses_gpu", lambda: True)
    assert resolve(TrainConfig()).batch_size > small
    assert resolve(TrainConfig(network="v2.1")).batch_size == 64


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as refused:
        resolve(TrainConfig(recipe="secret"))
    assert "standard" in refused.value.remedy


def test_the_originals_numbers():
    original = resolve(TrainConfig(network="v2.1"))
    assert (original.epochs, original.batch_size, original.learning_rate) == (30, 64, 1e-3)
    assert (original.weight_decay, original.label_smoothing, original.clip_norm) == (1e-4, 0.1, 1.0)
    assert (original.noise, original.noise_share, original.patience) == (0.05, 0.3, 15)
    assert (original.elastic, original.ema) == (0, 0)
    assert (original.recipe, original.optimiser, original.precision) == ("original", "adamw", "float32")


def test_the_numbers_published_with_kuzushiji():
    config = resolve(TrainConfig(network="kuzushiji"))
    assert (config.recipe, config.optimiser, config.schedule, config.best_by) == (
        "kuzushiji", "adam", "cosine", "balanced",
    )  # fmt: skip
    assert (config.learning_rate, config.weight_decay, config.label_smoothing) == (1e-3, 1e-4, 0.1)
    assert config.learning_rate * config.final_learning_rate == pytest.approx(1e-5)
    assert (config.rotation, config.shift, config.scale) == (15.0, 0.05, 0.05)
    state = checkpoint.begin(config, 5, 32, 10, torch.device("cpu"))
    (optimiser,) = state.optimisers
    assert type(optimiser) is torch.optim.Adam  # AdamW is a kind of it
    decays = {group["weight_decay"] for group in optimiser.param_groups}
    assert decays == {1e-4}
    assert sum(len(group["params"]) for group in optimiser.param_groups) == len(list(state.network.parameters()))


@pytest.mark.parametrize("network", ["vit", "hybrid"])
def test_networks_that_attend_warm_up(network):
    config = resolve(TrainConfig(network=network))
    assert (config.recipe, config.optimiser, config.schedule) == ("transformer", "adamw", "one-cycle")
    assert 0 < config.warmup < 0.5


def test_the_best_epoch_is_chosen_by_the_figure_asked_for():
    before = {"top1": 0.9, "balanced": 0.5, "loss": 1.0}
    found = Metrics(samples=10, loss=2.0, top1=0.8, top3=1.0, top5=1.0, balanced=0.6)
    assert trainer._better(found, before, resolve(TrainConfig(best_by="balanced")).best_by)
    assert not trainer._better(found, before, resolve(TrainConfig()).best_by)


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
        {"schedule": "stairs"},
        {"best_by": "top5"},
        {"optimiser": "lion"},
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


def test_a_fold_is_kept_as_it_is_written_and_checked():
    assert resolve(TrainConfig(fold="2/5")).fold == "2/5"
    for fold in ("0/5", "6/5", "1/1", "half"):
        with pytest.raises(UsageError, match="is not a fold"):
            resolve(TrainConfig(fold=fold))
