import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from kanji_tui.errors import Stopped
from kanji_tui.training.config import TrainConfig, resolve
from kanji_tui.training.schedule import START_SHARE, augmentation_strength_at, learning_rate_at
from tests.training.running import checkpoint_of, run, same


def test_one_cycle_rises_to_the_highest_and_falls_to_the_last():
    config = resolve(TrainConfig(epochs=10, learning_rate=1.0, warmup=0.2, final_learning_rate=0.01))
    rates = [learning_rate_at(config, step, 10) for step in range(100)]
    assert rates[0] == pytest.approx(START_SHARE)
    assert max(rates) == rates[20] == pytest.approx(1.0)
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[-1] == pytest.approx(0.01)


def test_cosine_is_pytorchs_own_by_epoch():
    config = resolve(TrainConfig(network="v2.1", epochs=7, learning_rate=1e-3))
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=7, eta_min=1e-6)
    for epoch in range(7):
        for batch in range(3):
            rate = learning_rate_at(config, 3 * epoch + batch, 3)
            assert rate == pytest.approx(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()


@given(
    losses=some.lists(some.floats(0.01, 8.0), max_size=30),
    patience=some.integers(0, 4),
    factor=some.sampled_from([0.1, 0.5]),
)
def test_plateau_is_pytorchs_own_for_any_course_of_losses(losses, patience, factor):
    config = resolve(
        TrainConfig(
            schedule="plateau",
            learning_rate=0.5,
            plateau_factor=factor,
            plateau_patience=patience,
            final_learning_rate=1e-3,
        )
    )
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=factor, patience=patience, min_lr=5e-4, eps=0
    )
    history = []
    for epoch, loss in enumerate(losses):
        rate = learning_rate_at(config, 7 * epoch, 7, history)
        assert rate == pytest.approx(optimiser.param_groups[0]["lr"])
        history.append({"validation": {"loss": loss}})
        schedule.step(loss)


def test_plateau_goes_on_after_a_stop_as_if_there_had_been_none(sample_dataset, tmp_path):
    config = TrainConfig(
        epochs=3, batch_size=32, schedule="plateau", plateau_patience=0, plateau_factor=0.5, ema=0.0,
        learning_rate=0.02,
    )  # fmt: skip
    run(sample_dataset, tmp_path / "whole", config)
    with pytest.raises(Stopped):
        run(sample_dataset, tmp_path / "part", config, stop_after=14)
    assert 0 < len(checkpoint_of(tmp_path / "part")["history"]) < 3
    run(sample_dataset, tmp_path / "rest", config, resume=tmp_path / "part")
    whole, rest = checkpoint_of(tmp_path / "whole"), checkpoint_of(tmp_path / "rest")
    assert same(whole["network"], rest["network"])
    rates = [entry["learning_rate"] for entry in whole["history"]]
    assert rates == [entry["learning_rate"] for entry in rest["history"]]
    assert rates[-1] < rates[0]


def test_the_augmentation_fades_over_the_last_share():
    config = resolve(TrainConfig(fade=0.2))
    strengths = [augmentation_strength_at(config, step, 100) for step in range(100)]
    assert strengths[:79] == [1.0] * 79
    assert strengths[-1] == 0
    assert strengths == sorted(strengths, reverse=True)
    assert augmentation_strength_at(resolve(TrainConfig(fade=0.0)), 99, 100) == 1
