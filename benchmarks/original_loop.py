"""The training loop of the original scripts: the reference of `benchmarks/train.py`.

    python benchmarks/original_loop.py --data-dir DIR [--split writer] [--epochs 30] [--threads N]

Network v2.1; a Dataset that returns one sample at a time, with noise of standard deviation 0.05 on 30 % of them; a
DataLoader with two workers; batches of 64; AdamW, learning rate 1e-3, weight decay 1e-4, cosine schedule by epoch,
label smoothing 0.1, gradient norm limited to 1.0, patience 15. Three differences, all in its favour or neutral: the
images come from our preparation, the split is ours, so both are tested on the same samples, and the best weights
are tested instead of the last. Prints one JSON object per epoch and one for the result (fractions, seconds).
"""

import argparse
import json
import time
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.splits import split_dataset
from kanji_tui.networks.registry import build

SIZE_BATCH, WORKERS, PATIENCE = 64, 2, 15
SHARES = (70.0, 15.0, 15.0)


class Samples(Dataset):
    """float32 pictures, flattened, 0-1, as the original's chunks hold them; one sample at a time."""

    def __init__(self, pictures: np.ndarray, labels: np.ndarray, augment: bool) -> None:
        self.pictures = (pictures.astype(np.float32) / 255).reshape(len(pictures), -1)
        self.labels = labels
        self.side = pictures.shape[-1]
        self.augment = augment

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        picture = self.pictures[number].reshape(self.side, self.side)
        if self.augment and np.random.random() < 0.3:
            noise = np.random.normal(0, 0.05, picture.shape).astype(np.float32)
            picture = np.clip(picture + noise, 0, 1)
        return torch.from_numpy(picture).unsqueeze(0), int(self.labels[number])


def train_epoch(
    network: nn.Module, loader: DataLoader, criterion: nn.Module, optimiser: torch.optim.Optimizer
) -> int:
    """One epoch; returns the samples seen."""
    network.train()
    seen = right = 0
    loss_sum = 0.0
    for pictures, labels in loader:
        optimiser.zero_grad()
        logits = network(pictures)
        loss = criterion(logits, labels)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        loss_sum += loss.item()
        right += (logits.argmax(1) == labels).sum().item()
        seen += len(labels)
    return seen


@torch.no_grad()
def accuracy(network: nn.Module, loader: DataLoader) -> float:
    network.eval()
    right = seen = 0
    for pictures, labels in loader:
        right += (network(pictures).argmax(1) == labels).sum().item()
        seen += len(labels)
    return right / seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--split", default="writer", choices=("writer", "random"))
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--threads", type=int, help="of PyTorch (default: PyTorch's own)")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    began = time.monotonic()
    torch.manual_seed(0)
    dataset = open_dataset(arguments.data_dir)
    split = split_dataset(dataset, arguments.split, SHARES, 0)
    loaders = [
        DataLoader(
            Samples(dataset.images(part), dataset.labels[part], augment=number == 0),
            batch_size=SIZE_BATCH,
            shuffle=number == 0,
            num_workers=WORKERS,
        )
        for number, part in enumerate((split.train, split.validation, split.test))
    ]
    network = build("v2.1", len(dataset.classes), dataset.size)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=arguments.epochs, eta_min=1e-6)
    best, best_weights, waited, speeds = -1.0, deepcopy(network.state_dict()), 0, []
    for epoch in range(1, arguments.epochs + 1):
        clock = time.monotonic()
        seen = train_epoch(network, loaders[0], criterion, optimiser)
        speeds.append(seen / (time.monotonic() - clock))
        schedule.step()
        validation = accuracy(network, loaders[1])
        waited += 1
        if validation > best:
            best, best_weights, waited = validation, deepcopy(network.state_dict()), 0
        print(json.dumps({"epoch": epoch, "validation": validation, "samples_per_second": speeds[-1]}), flush=True)
        if waited >= PATIENCE:
            break
    seconds = time.monotonic() - began
    network.load_state_dict(best_weights)
    result = {
        "epochs": epoch,
        "seconds": seconds,
        "samples_per_second": max(speeds),
        "validation": best,
        "test": accuracy(network, loaders[2]),
        "test_samples": len(split.test),
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
