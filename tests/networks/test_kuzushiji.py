import pytest
import torch

from kanji_tui.networks.kuzushiji import Block
from kanji_tui.networks.registry import build


def test_the_layers_have_the_published_shapes():
    weights = build("kuzushiji", 49, 32).state_dict()
    assert weights["first.0.weight"].shape == (32, 1, 3, 3)
    before = 32
    for number, channels in enumerate((64, 128, 256)):
        block = f"blocks.{number}"
        for branch, kernel in enumerate((3, 5)):
            assert weights[f"{block}.branches.{branch}.0.weight"].shape == (before, 1, kernel, kernel)
            assert weights[f"{block}.branches.{branch}.3.weight"].shape == (channels, before, 1, 1)
        assert weights[f"{block}.channels.weigh.0.weight"].shape == (channels // 16, channels, 1, 1)
        assert weights[f"{block}.places.weigh.weight"].shape == (1, 2, 7, 7)
        before = channels
    linear = [
        tuple(tensor.shape)
        for name, tensor in weights.items()
        if name.startswith("classifier") and tensor.ndim == 2
    ]
    assert linear == [(512, 256), (49, 512)]
    assert [m.p for m in build("kuzushiji", 49, 32).modules() if isinstance(m, torch.nn.Dropout)] == [0.3]


@pytest.mark.parametrize(("size", "side"), [(32, 8), (48, 12), (64, 8), (128, 16)])
def test_the_strides_and_that_the_stem_halves_large_images(size, side):
    network = build("kuzushiji", 5, size).eval()
    assert network.blocks(network.first(torch.rand(1, 1, size, size))).shape == (1, 256, side, side)


def test_the_branches_are_averaged_and_the_attention_weights_are_below_one():
    block = Block(4, 32, 1).eval()
    features = torch.rand(2, 4, 8, 8)
    small, large = (branch(features) for branch in block.branches)
    weighted = block.weighted_channels(features)
    mean = (small + large) / 2
    weight = (weighted * mean).sum((2, 3), keepdim=True) / mean.square().sum((2, 3), keepdim=True)
    assert torch.allclose(weighted, weight * mean, atol=1e-6)  # one weight a channel
    assert weight.min() > 0
    assert weight.max() < 1
    added = block(features) - block.shortcut(features).relu()
    assert (added.abs() <= weighted.abs() + 1e-6).all()


def test_the_spatial_attention_varies_more_on_an_image_with_an_edge():
    network = build("kuzushiji", 5, 64).eval()
    images = torch.zeros(2, 1, 64, 64)
    images[1, :, :32] = 1
    found = network.attention(images)
    assert found.shape == (2, 8, 8)
    assert 0 < found.min() < found.max() < 1
    assert found[1].std() > found[0, 2:-2, 2:-2].std()
