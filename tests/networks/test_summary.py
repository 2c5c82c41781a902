from torch import nn

from kanji_tui.networks.summary import count_macs, summarise, summarise_all


def test_macs_of_layers_counted_by_hand():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1),  # 16 x 16 x 4 values of 9 products
        nn.Conv2d(4, 4, 3, padding=1, groups=4),  # 16 x 16 x 4 of 9
        nn.Flatten(),
        nn.Linear(16 * 16 * 4, 10),
    )
    assert count_macs(network, 32) == 1024 * 9 + 1024 * 9 + 1024 * 10


def test_bytes_are_those_of_the_state_dict():
    cost = summarise("v1", 3036, 64)
    buffers = 2 * (1 + 32 + 32 + 64 + 64 + 128 + 128 + 256)  # a mean and a variance for each channel
    counters = 8  # of the batches seen, int64
    assert cost.bytes == 4 * (cost.parameters + buffers) + 8 * counters


def test_all_networks_are_listed_and_grow_with_size():
    small, large = summarise_all(32, classes=10), summarise_all(64, classes=10)
    assert [cost.name for cost in small] == ["kanjinet", "v2.1", "v2", "v1"]
    assert all(a.parameters == b.parameters and a.macs < b.macs for a, b in zip(small, large, strict=True))
