"""A short trial: can a network learn from this dataset on this machine?"""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from kanji_tui.data.checks import DATASET
from kanji_tui.data.dataset import open_dataset
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.networks.registry import build
from kanji_tui.system.check import Check
from kanji_tui.training.config import DEFAULT_NETWORK

SAMPLES = 64
STEPS = 10
LEARNING_RATE = 1e-3


def try_learning(data_dir: Path, report: Report) -> Check:
    """Train the default network for ten steps on 64 samples spread over the dataset; the loss must fall.

    Nothing is written. Raises KanjiError where there is no dataset, UsageError for one of fewer than two classes.
    """
    dataset = open_dataset(data_dir)
    chosen = np.linspace(0, len(dataset) - 1, min(SAMPLES, len(dataset))).round().astype(np.int64)
    images = torch.from_numpy(dataset.images(chosen)).unsqueeze(1).float() / 255
    labels = torch.from_numpy(dataset.labels[chosen]).long()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build(DEFAULT_NETWORK, len(dataset.classes), dataset.size)
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    losses = []
    for step in range(STEPS):
        raise_if_stopped(report)
        report(Progress("trial", step, STEPS, "steps"))
        loss = functional.cross_entropy(network(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    report(Progress("trial", STEPS, STEPS, "steps"))
    found = (
        f"{DEFAULT_NETWORK}, {STEPS} steps on {len(chosen)} samples: loss from {losses[0]:.3f} to {losses[-1]:.3f}"
    )
    if losses[-1] < losses[0]:
        return Check(DATASET, "a network learns", "ok", found)
    return Check(
        DATASET,
        "a network learns",
        "failed",
        found,
        "view the images: kanji-tui verify --contact-sheet sheet.png",
    )
