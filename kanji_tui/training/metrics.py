"""Metrics while and after training, without waiting for the device more often than once a second."""

import math
import time

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.networks.devices import in_halves
from kanji_tui.training.loader import DeviceLoader, to_unit
from kanji_tui.training.results import Metrics

SCORE_BATCH = 512
COPY_SECONDS = 1.0
REPORT_SECONDS = 0.5


class RunningMetrics:
    """An epoch's sums of loss, hits and samples: added up on the device, copied to the host once a second.

    `loss` and `top1` are the means as of the last copy that held numbers, None before the first; `broken`: the
    last one held none; `recent`: loss and top-1 between the last two copies. On a GPU the copy is requested and
    read when it has arrived, so that nothing waits.
    """

    def __init__(self, device: torch.device) -> None:
        on_gpu = device.type == "cuda"
        self.sums = torch.zeros(3, dtype=torch.float64, device=device)
        self._host = torch.zeros(3, dtype=torch.float64, pin_memory=on_gpu)
        self._arrival = torch.cuda.Event() if on_gpu else None
        self._requested = False
        self._copied_at = time.monotonic()
        self.loss: float | None = None
        self.top1: float | None = None
        self._before = (0.0, 0.0, 0.0)  # of the copy before
        self.recent: tuple[float, float] | None = None  # loss and top-1 of the samples since then
        self.broken = False

    def reset(self, sums: Tensor | None = None) -> None:
        """Begin an epoch, with `sums` where it is resumed."""
        self._before = (0.0, 0.0, 0.0)
        self.sums = torch.zeros_like(self.sums) if sums is None else sums.to(self.sums.device).clone()
        self.synchronise()

    def add(self, losses: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: losses (N,), logits (N, C), labels (N,)."""
        hits = (logits.argmax(1) == labels).sum()
        self.sums += torch.stack(
            [losses.sum().double(), hits.double(), torch.full_like(hits, len(labels)).double()]
        )

    def poll(self) -> None:
        """Read a copy that has arrived; request the next when a second has passed."""
        if self._requested and (self._arrival is None or self._arrival.query()):
            self._requested = False
            self._read()
        if not self._requested and time.monotonic() - self._copied_at >= COPY_SECONDS:
            self._copied_at = time.monotonic()
            self._requested = True
            self._host.copy_(self.sums, non_blocking=True)
            if self._arrival is not None:
                self._arrival.record()

    def synchronise(self) -> None:
        """Wait for the sums as they are now, and read them."""
        self._requested = False
        self._host.copy_(self.sums)
        self._read()

    def _read(self) -> None:
        loss, hits, samples = self._host.tolist()
        if not math.isfinite(loss):
            self.broken = True
        elif samples:
            self.loss, self.top1 = loss / samples, hits / samples
            self._compare((loss, hits, samples))

    def _compare(self, sums: tuple[float, float, float]) -> None:
        loss, hits, samples = (now - before for now, before in zip(sums, self._before, strict=True))
        if samples > 0:
            self.recent = loss / samples, hits / samples
        self._before = sums


@torch.inference_mode()
def score(
    network: nn.Module, samples: DeviceLoader, device: torch.device, classes: int, phase: str, report: Report
) -> Metrics:
    """The metrics of the network on a split, in evaluation mode and float32; raises Stopped between batches.

    `phase` is what the progress is called.
    """
    network.eval()
    sums = torch.zeros(4, dtype=torch.float64, device=device)
    hits = torch.zeros(classes, dtype=torch.int64, device=device)
    counts = torch.zeros(classes, dtype=torch.int64, device=device)
    reported = 0.0
    for start in range(0, len(samples), SCORE_BATCH):
        raise_if_stopped(report)
        if time.monotonic() - reported >= REPORT_SECONDS:
            reported = time.monotonic()
            report(Progress(phase, start, len(samples), "samples"))
        batch, labels = samples(torch.arange(start, min(start + SCORE_BATCH, len(samples))))
        logits = in_halves(lambda some: network(to_unit(some)).float(), batch)
        right = logits.topk(min(5, classes)).indices == labels[:, None]
        loss = functional.cross_entropy(logits, labels, reduction="sum")
        sums += torch.stack([loss, *(right[:, :top].sum() for top in (1, 3, 5))]).double()
        counts.index_add_(0, labels, torch.ones_like(labels))
        hits.index_add_(0, labels, right[:, 0].long())
    loss, top1, top3, top5 = (sums / len(samples)).tolist()
    present = counts > 0
    balanced = float((hits[present] / counts[present]).mean())
    return Metrics(len(samples), loss, top1, top3, top5, balanced)


@torch.inference_mode()
def predict(network: nn.Module, samples: DeviceLoader, phase: str, report: Report) -> np.ndarray:
    """The most probable class index of each sample, int64 (N,), in evaluation mode and float32."""
    network.eval()
    report(Progress(phase, 0, len(samples), "samples"))
    found = []
    for start in range(0, len(samples), SCORE_BATCH):
        raise_if_stopped(report)
        batch, _ = samples(torch.arange(start, min(start + SCORE_BATCH, len(samples))))
        found.append(in_halves(lambda some: network(to_unit(some)), batch).argmax(1))
    predicted: np.ndarray = torch.cat(found).cpu().numpy()
    return predicted
