import torch

from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.networks.registry import build


def test_the_recogniser_normalises_its_input():
    network = build("kanjinet", 5, 32).eval()
    images = torch.rand(3, 1, 32, 32)
    assert torch.equal(Recogniser(network)(images), network(images))
    assert torch.allclose(Recogniser(network, 0.2, 0.5)(images), network((images - 0.2) / 0.5))
