import torch

from kanji_tui.networks.registry import build
from kanji_tui.networks.summary import summarise


def test_kanjinet_is_small_enough_for_a_browser():
    cost = summarise("kanjinet", 3036, 64)
    assert cost.parameters <= 3_700_000
    assert cost.bytes <= 15_000_000


def test_kanjinets_weights_fit_every_image_size():
    small, large = build("kanjinet", 9, 32), build("kanjinet", 9, 128)
    large.load_state_dict(small.state_dict())
    assert large(torch.rand(2, 1, 128, 128)).shape == (2, 9)


def test_every_block_starts_as_the_identity():
    network = build("kanjinet", 9, 64).eval()
    blocks = [module for module in network.modules() if type(module).__name__ == "Residual"]
    assert len(blocks) == 4
    for block in blocks:
        channels = block.branch[0].in_channels
        features = torch.rand(1, channels, 8, 8)  # as after a ReLU
        assert torch.equal(block(features), features)
