"""Measuring while and after training, without waiting for the device more often than once a second."""

import math
import time

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.training.loader import Pictures, to_unit
from kanji_tui.training.results import Metrics

SCORE_BATCH = 512
COPY_SECONDS = 1.0
REPORT_SECONDS = 0.5


class RunningSums:
    """An epoch's sums of loss, hits and samples: added up on the device, copied to the host once a second.

    `loss` and `top1` are the means as of the last copy that held numbers, None before the first; `broken`: the
    last one held none. On a GPU the copy is asked for and looked at when it has arrived, so that nothing waits.
    """

    def __init__(self, device: torch.device) -> None:
        on_gpu = device.type == "cuda"
        self.sums = torch.zeros(3, dtype=torch.float64, device=device)
        self._host = torch.zeros(3, dtype=torch.float64, pin_memory=on_gpu)
        self._arrival = torch.cuda.Event() if on_gpu else None
        self._asked = False
        self._copied_at = time.monotonic()
        self.loss: float | None = None
        self.top1: float | None = None
        self.broken = False

    def reset(self, sums: Tensor | None = None) -> None:
        """Begin an epoch, at `sums` where it was left off."""
        self.sums = torch.zeros_like(self.sums) if sums is None else sums.to(self.sums.device).clone()
        self.settle()

    def add(self, losses: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: losses (N,), logits (N, C), labels (N,)."""
        hits = (logits.argmax(1) == labels).sum()
        self.sums += torch.stack(
            [losses.sum().double(), hits.double(), torch.full_like(hits, len(labels)).double()]
        )

    def look(self) -> None:
        """Take over a copy that has arrived, ask for the next when a second has passed."""
        if self._asked and (self._arrival is None or self._arrival.query()):
            self._asked = False
            self._take()
        if not self._asked and time.monotonic() - self._copied_at >= COPY_SECONDS:
            self._copied_at = time.monotonic()
            self._asked = True
            self._host.copy_(self.sums, non_blocking=True)
            if self._arrival is not None:
                self._arrival.record()

    def settle(self) -> None:
        """Wait for the sums as they are now."""
        self._asked = False
        self._host.copy_(self.sums)
        self._take()

    def _take(self) -> None:
        loss, hits, samples = self._host.tolist()
        if not math.isfinite(loss):
            self.broken = True
        elif samples:
            self.loss, self.top1 = loss / samples, hits / samples


@torch.inference_mode()
def score(
    network: nn.Module, pictures: Pictures, device: torch.device, classes: int, phase: str, report: Report
) -> Metrics:
    """How good the network is on a split, in evaluation mode and float32; Stopped between batches.

    `phase` is what the progress is called.
    """
    network.eval()
    found = torch.zeros(4, dtype=torch.float64, device=device)
    hits = torch.zeros(classes, dtype=torch.int64, device=device)
    samples = torch.zeros(classes, dtype=torch.int64, device=device)
    reported = 0.0
    for start in range(0, len(pictures), SCORE_BATCH):
        raise_if_stopped(report)
        if time.monotonic() - reported >= REPORT_SECONDS:
            reported = time.monotonic()
            report(Progress(phase, start, len(pictures), "samples"))
        batch, labels = pictures(torch.arange(start, min(start + SCORE_BATCH, len(pictures))))
        logits = network(to_unit(batch)).float()
        right = logits.topk(min(5, classes)).indices == labels[:, None]
        loss = functional.cross_entropy(logits, labels, reduction="sum")
        found += torch.stack([loss, *(right[:, :top].sum() for top in (1, 3, 5))]).double()
        samples += torch.bincount(labels, minlength=classes)
        hits += torch.bincount(labels, weights=right[:, 0].double(), minlength=classes).long()
    loss, top1, top3, top5 = (found / len(pictures)).tolist()
    present = samples > 0
    balanced = float((hits[present] / samples[present]).mean())
    return Metrics(len(pictures), loss, top1, top3, top5, balanced)


@torch.inference_mode()
def predict(network: nn.Module, pictures: Pictures, phase: str, report: Report) -> np.ndarray:
    """The class index the network finds likeliest for each sample, int64 (N,), in evaluation mode and float32."""
    network.eval()
    report(Progress(phase, 0, len(pictures), "samples"))
    found = []
    for start in range(0, len(pictures), SCORE_BATCH):
        raise_if_stopped(report)
        batch, _ = pictures(torch.arange(start, min(start + SCORE_BATCH, len(pictures))))
        found.append(network(to_unit(batch)).argmax(1).cpu())
    predicted: np.ndarray = torch.cat(found).numpy()
    return predicted
