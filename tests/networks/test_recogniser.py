import torch

from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.networks.registry import build


def test_it_normalises_before_the_network():
    network = build("kanjinet", 5, 32).eval()
    pictures = torch.rand(3, 1, 32, 32)
    assert torch.equal(Recogniser(network)(pictures), network(pictures))
    assert torch.allclose(Recogniser(network, 0.2, 0.5)(pictures), network((pictures - 0.2) / 0.5))
