from copy import deepcopy

import pytest
import torch
from torch import nn

from kanji_tui.networks.legacy import FromOneChannel, separable
from kanji_tui.networks.registry import build

BLOCK = {
    f"{index}.{what}"
    for index, kinds in {
        0: ("weight",),
        1: ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"),
        3: ("weight",),
        4: ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"),
    }.items()
    for what in kinds
}
HEAD = {"classifier.1.weight", "classifier.1.bias", "classifier.4.weight", "classifier.4.bias"}


def keys(blocks: int, attention: tuple[int, ...] = ()) -> set[str]:
    return (
        {f"conv{number}.{key}" for number in range(1, blocks + 1) for key in BLOCK}
        | {f"attention{number}.fc.{layer}.weight" for number in attention for layer in (0, 2)}
        | HEAD
    )


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("v1", 1_735_527, keys(4)),
        ("v2", 3_818_599, keys(5)),
        ("v2.1", 3_863_655, keys(5, (3, 4, 5))),
    ],
)
def test_parameter_counts_and_keys_match_the_original_scripts(name, parameters, expected):
    network = build(name, 3036, 64)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert set(network.state_dict()) == expected


def test_the_weight_shapes_of_v21_match_the_original_scripts():
    weights = build("v2.1", 3036, 64).state_dict()
    assert weights["conv1.0.weight"].shape == (1, 1, 3, 3)
    assert weights["conv5.3.weight"].shape == (512, 256, 1, 1)
    assert weights["attention3.fc.0.weight"].shape == (16, 128)
    assert weights["attention5.fc.2.weight"].shape == (512, 32)
    assert weights["classifier.1.weight"].shape == (1024, 512)
    assert weights["classifier.4.weight"].shape == (3036, 1024)


def test_the_fused_block_of_one_channel_matches_its_separate_layers():
    torch.manual_seed(3)
    fused = separable(1, 8, 2)
    for layer in (1, 4):
        torch.nn.init.normal_(fused[layer].weight, 1.0, 0.3)
        torch.nn.init.normal_(fused[layer].bias)
    plain = nn.Sequential(*deepcopy(fused))
    direction = torch.randn(4, 8, 16, 16)
    for block in (fused, plain):
        (block(torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(5))) * direction).sum().backward()

    found, expected = dict(fused.named_parameters()), dict(plain.named_parameters())
    for name in expected:
        torch.testing.assert_close(found[name].grad, expected[name].grad, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(fused.state_dict(), plain.state_dict(), rtol=1e-4, atol=1e-5)
    images = torch.rand(4, 1, 32, 32)
    torch.testing.assert_close(fused(images), plain(images), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(fused.eval()(images), plain.eval()(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["v1", "v2", "v2.1"])
def test_all_feature_maps_are_channels_last_in_training(name):
    """After a map of one channel PyTorch would use the other memory layout, which is slower."""
    network = build(name, 12, 64).to(memory_format=torch.channels_last)
    features = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | FromOneChannel) and getattr(module, "out_channels", 0) != 1:
            module.register_forward_hook(lambda _module, _inputs, output: features.append(output))

    network(torch.rand(4, 1, 64, 64).contiguous(memory_format=torch.channels_last))

    assert features
    assert all(found.is_contiguous(memory_format=torch.channels_last) for found in features)
