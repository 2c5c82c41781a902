"""The pictures and labels of one split, handed out batch by batch on the device that computes."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from kanji_tui.data.dataset import Dataset
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.system.machine import memory

MEMORY_SHARE = 0.5  # of the free memory may be filled with pictures
PIECE = 32768  # pictures read at once
AHEAD = 3  # batches read before they are needed, where they are read one by one


class Pictures:
    """Called with places in the split (int64, on the CPU): uint8 (n, 1, S, S) and int64 labels (n,) on `device`.

    The whole split lies on the device where it fits; else each batch is read from the memory-mapped chunks.
    """

    def __init__(self, dataset: Dataset, indices: np.ndarray, device: torch.device, report: Report) -> None:
        self._dataset = dataset
        self._indices = np.asarray(indices, dtype=np.int64)
        self._device = device
        self._labels = torch.from_numpy(dataset.labels[self._indices].astype(np.int64)).to(device)
        self.resident = len(self._indices) * dataset.size**2 < MEMORY_SHARE * free_memory(device)
        self._pictures = self._load(report) if self.resident else None

    @property
    def labels(self) -> np.ndarray:
        """The class index of each sample, int64 (N,)."""
        found: np.ndarray = self._labels.cpu().numpy()
        return found

    def __len__(self) -> int:
        return len(self._indices)

    def __call__(self, places: Tensor) -> tuple[Tensor, Tensor]:
        here = places.to(self._device, non_blocking=True)
        if self._pictures is not None:
            return self._pictures[here].unsqueeze(1), self._labels[here]
        return self._send(self._read(places)), self._labels[here]

    def stream(self, batches: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """What each of the batches of places gives, in order; what must be read is read ahead by a thread."""
        if self.resident:
            yield from map(self, batches)
            return
        ahead: deque[tuple[Tensor, Future[Tensor]]] = deque()
        with ThreadPoolExecutor(1, thread_name_prefix="pictures") as reader:
            for places in batches:
                ahead.append((places, reader.submit(self._read, places)))
                if len(ahead) > AHEAD:
                    yield self._handed(*ahead.popleft())
            while ahead:
                yield self._handed(*ahead.popleft())

    def _handed(self, places: Tensor, reading: "Future[Tensor]") -> tuple[Tensor, Tensor]:
        return self._send(reading.result()), self._labels[places.to(self._device, non_blocking=True)]

    def _read(self, places: Tensor) -> Tensor:
        pictures = torch.from_numpy(self._dataset.images(self._indices[places.numpy()]))
        return pictures.pin_memory() if self._device.type == "cuda" else pictures

    def _send(self, pictures: Tensor) -> Tensor:
        return pictures.to(self._device, non_blocking=True).unsqueeze(1)

    def _load(self, report: Report) -> Tensor:
        side = self._dataset.size
        pictures = torch.empty((len(self), side, side), dtype=torch.uint8, device=self._device)
        for start in range(0, len(self), PIECE):
            raise_if_stopped(report)
            piece = self._dataset.images(self._indices[start : start + PIECE])
            pictures[start : start + PIECE].copy_(torch.from_numpy(piece))
            if len(self) > PIECE:
                report(Progress("reading pictures", min(start + PIECE, len(self)), len(self), "samples"))
        return pictures


def free_memory(device: torch.device) -> int:
    """Bytes that are free on the device now; of the CPU's memory what a container's limit leaves."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return memory().available


def to_unit(pictures: Tensor) -> Tensor:
    """uint8 0-255 to float32 0-1."""
    return pictures.float().div_(255)
