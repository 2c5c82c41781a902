"""One of two processes that learn a batch together; started by test_distributed.py, leaves gradients.pt.<rank>."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from kanji_tui.errors import Stopped
from kanji_tui.events import Event
from kanji_tui.training import distributed, step, trainer
from kanji_tui.training.data import Part
from kanji_tui.training.state import distribute
from tests.training.test_step import CONFIG, Forgetful, batch, state_of


class Told:
    directory = None

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def stop_requested(self) -> bool:
        return False


def learn(world: distributed.World, most: int) -> dict:
    """Two steps on this process's part; only the second process's device holds no more than `most` samples.

    Both go on from an epoch in which one process alone has seen 48 samples.
    """
    state, told = state_of(CONFIG), Told()
    state.network = Forgetful(state.network, most if world.rank == 1 else 1000)
    state.network.eval()
    state.average = None
    state.metrics.reset(torch.tensor([100.0, 3.0, 48.0], dtype=torch.float64))
    distribute(state, world, 16)
    for number in (1, 2):
        step.train_step(state, *map(world.share, batch()), number, 10, told)
    gradients = [p.grad.flatten() for p in state.network.parameters() if p.grad is not None]
    weights = [p.detach().flatten() for p in state.network.parameters()]
    return {
        "gradients": torch.cat(gradients),
        "weights": torch.cat(weights),
        "accumulation_steps": state.accumulation_steps,
        "told": [event.message for event in told.events],
        "samples": float(world.reduce_to_rank0(state.metrics.sums)[2]),
    }


class Batches:
    """A split of 64 samples that are noise."""

    def __len__(self) -> int:
        return 64

    def __call__(self, positions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        images, labels = batch(64)
        return images[positions], labels[positions]

    def stream(self, batches: Iterable[torch.Tensor]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return map(self, batches)


def statistics(world: distributed.World, ema: float) -> dict[str, torch.Tensor]:
    """Those of the validated network after an epoch has ended.

    Rank 0 alone recomputes them: SyncBatchNorm must not wait for rank 1 there.
    """
    state = state_of(replace(CONFIG, ema=ema))
    state.world = world
    network = torch.nn.SyncBatchNorm.convert_sync_batchnorm(state.eval_model)
    if state.average:
        state.average.network = network
    else:
        state.network = network
    splits = {name: Batches() for name in ("val_set", "train_eval_subset")} | {"train_set": lambda epoch: Batches()}
    run = SimpleNamespace(
        state=state, world=world, report=Told(), card=SimpleNamespace(classes=range(10)), directory=None,
        batches=4, batch_size=16, epochs=1, cpu_threads=None, **splits,
    )  # fmt: skip
    trainer.end_epoch(run)
    return {name: tensor for name, tensor in network.state_dict().items() if "running" in name}


def stop() -> None:
    raise Stopped()


def main() -> None:
    world = distributed.join()
    found = {"whole": learn(world, 1000), "micro-batches": learn(world, 5)}
    trainer.artifacts.write_epoch = lambda *_: None
    found["statistics"] = [statistics(world, ema) for ema in (0.0, 0.2)]
    found["all_gather"] = world.all_gather(world.rank)
    found["broadcast"] = world.broadcast({"a": world.rank})
    found["any_rank"] = world.any_rank(world.rank == 1, False)
    found["on_rank0"] = world.on_rank0(lambda: {"rank": world.rank})
    found["for_rank0"] = world.for_rank0(Part(None, np.arange(3))).indices
    try:
        world.on_rank0(stop)
        found["stopped"] = False
    except Stopped:
        found["stopped"] = True
    torch.save(found, Path(sys.argv[1]) / f"found.{world.rank}")
    distributed.shutdown()


if __name__ == "__main__":
    main()
