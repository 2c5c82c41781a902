"""Several processes that train one network, as torchrun starts them: who is who, and what they agree on.

The gradients are averaged by DistributedDataParallel. All else that is agreed on goes over gloo, on the CPU, so
that no process waits for a GPU. Whoever dies closes its connections: the others see it at their next agreement, and
at the latest after `SILENCE`.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from kanji_tui.errors import KanjiError, UsageError

SILENCE = timedelta(minutes=30)  # longer than the first process validates while the others wait
NEEDED = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """This process is number `rank`, from 0, of `size`. The first owns the run; the others only compute."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def any(self, *wishes: bool) -> list[bool]:
        """For each wish whether some process has it. Waits until every process has been asked as much."""
        if self.size == 1:
            return list(wishes)
        told = torch.tensor(wishes, dtype=torch.int32)
        distributed.all_reduce(told, distributed.ReduceOp.MAX)
        return [bool(wish) for wish in told.tolist()]

    def from_first(self, value: T) -> T:
        """The first process's value, in every process."""
        if self.size == 1:
            return value
        box: list[Any] = [value if self.first else None]
        distributed.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        found: T = box[0]
        return found

    def gather(self, value: T) -> list[T]:
        """Every process's value, in every process, by rank."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        distributed.all_gather_object(found, value)
        return found

    def hand_in(self, sums: Tensor) -> Tensor:
        """The first gets the sum of all processes' tensors and the others zeros, on the CPU."""
        if self.size == 1:
            return sums
        total = sums.cpu().clone()
        distributed.all_reduce(total)
        return total if self.first else torch.zeros_like(total)

    def require_same(self, what: str, value: str) -> None:
        """KanjiError, in every process, where they do not all have the same value of `what`."""
        if len(set(self.gather(value))) > 1:
            raise KanjiError(
                f"the {self.size} processes of this training do not have the same {what}",
                "copy the dataset folder of one machine to the others",
            )

    def batch_size(self, wanted: int, samples: int) -> int:
        """Of all processes together: `wanted`, less where there are fewer samples; the same share for each.

        UsageError where `wanted` cannot be shared evenly, or leaves less than two samples for a process.
        """
        if wanted % self.size or wanted < 2 * self.size:
            near = max(2, round(wanted / self.size)) * self.size
            raise UsageError(
                f"batches of {wanted} samples cannot be shared evenly by {self.size} processes",
                f"train with --batch-size {near}, or with another number of processes",
            )
        return min(wanted, samples // self.size * self.size)

    def share(self, batch: Tensor) -> Tensor:
        """This process's part of a batch that all processes know."""
        return batch.tensor_split(self.size)[self.rank]


def join() -> World:
    """Find the other processes that torchrun started; on a machine with GPUs take the one of this process's number.

    Raises UsageError where the environment or the GPUs do not fit, KanjiError where the others do not come.
    """
    missing = [name for name in NEEDED if name not in os.environ]
    if missing:
        raise UsageError(
            f"WORLD_SIZE is set but {', '.join(missing)} not: nothing says who the other processes are",
            "start it with torchrun --nproc-per-node=N -m kanji_tui train, or: env -u WORLD_SIZE kanji-tui train",
        )
    size, local = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_RANK"])
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        if local >= torch.cuda.device_count():
            count = torch.cuda.device_count()
            raise UsageError(
                f"process {local + 1} on this machine would need a GPU of its own, and there are {count}",
                f"torchrun --nproc-per-node={count}",
            )
        torch.cuda.set_device(local)
    if size > 1:
        try:
            distributed.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=SILENCE)
        except (RuntimeError, ValueError) as error:
            raise KanjiError(
                f"the {size} processes of this training did not find each other: {_first_line(error)}",
                "the machines must reach MASTER_ADDR and be started with the same --nnodes and --rdzv-endpoint",
            ) from None
    return current()


def current() -> World:
    """The processes that `join` found; this one alone where nobody joined."""
    if distributed.is_available() and distributed.is_initialized():
        return World(distributed.get_rank(), distributed.get_world_size())
    return World()


def leave() -> None:
    """Part from the others, in good order."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def parallel(network: nn.Module, device: torch.device, world: World) -> DistributedDataParallel | None:
    """The network so wrapped that its gradients are averaged over all processes; None where there is one alone.

    BatchNorm's running statistics stay each process's own; those of the first are validated and kept.
    """
    if world.size == 1:
        return None
    devices = [device] if device.type == "cuda" else None
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # the newer name of broadcast_buffers is not in older releases
        return DistributedDataParallel(network, device_ids=devices, broadcast_buffers=False)


@contextmanager
def noticing_losses(run: str) -> Iterator[None]:
    """Within it the loss of another process is a KanjiError that says how to go on with the run."""
    try:
        yield
    except RuntimeError as error:
        if not (isinstance(error, distributed.DistError) or "gloo" in str(error)):
            raise
        raise KanjiError(
            f"another process of this training ended, or was silent for too long: {_first_line(error)}",
            f"see what it said; go on from the last checkpoint: torchrun ... -m kanji_tui train --resume {run}",
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
