"""Several processes that train one network, as torchrun starts them: their ranks and their collectives.

DistributedDataParallel averages the gradients. All other collectives go over gloo, on the CPU, so that no process
waits for a GPU. A process that dies closes its connections: the others see it at their next collective, and at the
latest after `SILENCE`.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from kanji_tui.errors import KanjiError, Stopped, UsageError
from kanji_tui.training.data import Part

SILENCE = timedelta(minutes=30)  # longer than rank 0 validates while the others wait
NEEDED = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """The processes that train one network; this one has `rank`, from 0, of `size`.

    Rank 0 owns the run, the others only compute. Every collective waits until all processes have come to it; where
    there is one process alone, each does nothing and gives back what it was given.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_rank0(self) -> bool:
        return self.rank == 0

    def any_rank(self, *flags: bool) -> list[bool]:
        """For each flag whether it is set in some process."""
        if self.size == 1:
            return list(flags)
        found = torch.tensor(flags, dtype=torch.int32)
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return [bool(flag) for flag in found.tolist()]

    def broadcast(self, value: T) -> T:
        """The value of rank 0, in every process."""
        if self.size == 1:
            return value
        box: list[Any] = [value if self.is_rank0 else None]
        distributed.broadcast_object_list(box, src=0, device=torch.device("cpu"))
        found: T = box[0]
        return found

    def on_rank0(self, compute: Callable[[], T]) -> T:
        """What `compute` gives on rank 0, in every process; Stopped in all where it raises that."""
        if self.size == 1:
            return compute()
        outcome: tuple[Any, bool] = (None, False)
        if self.is_rank0:
            try:
                outcome = (compute(), False)
            except Stopped:
                outcome = (None, True)
        found, stopped = self.broadcast(outcome)
        if stopped:
            raise Stopped()
        value: T = found
        return value

    def all_gather(self, value: T) -> list[T]:
        """Every process's value, in every process, by rank."""
        if self.size == 1:
            return [value]
        found: list[Any] = [None] * self.size
        distributed.all_gather_object(found, value)
        return found

    def reduce_to_rank0(self, sums: Tensor) -> Tensor:
        """The sum of all processes' tensors on rank 0, zeros elsewhere; on the CPU."""
        if self.size == 1:
            return sums
        total = sums.cpu().clone()
        distributed.all_reduce(total)
        return total if self.is_rank0 else torch.zeros_like(total)

    def for_rank0(self, part: Part) -> Part:
        """The part on rank 0, none of it elsewhere: the others need not hold these samples."""
        return part if self.is_rank0 else replace(part, indices=part.indices[:0])

    def require_same(self, what: str, value: str) -> None:
        """KanjiError, in every process, where they do not all have the same value of `what`."""
        if len(set(self.all_gather(value))) > 1:
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
        """This process's share of a batch that all processes know."""
        return batch.tensor_split(self.size)[self.rank]


def join() -> World:
    """Find the other processes that torchrun started; on a machine with GPUs take the one of this process's number.

    Raises UsageError where the environment or the GPUs do not fit, KanjiError where the others do not come.
    """
    missing = [name for name in NEEDED if name not in os.environ]
    if missing:
        raise UsageError(
            f"WORLD_SIZE is set but {', '.join(missing)} not: the other processes are unknown",
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
    """The processes that `join` found, or this one alone."""
    if distributed.is_available() and distributed.is_initialized():
        return World(distributed.get_rank(), distributed.get_world_size())
    return World()


def shutdown() -> None:
    """Leave the group of processes."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def parallel(network: nn.Module, device: torch.device, world: World) -> DistributedDataParallel | None:
    """The network wrapped to average its gradients over all processes; None for a single process.

    While it is trained, BatchNorm's running statistics are each process's own; see batchnorm.py.
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
def peer_failure_as_error(run: str) -> Iterator[None]:
    """Turns the failure of another process into a KanjiError whose remedy is to resume the run."""
    try:
        yield
    except RuntimeError as error:
        if not (isinstance(error, distributed.DistError) or "gloo" in str(error)):
            raise
        raise KanjiError(
            f"another process of this training ended, or was silent for too long: {_first_line(error)}",
            f"see its output; resume from the last checkpoint: torchrun ... -m kanji_tui train --resume {run}",
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
