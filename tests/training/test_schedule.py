from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.training.config import configure
from kanji_tui.training.recipes import NAMES
from kanji_tui.training.schedule import START_SHARE, augmentation_strength_at, for_train_split, learning_rate_at


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("on_gpu", [False, True])
def test_large_train_splits_have_the_recipes_own_numbers(name, on_gpu, monkeypatch):
    monkeypatch.setattr("kanji_tui.training.config.torch_uses_gpu", lambda: on_gpu)
    config = configure(recipe=name)
    for samples in (8_000, 60_000, 425_040):  # the last: ETL9G
        assert for_train_split(config, samples) == config


@given(
    recipe=st.sampled_from(NAMES), samples=st.integers(2, 20_000), size=st.integers(1, 8), steps=st.integers(1, 8)
)
def test_small_train_splits_have_smaller_batches_and_then_more_epochs(recipe, samples, size, steps):
    config = configure(recipe=recipe, accumulation_steps=steps)
    found = for_train_split(config, samples, size)
    assert found == replace(config, batch_size=found.batch_size, epochs=found.epochs)
    assert found.epochs >= config.epochs
    assert config.batch_size >= found.batch_size >= min(config.min_batch_size, config.batch_size)
    batches = max(1, samples // found.batch_size)
    assert batches * found.epochs >= config.min_steps
    if config.batch_size % size == 0:
        assert found.batch_size % size == 0, "still shared evenly"
    if found.epochs > config.epochs:
        assert (found.epochs - 1) * batches < config.min_steps
        least = max(config.min_batch_size, 2 * size, 2 * steps)
        assert found.batch_size // 2 < least or found.batch_size % (2 * size), "batches are halved first"


def test_what_is_given_is_kept_on_the_smallest_train_split():
    assert for_train_split(configure(epochs=3), 20) == configure(epochs=3)
    found = for_train_split(configure(batch_size=64), 200)
    assert found.batch_size == 64
    assert found.epochs > configure().epochs


def test_one_cycle_rises_to_the_highest_and_falls_to_the_last():
    config = configure(epochs=10, learning_rate=1.0, warmup=0.2, final_learning_rate=0.01)
    rates = [learning_rate_at(config, step, 10) for step in range(100)]
    assert rates[0] == pytest.approx(START_SHARE)
    assert max(rates) == rates[20] == pytest.approx(1.0)
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[-1] == pytest.approx(0.01)


def test_cosine_is_pytorchs_own_by_epoch():
    config = configure(network="v2.1", epochs=7, learning_rate=1e-3)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=7, eta_min=1e-6)
    for epoch in range(7):
        for batch in range(3):
            rate = learning_rate_at(config, 3 * epoch + batch, 3)
            assert rate == pytest.approx(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()


def test_the_augmentation_fades_over_the_last_share():
    config = configure(fade=0.2)
    strengths = [augmentation_strength_at(config, step, 100) for step in range(100)]
    assert strengths[:79] == [1.0] * 79
    assert strengths[-1] == 0
    assert strengths == sorted(strengths, reverse=True)
    assert augmentation_strength_at(configure(fade=0.0), 99, 100) == 1
