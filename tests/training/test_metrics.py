import numpy as np
import pytest
import torch
from torch import nn

from kanji_tui.data.dataset import open_dataset
from kanji_tui.training.averaging import AveragedNetwork
from kanji_tui.training.data import Part
from kanji_tui.training.loader import DeviceLoader
from kanji_tui.training.metrics import RunningMetrics, score

CPU = torch.device("cpu")


class Fixed(nn.Module):
    """Gives the logits it was made with, whatever it is shown."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.logits[: len(pictures)]


def test_score_counts_as_one_would_by_hand(sample_dataset, report):
    dataset = open_dataset(sample_dataset)
    indices = np.flatnonzero(dataset.labels < 2)[:8]
    labels = torch.from_numpy(dataset.labels[indices].astype(np.int64))
    logits = torch.zeros(8, 12)
    ranks = [0, 0, 0, 1, 2, 3, 4, 5]  # the places at which the right class comes
    for row, rank in enumerate(ranks):
        order = [c for c in range(12) if c != labels[row]]
        order.insert(rank, int(labels[row]))
        logits[row, order] = torch.arange(12, 0, -1.0)
    found = score(Fixed(logits), DeviceLoader(Part(dataset, indices), CPU, report), CPU, 12, "test", report)
    assert (found.samples, found.top1, found.top3, found.top5) == (8, 3 / 8, 5 / 8, 7 / 8)
    assert found.loss == pytest.approx(float(nn.functional.cross_entropy(logits, labels)))
    right = np.array(ranks) == 0
    recalls = [right[labels == c].mean() for c in (0, 1) if (labels == c).any()]
    assert found.balanced == pytest.approx(np.mean(recalls))


def test_a_network_that_gives_no_numbers_scores_nothing(sample_dataset, report):
    dataset = open_dataset(sample_dataset)
    pictures = DeviceLoader(Part(dataset, np.flatnonzero(dataset.labels == 5)), CPU, report)
    found = score(Fixed(torch.full((64, 12), float("nan"))), pictures, CPU, 12, "test", report)
    assert found.top1 == 0
    assert not np.isfinite(found.loss)


def test_running_metrics_give_means_and_notice_what_is_no_number():
    sums = RunningMetrics(CPU)
    logits = torch.eye(4)
    sums.add(torch.tensor([1.0, 2.0, 3.0, 6.0]), logits, torch.tensor([0, 1, 0, 0]))
    assert sums.loss is None
    sums.synchronise()
    assert (sums.loss, sums.top1, sums.broken) == (3.0, 0.5, False)
    sums.add(torch.full((4,), float("nan")), logits, torch.zeros(4, dtype=torch.long))
    sums.synchronise()
    assert sums.broken
    assert sums.loss == 3.0


def test_sums_are_copied_at_most_once_a_second(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    sums = RunningMetrics(CPU)
    sums.add(torch.ones(2), torch.eye(2), torch.tensor([0, 0]))
    for clock[0] in (0.5, 0.9):
        sums.poll()
    assert sums.loss is None
    clock[0] = 1.1
    sums.poll()
    sums.poll()
    assert sums.loss == 1.0


def test_the_average_follows_the_weights():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = AveragedNetwork(network, span=4)
    with torch.no_grad():
        network[0].weight.fill_(1.0)
        average.network[0].weight.zero_()
    average.follow(1_000_000)
    assert torch.allclose(average.network[0].weight, torch.full((2, 2), 0.25))
    for _ in range(100):
        average.follow(1_000_000)
    assert torch.allclose(average.network[0].weight, network[0].weight)
