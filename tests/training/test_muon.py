import pytest
import torch
from torch import nn

from kanji_tui.networks.registry import build
from kanji_tui.training.muon import Muon, orthogonal, suits


@pytest.mark.parametrize("shape", [(3, 40, 90), (2, 90, 40), (1, 64, 200)])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_all_singular_values_come_to_about_one_and_directions_stay(shape, precision):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = orthogonal(matrices, precision)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.5
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    assert torch.nn.functional.cosine_similarity(found.flatten(1), (left @ right).flatten(1)).min() > 0.97


def test_it_is_for_large_convolutions_alone():
    network = build("kanjinet", 100, 64)
    chosen = {name for name, parameter in network.named_parameters() if suits(parameter)}
    assert "body.0.weight" in chosen
    assert not {"stem.0.weight", "classifier.weight", "norm.weight"} & chosen
    assert not any("weigh." in name for name in chosen)


def test_an_update_has_entries_of_about_one_whatever_the_gradient():
    for scale in (1e-6, 1.0, 1e3):
        weight = nn.Parameter(torch.zeros(64, 48, 3, 3))
        weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)) * scale
        Muon([weight], lr=0.01, momentum=0.9, weight_decay=0.0, precision=torch.float32).step()
        assert weight.detach().square().mean().sqrt() == pytest.approx(0.01, rel=0.2)


def test_it_goes_down_a_hill_and_decays():
    torch.manual_seed(0)
    target = torch.randn(40, 40, 1, 1)
    weight = nn.Parameter(torch.zeros(40, 40, 1, 1))
    optimiser = Muon([weight], lr=0.05, momentum=0.9, weight_decay=0.0, precision=torch.float32)
    before = (weight - target).square().mean().item()
    for _ in range(30):
        optimiser.zero_grad()
        (weight - target).square().mean().backward()
        optimiser.step()
    assert (weight - target).square().mean().item() < 0.2 * before
    decaying = nn.Parameter(torch.ones(40, 40, 1, 1))
    decaying.grad = torch.zeros_like(decaying)
    Muon([decaying], lr=0.1, momentum=0.9, weight_decay=0.5, precision=torch.float32).step()
    assert torch.allclose(decaying.detach(), torch.full_like(decaying, 0.95))
