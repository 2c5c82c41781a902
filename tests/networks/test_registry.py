import subprocess
import sys

import pytest
import torch
from torch.nn import functional

from kanji_tui.errors import UsageError
from kanji_tui.networks import registry
from kanji_tui.networks.registry import NETWORKS, build, recognise_keys


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [32, 64])
def test_every_network_computes_and_learns_at_every_size(name, size):
    torch.manual_seed(0)
    network = build(name, 7, size).eval()  # without dropout, so that one step must lower the loss
    pictures, labels = torch.rand(6, 1, size, size), torch.arange(6)
    logits = network(pictures)
    assert logits.shape == (6, 7)
    before = functional.cross_entropy(logits, labels)
    before.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter -= 1e-2 * parameter.grad
    assert functional.cross_entropy(network(pictures), labels) < before


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [33, 128])
def test_every_network_takes_the_sizes_between_the_smallest_and_the_largest(name, size):
    with torch.no_grad():
        assert build(name, 3, size).eval()(torch.rand(1, 1, size, size)).isfinite().all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_known_by_its_keys_and_tells_its_classes_by_the_last(name):
    weights = build(name, 5, 32).state_dict()
    assert recognise_keys(weights) == name
    assert list(weights.values())[-1].shape[0] == 5


def test_a_network_whose_extra_is_missing_is_refused_with_how_to_install_it(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="zoo-swin needs transformers") as refused:
        build("zoo-swin", 5, 32)
    assert "pip install 'kanji-tui[zoo]'" in refused.value.remedy
    assert build("kanjinet", 5, 32)


def test_foreign_keys_are_no_network():
    assert recognise_keys(["layer1.0.weight"]) is None


def test_an_unknown_network_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as refused:
        build("resnet", 10, 64)
    assert "resnet" in refused.value.message
    assert all(name in refused.value.remedy for name in NETWORKS)


@pytest.mark.parametrize(("classes", "size"), [(1, 64), (10, 16), (10, 256)])
def test_what_no_network_can_do_is_refused(classes, size):
    with pytest.raises(UsageError):
        build("kanjinet", classes, size)


def test_the_registry_loads_neither_torch_nor_transformers():
    code = (
        "import sys; import kanji_tui.networks.registry, kanji_tui.networks.card, kanji_tui.training.config; "
        "kanji_tui.networks.registry.available('zoo-vit'); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
