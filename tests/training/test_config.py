from dataclasses import asdict, fields, replace

import pytest
import torch

from kanji_tui.errors import UsageError
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.system.gpu import torch_uses_gpu
from kanji_tui.system.plain_data import from_plain, to_plain
from kanji_tui.training import trainer
from kanji_tui.training.config import SETTINGS, TrainConfig, configure
from kanji_tui.training.recipes import NAMES, find_recipe
from kanji_tui.training.state import initial_state


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_a_whole_recipe(network):
    config = configure(network=network)
    assert [f.name for f in fields(config) if getattr(config, f.name) is None] == [
        "fold",
        "sample_limit",
        "synthetic",
        "threads",
    ]
    assert configure(**asdict(config)) == config


def test_what_was_asked_for_goes_before_the_recipe():
    config = configure(epochs=3, learning_rate=0.5)
    assert (config.epochs, config.learning_rate) == (3, 0.5)
    assert config.batch_size == find_recipe("standard", on_gpu=torch_uses_gpu()).batch_size


def test_epochs_and_batch_size_that_are_given_suit_any_train_split():
    assert configure().min_steps > 0
    assert configure(epochs=3).min_steps == 0
    assert configure(epochs=3, min_steps=50).min_steps == 50
    assert configure().min_batch_size < configure().batch_size
    assert configure(batch_size=100).min_batch_size == 100
    older = from_plain(TrainConfig, {"epochs": 3, "batch_size": 128})  # from a run of an older version
    assert (older.min_steps, older.min_batch_size) == (0, 128)


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_can_be_chosen_for_every_network(name):
    for network in NETWORKS:
        config = configure(network=network, recipe=name)
        assert config.recipe == name
        assert config.epochs == find_recipe(name, on_gpu=False).epochs


def test_a_gpu_has_larger_batches_but_the_original_keeps_its_own(monkeypatch):
    small = configure().batch_size
    monkeypatch.setattr("kanji_tui.training.config.torch_uses_gpu", lambda: True)
    assert configure().batch_size > small
    assert configure(network="v2.1").batch_size == 64


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as refused:
        configure(recipe="secret")
    assert "standard" in refused.value.remedy


def test_the_originals_numbers():
    original = configure(network="v2.1")
    assert (original.epochs, original.batch_size, original.learning_rate) == (30, 64, 1e-3)
    assert (original.weight_decay, original.label_smoothing, original.clip_norm) == (1e-4, 0.1, 1.0)
    assert (original.noise, original.noise_share, original.patience) == (0.05, 0.3, 15)
    assert (original.elastic, original.ema) == (0, 0)
    assert (original.recipe, original.optimiser, original.precision) == ("original", "adamw", "float32")


def test_the_numbers_published_with_kuzushiji():
    config = configure(network="kuzushiji")
    assert (config.recipe, config.optimiser, config.schedule, config.best_by) == (
        "kuzushiji", "adam", "cosine", "balanced",
    )  # fmt: skip
    assert (config.learning_rate, config.weight_decay, config.label_smoothing) == (1e-3, 1e-4, 0.1)
    assert config.learning_rate * config.final_learning_rate == pytest.approx(1e-5)
    assert (config.rotation, config.shift, config.scale) == (15.0, 0.05, 0.05)
    state = initial_state(config, 5, 32, 10, torch.device("cpu"))
    (optimiser,) = state.optimisers
    assert type(optimiser) is torch.optim.Adam  # AdamW is a kind of it
    decays = {group["weight_decay"] for group in optimiser.param_groups}
    assert decays == {1e-4}
    assert sum(len(group["params"]) for group in optimiser.param_groups) == len(list(state.network.parameters()))


@pytest.mark.parametrize("network", ["vit", "hybrid"])
def test_networks_that_attend_warm_up(network):
    config = configure(network=network)
    assert (config.recipe, config.optimiser, config.schedule) == ("transformer", "adamw", "one-cycle")
    assert 0 < config.warmup < 0.5


def test_the_best_epoch_is_chosen_by_the_figure_asked_for():
    before = {"top1": 0.9, "balanced": 0.5, "loss": 1.0}
    found = {"loss": 2.0, "top1": 0.8, "balanced": 0.6}
    assert trainer.is_better(found, before, configure(best_by="balanced").best_by)
    assert not trainer.is_better(found, before, configure().best_by)


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
        {"accumulation_steps": 0},
        {"accumulation_steps": 4096},
    ],
)
def test_numbers_that_make_no_sense_are_refused_by_name(wrong):
    (name,) = wrong
    whole = configure()
    with pytest.raises(UsageError) as refused:
        configure(**wrong)
    with pytest.raises(UsageError, match="cannot be"):
        replace(whole, **wrong)
    assert name.replace("_", " ") in refused.value.message
    assert "it must be" in refused.value.message or refused.value.remedy


def test_an_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as refused:
        configure(network="alexnet")
    assert "kanjinet" in refused.value.remedy


def test_every_field_is_one_setting_with_a_help():
    assert sorted(setting.name for setting in SETTINGS) == sorted(f.name for f in fields(TrainConfig))
    assert all(len(setting.help) > 20 for setting in SETTINGS)


@pytest.mark.parametrize("name", [f.name for f in fields(TrainConfig)])
def test_every_default_is_read_back_from_its_text(name):
    setting = next(setting for setting in SETTINGS if setting.name == name)
    value = getattr(configure(fold="2/5", sample_limit=1200, threads=2), name)
    if name == "synthetic":  # not with a fold
        value = 3
    assert setting.parse(setting.text(value)) == value


def test_what_is_missing_or_null_comes_from_the_recipe():
    assert from_plain(TrainConfig, {}) == configure()
    plain = {"network": "v2.1", "recipe": None, "epochs": None, "noise": 0.2}
    assert from_plain(TrainConfig, plain) == configure(network="v2.1", noise=0.2)


def test_an_old_name_is_read_and_not_written():
    config = from_plain(TrainConfig, {"pieces": 4})
    assert config == configure(accumulation_steps=4)
    assert "pieces" not in to_plain(config)
    with pytest.raises(UsageError) as refused:
        from_plain(TrainConfig, {"colour": 1})
    assert "pieces" not in refused.value.remedy
    assert "accumulation_steps" in refused.value.remedy


def test_a_config_survives_being_written_down():
    config = configure(sample_limit=9)
    assert from_plain(TrainConfig, to_plain(config)) == config


def test_a_fold_is_kept_as_it_is_written_and_checked():
    assert configure(fold="2/5").fold == "2/5"
    for fold in ("0/5", "6/5", "1/1", "half"):
        with pytest.raises(UsageError, match="is not a fold"):
            configure(fold=fold)
