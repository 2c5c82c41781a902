"""The images and labels of one split, in batches on the training device."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.system.machine import memory
from kanji_tui.training.data import Part

MEMORY_SHARE = 0.5  # of the free memory may be filled with images
CHUNK = 32768  # images read at once
AHEAD = 8  # batches read or drawn ahead where the images are not in memory


class DeviceLoader:
    """Called with positions in the split (int64, on the CPU): uint8 (n, 1, S, S), int64 labels (n,) on `device`.

    The whole split lies on the device where it fits; else each batch is read from the memory-mapped chunks. Samples
    that are drawn are drawn batch by batch.
    Stopped while it reads, when the user asks to stop.
    """

    def __init__(self, part: Part, device: torch.device, report: Report) -> None:
        self._part = part
        self._device = device
        self._labels = torch.from_numpy(part.labels).to(device)
        fits = len(part) * part.samples.size**2 < MEMORY_SHARE * free_memory(device)
        self._images = self._load(report) if fits and not part.drawn else None
        self.resident = self._images is not None

    @property
    def labels(self) -> np.ndarray:
        """The class index of each sample, int64 (N,)."""
        found: np.ndarray = self._labels.cpu().numpy()
        return found

    def __len__(self) -> int:
        return len(self._part)

    def __call__(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        here = positions.to(self._device, non_blocking=True)
        if self._images is not None:
            return self._images[here].unsqueeze(1), self._labels[here]
        return self._send(self._read(positions)), self._labels[here]

    def stream(self, batches: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """The batch for each of the positions, in order; what must be read or drawn is so ahead of its time."""
        if self.resident:
            yield from map(self, batches)
            return
        ahead: deque[tuple[Tensor, Future[Tensor]]] = deque()
        # a disk likes one reader; what is drawn keeps all cores at work when several batches are drawn at once
        with ThreadPoolExecutor(AHEAD if self._part.drawn else 1, thread_name_prefix="loader") as reader:
            for positions in batches:
                ahead.append((positions, reader.submit(self._read, positions)))
                if len(ahead) > AHEAD:
                    yield self._receive(*ahead.popleft())
            while ahead:
                yield self._receive(*ahead.popleft())

    def _receive(self, positions: Tensor, reading: "Future[Tensor]") -> tuple[Tensor, Tensor]:
        return self._send(reading.result()), self._labels[positions.to(self._device, non_blocking=True)]

    def _read(self, positions: Tensor) -> Tensor:
        images = torch.from_numpy(self._part.images(positions.numpy()))
        return images.pin_memory() if self._device.type == "cuda" else images

    def _send(self, images: Tensor) -> Tensor:
        return images.to(self._device, non_blocking=True).unsqueeze(1)

    def _load(self, report: Report) -> Tensor | None:
        """All images on the device; None if its memory no longer suffices."""
        side = self._part.samples.size
        try:
            images = torch.empty((len(self), side, side), dtype=torch.uint8, device=self._device)
        except torch.OutOfMemoryError:
            return None
        for start in range(0, len(self), CHUNK):
            raise_if_stopped(report)
            chunk = self._part.images(np.arange(start, min(start + CHUNK, len(self))))
            images[start : start + CHUNK].copy_(torch.from_numpy(chunk))
            if len(self) > CHUNK:
                report(Progress("reading images", min(start + CHUNK, len(self)), len(self), "samples"))
        return images


def free_memory(device: torch.device) -> int:
    """Bytes that are free on the device now; of the CPU's memory what a container's limit leaves.

    What torch has taken of a GPU's and does not use at the moment is free too.
    """
    if device.type == "cuda":
        idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + idle)
    return memory().available


def to_unit(images: Tensor) -> Tensor:
    """uint8 0-255 to float32 0-1."""
    return images.float().div_(255)
