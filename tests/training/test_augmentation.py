import pytest
import torch

from kanji_tui.training.augmentation import augment
from kanji_tui.training.config import configure

KINDS = ("rotation", "shear", "scale", "shift", "elastic", "stroke_width", "erase", "noise", "noise_share")
NOTHING = dict.fromkeys(KINDS, 0.0)


def config(**settings: float):
    return configure(**{**NOTHING, **settings})


def squares(count: int = 256, size: int = 64) -> torch.Tensor:
    pictures = torch.zeros(count, 1, size, size)
    pictures[:, :, size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
    return pictures


def run(pictures: torch.Tensor, seed: int = 0, strength: float = 1.0, **settings: float) -> torch.Tensor:
    return augment(pictures, config(**settings), strength, torch.Generator().manual_seed(seed))


def middle(pictures: torch.Tensor) -> torch.Tensor:
    """The centre of the ink (N, 2), x and y in pixels."""
    line = torch.arange(pictures.shape[-1], dtype=torch.float32)
    ink = pictures.sum((1, 2, 3))
    return (
        torch.stack([(pictures.sum((1, 2)) * line).sum(1), (pictures.sum((1, 3)) * line).sum(1)], 1) / ink[:, None]
    )


def test_nothing_asked_for_changes_nothing():
    pictures = torch.rand(4, 1, 32, 32)
    assert torch.equal(run(pictures), pictures)
    assert torch.equal(run(pictures, strength=0.0, rotation=30.0, elastic=0.1, stroke_width=1.0), pictures)


@pytest.mark.parametrize(
    "settings",
    [
        {"rotation": 10.0},
        {"elastic": 0.02},
        {"stroke_width": 1.0},
        {"noise": 0.05, "noise_share": 0.5},
        {"shear": 0.2},
        {"erase": 0.9},
    ],
)
def test_every_kind_changes_pictures_within_their_range_and_by_the_seed(settings):
    pictures = squares()
    changed = run(pictures, **settings)
    assert changed.shape == pictures.shape
    assert changed.min() >= 0
    assert changed.max() <= 1.0001
    assert not torch.equal(changed, pictures)
    assert len(changed.flatten(1).unique(dim=0)) > len(changed) / 4
    assert torch.equal(changed, run(pictures, **settings))
    assert not torch.equal(changed, run(pictures, seed=1, **settings))


def test_shift_moves_by_up_to_its_share_of_the_side():
    moved = middle(run(squares(), shift=0.1)) - 31.5
    furthest = moved.abs().amax(0)
    assert furthest.min() > 5.5
    assert furthest.max() <= 6.4
    assert moved.mean().abs() < 1


def test_scale_widens_and_narrows_by_up_to_its_share():
    sides = run(squares(), scale=0.2).sum((1, 3)).amax(1)
    assert 25 < sides.min() < 27
    assert 37 < sides.max() < 39


def test_rotation_turns_a_bar_by_its_angle():
    bar = torch.zeros(256, 1, 64, 64)
    bar[:, :, 30:34, 8:56] = 1
    turned = run(bar, rotation=20.0)
    line = torch.arange(64.0) - 31.5
    x, y = line[None, :], line[:, None]
    angles = torch.atan2((turned[:, 0] * x * y).sum((1, 2)), (turned[:, 0] * x * x).sum((1, 2))).rad2deg().abs()
    assert 18 < angles.max() < 21
    assert angles.median() < 12


def test_stroke_width_thickens_some_and_thins_others():
    ink = run(squares(), stroke_width=1.0).sum((1, 2, 3)) / (32 * 32)
    assert ((34 / 32) ** 2 - 0.02) < ink.max() <= (34 / 32) ** 2
    assert (30 / 32) ** 2 <= ink.min() < 0.99


def test_erasing_rubs_out_one_small_patch_of_its_share_of_the_pictures():
    ink = torch.ones(1000, 1, 64, 64)
    changed = run(ink, erase=0.3)
    erased = (changed == 0).flatten(1).sum(1)
    assert 0.24 < (erased > 0).float().mean() < 0.36
    assert erased.max() <= (0.24 * 64 + 1) ** 2
    assert set(changed.unique().tolist()) == {0.0, 1.0}


def test_noise_touches_its_share_of_the_pictures():
    changed = (run(squares(1000, 32), noise=0.1, noise_share=0.3) != squares(1000, 32)).flatten(1).any(1)
    assert 0.24 < changed.float().mean() < 0.36
