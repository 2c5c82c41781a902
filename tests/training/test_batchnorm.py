"""The statistics that BatchNorm is evaluated with, recomputed over training batches."""

from copy import deepcopy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.networks.registry import build
from kanji_tui.training import batchnorm, trainer
from kanji_tui.training.batchnorm import recompute_statistics, samples_needed, share_statistics
from kanji_tui.training.config import configure
from kanji_tui.training.data import Part
from kanji_tui.training.distributed import World
from kanji_tui.training.loader import DeviceLoader, to_unit
from tests.training.running import checkpoint_of, run, same, weights_of

CPU = torch.device("cpu")


@pytest.fixture
def train_set(sample_dataset, report) -> DeviceLoader:
    return DeviceLoader(Part(open_dataset(sample_dataset), np.arange(100)), CPU, report)


def with_dropout() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 6, 5, 4), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.Flatten(), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(6 * 7 * 7, 8), nn.BatchNorm1d(8), nn.Linear(8, 12))


def test_the_statistics_are_those_of_the_training_samples(train_set, report):
    """Of one batch they are its own: the means and unbiased variances of what each layer is given."""
    network = with_dropout()
    recompute_statistics(network, train_set, 0, report)
    images = to_unit(train_set(torch.arange(100))[0])
    with torch.no_grad():
        found = network[0](images)
        assert torch.allclose(network[1].running_mean, found.mean((0, 2, 3)), atol=1e-6)
        assert torch.allclose(network[1].running_var, found.var((0, 2, 3)), rtol=1e-5)
        normalised = nn.functional.batch_norm(found, None, None, network[1].weight, network[1].bias, training=True)
        found = network[5](normalised.relu().flatten(1))  # without dropout, as in evaluation
        assert torch.allclose(network[6].running_mean, found.mean(0), atol=1e-5)
        assert torch.allclose(network[6].running_var, found.var(0), rtol=1e-4)


def test_over_several_batches_they_are_means_and_what_was_there_is_forgotten(train_set, report, monkeypatch):
    monkeypatch.setattr(batchnorm, "BATCH", 30)
    network = with_dropout()
    network[1].running_mean.fill_(1e6)
    recompute_statistics(network, train_set, 3, report)
    order = torch.randperm(100, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        features = [network[0](to_unit(train_set(part)[0])) for part in order.tensor_split(4)]
    mean = torch.stack([part.mean((0, 2, 3)) for part in features]).mean(0)
    variance = torch.stack([part.var((0, 2, 3)) for part in features]).mean(0)
    assert torch.allclose(network[1].running_mean, mean, atol=1e-6)
    assert torch.allclose(network[1].running_var, variance, rtol=1e-5)


def test_nothing_else_changes(train_set, report):
    network = with_dropout().train()
    before = deepcopy(network.state_dict())
    drawn = torch.get_rng_state()
    recompute_statistics(network, train_set, 0, report)
    assert torch.equal(drawn, torch.get_rng_state())
    changed = [name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])]
    assert changed == ["1.running_mean", "1.running_var", "6.running_mean", "6.running_var"]
    with torch.no_grad():  # in evaluation mode, by the statistics that were found
        alone = network(torch.ones(1, 1, 32, 32))
        assert torch.allclose(alone, network(torch.stack([torch.ones(1, 32, 32), torch.zeros(1, 32, 32)]))[:1])


def test_the_number_of_samples_is_bounded_and_none_without_batchnorm(train_set, report, monkeypatch):
    network = with_dropout()
    counts = [samples_needed(network, samples) for samples in (100, 4000, 60_000, 425_040)]
    assert counts == [100, 512, 3000, 8192]
    assert samples_needed(nn.Linear(2, 2), 4000) == 0
    monkeypatch.setattr(batchnorm, "LEAST", 40)
    seen = []
    network.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    recompute_statistics(network, train_set, 0, report)
    assert seen == [40]
    still = nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 12))
    still.register_forward_pre_hook(lambda *_: pytest.fail("it was computed for nothing"))
    recompute_statistics(still, train_set, 0, report)


def test_where_memory_ends_batches_are_halved(train_set, report):
    network, expected = with_dropout(), with_dropout()
    recompute_statistics(expected, train_set, 0, report)
    seen = []

    def refuse_more_than(most: int):
        def hook(_, inputs) -> None:
            seen.append(len(inputs[0]))
            if len(inputs[0]) > most:
                raise torch.OutOfMemoryError("CUDA out of memory")

        return network.register_forward_pre_hook(hook)

    hook = refuse_more_than(50)
    recompute_statistics(network, train_set, 0, report)
    assert seen[-2:] == [50, 50]
    assert torch.allclose(network[1].running_mean, expected[1].running_mean, atol=1e-5)
    hook.remove()
    refuse_more_than(1)
    with pytest.raises(KanjiError, match="memory is too small"):
        recompute_statistics(network, train_set, 0, report)
    assert min(seen) >= 2, "one value alone has no variance"
    assert not network[1]._forward_hooks


def test_it_can_be_stopped(train_set, report):
    report.stop = True
    with pytest.raises(Stopped):
        recompute_statistics(with_dropout(), train_set, 0, report)


def test_sync_batchnorm_waits_for_nobody(train_set, report):
    network, expected = with_dropout(), with_dropout()
    recompute_statistics(expected, train_set, 0, report)
    network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    recompute_statistics(network, train_set, 0, report)
    assert same(dict(network.state_dict()), dict(expected.state_dict()))


@pytest.mark.parametrize("network", ["kanjinet", "v2.1"])
def test_they_are_those_of_a_pass_in_training(network, train_set, report):
    """v2.1 computes its first BatchNorm by itself in training."""
    torch.manual_seed(0)
    trained = build(network, 12, 32)
    found = deepcopy(trained)
    for layer in trained.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
        elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.momentum = 1.0  # after one pass the statistics are that batch's
    with torch.no_grad():
        trained.train()(to_unit(train_set(torch.arange(100))[0]))
    recompute_statistics(found, train_set, 0, report)
    expected = trained.state_dict()
    for name, tensor in found.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.allclose(tensor, expected[name], rtol=1e-3, atol=1e-5), name


def test_one_process_shares_with_nobody_and_several_take_those_of_rank_0(monkeypatch):
    network = with_dropout()
    share_statistics(network, World())
    of_rank_0 = [torch.full((6,), 2.0), torch.full((6,), 3.0), torch.full((8,), 4.0), torch.full((8,), 5.0)]
    share_statistics(network, SimpleNamespace(size=2, broadcast=lambda own: of_rank_0))
    assert same([network[1].running_mean, network[1].running_var, network[6].running_mean], of_rank_0[:3])


@pytest.mark.parametrize("ema", [0.0, 0.3])
def test_few_steps_end_with_a_model_that_recognises_what_it_learned(ema, sample_dataset, tmp_path, monkeypatch):
    """The weights are those that training leaves; with its statistics they recognise less."""
    config = configure(
        epochs=1, sample_limit=100, batch_size=12, ema=ema, optimiser="adamw", learning_rate=0.01
    )  # six steps
    run(sample_dataset, tmp_path / "recomputed", config)
    monkeypatch.setattr(trainer, "recompute_statistics", lambda *_: None)
    run(sample_dataset, tmp_path / "stale", config)
    recomputed, stale = checkpoint_of(tmp_path / "recomputed"), checkpoint_of(tmp_path / "stale")
    model = "average" if ema else "network"
    differ = [name for name, tensor in recomputed[model].items() if not same(tensor, stale[model][name])]
    assert differ
    assert all(name.endswith(("running_mean", "running_var")) for name in differ)
    assert same(recomputed["optimisers"], stale["optimisers"])
    losses = [content["history"][-1]["validation"]["loss"] for content in (recomputed, stale)]
    assert losses[0] < 0.9 * losses[1]
    published = weights_of(tmp_path / "recomputed")
    assert same(dict(published), dict(recomputed[model])), "what is published is what was validated"
