import pytest
import torch

from kanji_tui.training.config import configure
from kanji_tui.training.schedule import START_SHARE, augmentation_strength_at, learning_rate_at


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
