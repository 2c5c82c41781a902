import pytest
import torch
from torch import nn

from kanji_tui.networks.registry import build
from kanji_tui.networks.summary import summarise
from kanji_tui.networks.transformer import Attention, Encoder, positions


@pytest.mark.parametrize("name", ["vit", "hybrid"])
def test_vit_and_hybrid_have_at_most_4_million_parameters(name):
    assert summarise(name, 3036, 64).parameters <= 4_000_000


@pytest.mark.parametrize("name", ["vit", "hybrid"])
@pytest.mark.parametrize("size", [32, 45, 128])
def test_one_set_of_weights_fits_every_image_size(name, size):
    network = build(name, 9, size).eval()
    network.load_state_dict(build(name, 9, 64).state_dict())
    assert network(torch.rand(2, 1, size, size)).shape == (2, 9)


def test_attention_matches_pytorchs_multihead_attention():
    ours, theirs = Attention(9, 24, 3), nn.MultiheadAttention(24, 3, batch_first=True)
    parts = (ours.query, ours.key, ours.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
    features = torch.randn(4, 9, 24)
    expected, weights = theirs(features, features, features, average_attn_weights=False)
    assert torch.allclose(ours(features), expected, atol=1e-5)
    assert torch.allclose(ours.weights(features), weights, atol=1e-6)


def test_every_token_has_a_distinct_position_encoding():
    found = positions(16, 192)[0]
    assert found.shape == (256, 192)
    assert found.abs().max() <= 1
    assert torch.cdist(found, found).fill_diagonal_(9).min() > 0.5


def test_the_encoder_is_permutation_equivariant_without_position_encoding():
    encoder = Encoder(3, 8, 1, 2, 16, 0.0).eval()
    features = torch.randn(1, 8, 3, 3)
    flipped = features.flip(3)
    assert not torch.allclose(encoder(flipped).mean((2, 3)), encoder(features).mean((2, 3)), atol=1e-5)
    encoder.positions.zero_()
    assert torch.allclose(encoder(flipped), encoder(features).flip(3), atol=1e-5)


@pytest.mark.parametrize(("name", "side"), [("vit", 8), ("hybrid", 4)])
def test_the_rollout_is_not_negative_and_sums_to_one(name, side):
    network = build(name, 5, 64).eval()
    found = network.attention(torch.rand(3, 1, 64, 64))
    assert found.shape == (3, side, side)
    assert found.min() >= 0
    assert torch.allclose(found.sum((1, 2)), torch.ones(3), atol=1e-5)


def test_the_rollout_multiplies_the_attention_of_all_blocks():
    encoder = Encoder(2, 8, 2, 2, 16, 0.0).eval()
    first, second = torch.rand(2, 1, 2, 4, 4).softmax(4)
    for block, weights in zip(encoder.blocks, (first, second), strict=True):
        block.attention.weights = lambda features, weights=weights: weights
    one, two = (weights.mean(1)[0] for weights in (first, second))
    through = (torch.eye(4) + two) / 2 @ (torch.eye(4) + one) / 2
    expected = through.mean(0).reshape(1, 2, 2)
    assert torch.allclose(encoder.rollout(torch.rand(1, 8, 2, 2)), expected, atol=1e-6)
