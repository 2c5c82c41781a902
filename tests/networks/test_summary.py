from torch import nn

from kanji_tui.networks import registry
from kanji_tui.networks.registry import NETWORKS
from kanji_tui.networks.summary import count_macs, summarise, summarise_all


def test_macs_match_a_count_by_hand():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1),  # 16 x 16 x 4 values of 9 products
        nn.Conv2d(4, 4, 3, padding=1, groups=4),  # 16 x 16 x 4 of 9
        nn.Flatten(),
        nn.Linear(16 * 16 * 4, 10),
    )
    assert count_macs(network, 32) == 1024 * 9 + 1024 * 9 + 1024 * 10


def test_bytes_include_the_buffers_of_the_state_dict():
    cost = summarise("v1", 3036, 64)
    buffers = 2 * (1 + 32 + 32 + 64 + 64 + 128 + 128 + 256)  # a mean and a variance for each channel
    counters = 8  # of the batches seen, int64
    assert cost.bytes == 4 * (cost.parameters + buffers) + 8 * counters


def test_all_networks_are_listed_and_macs_grow_with_the_image_size():
    small, large = summarise_all(32, classes=10), summarise_all(128, classes=10)
    assert [cost.name for cost in small] == list(NETWORKS)
    assert all(a.macs < b.macs for a, b in zip(small, large, strict=True))
    assert [a.name for a, b in zip(small, large, strict=True) if a.parameters != b.parameters] == ["zoo-vit"]


def test_networks_whose_extra_is_missing_are_listed_with_the_install_command(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    without_figures = [cost for cost in summarise_all(32, classes=10) if cost.parameters is None]
    assert [cost.name for cost in without_figures] == [name for name in NETWORKS if name.startswith("zoo-")]
    assert {(cost.macs, cost.bytes, cost.remedy) for cost in without_figures} == {
        (None, None, "pip install 'kanji-tui[zoo]'")
    }
