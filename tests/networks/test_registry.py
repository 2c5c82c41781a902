import subprocess
import sys

import pytest
import torch
from torch.nn import functional

from kanji_tui.errors import UsageError
from kanji_tui.networks import registry
from kanji_tui.networks.registry import NETWORKS, build, identify_by_keys


@pytest.mark.parametrize("name", NETWORKS)
def test_one_training_step_lowers_the_loss_of_every_network(name):
    torch.manual_seed(0)
    network = build(name, 7, 32).eval()  # no dropout, so one step must lower the loss
    images, labels = torch.rand(6, 1, 32, 32), torch.arange(6)
    logits = network(images)
    assert logits.shape == (6, 7)
    before = functional.cross_entropy(logits, labels)
    before.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter -= 1e-2 * parameter.grad
    assert functional.cross_entropy(network(images), labels) < before


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [33, 128])
def test_every_network_takes_odd_and_largest_image_sizes(name, size):
    with torch.no_grad():
        assert build(name, 3, size).eval()(torch.rand(1, 1, size, size)).isfinite().all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_identified_by_its_keys_and_its_last_tensor_has_one_row_per_class(name):
    weights = build(name, 5, 32).state_dict()
    assert identify_by_keys(weights) == name
    assert list(weights.values())[-1].shape[0] == 5


def test_a_network_whose_extra_is_missing_is_refused_with_the_install_command(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="zoo-swin needs transformers") as refused:
        build("zoo-swin", 5, 32)
    assert "pip install 'kanji-tui[zoo]'" in refused.value.remedy
    assert build("kanjinet", 5, 32)


def test_unknown_keys_identify_no_network():
    assert identify_by_keys(["layer1.0.weight"]) is None


def test_an_unknown_network_is_refused_and_the_known_ones_listed():
    with pytest.raises(UsageError) as refused:
        build("resnet", 10, 64)
    assert "resnet" in refused.value.message
    assert all(name in refused.value.remedy for name in NETWORKS)


@pytest.mark.parametrize(("classes", "size"), [(1, 64), (10, 16), (10, 256)])
def test_too_few_classes_and_sizes_out_of_range_are_refused(classes, size):
    with pytest.raises(UsageError):
        build("kanjinet", classes, size)


def test_the_registry_loads_neither_torch_nor_transformers():
    code = (
        "import sys; import kanji_tui.networks.registry, kanji_tui.networks.card, kanji_tui.training.config; "
        "kanji_tui.networks.registry.available('zoo-vit'); "
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
