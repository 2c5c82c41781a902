"""The program's own training step, on pictures that are made on the device."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from gpu_parts import CLASSES, Bench
from kanji_tui.events import Event, Notice, SilentReport
from kanji_tui.training.config import configure
from kanji_tui.training.distributed import World
from kanji_tui.training.state import TrainState, distribute, initial_state
from kanji_tui.training.step import train_step

NETWORKS = {"v2.1": 30, "kanjinet": 32}  # and their epochs
EPOCH_STEPS = 1000  # so many an epoch, as the schedules are told


class Heard(SilentReport):
    """A report that keeps what is said."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.message)


@dataclass
class MidTraining:
    """A training in the middle: `next_step` takes its next step, on the batch given or on its own."""

    state: TrainState
    pictures: Tensor  # uint8 (N, 1, S, S)
    labels: Tensor  # int64 (N,)
    report: Heard = field(default_factory=Heard)
    number: int = EPOCH_STEPS  # warmed up, augmentation in full strength

    def next_step(self, pictures: Tensor | None = None, labels: Tensor | None = None) -> None:
        pictures = self.pictures if pictures is None else pictures
        labels = self.labels if labels is None else labels
        train_step(self.state, pictures, labels, self.number, EPOCH_STEPS, self.report)
        self.number += 1


def mid_training(
    bench: Bench, network: str, batch: int, world: World | None = None, **settings: object
) -> MidTraining:
    """The recipe `standard` (augmentation, averaged weights), all classes at 64 pixels; tiny: 64 classes at 32.

    kanjinet with the recipe's Muon, v2.1 with the AdamW of the original scripts. Precision is the recipe's own:
    bfloat16 on a GPU. `settings` are fields of the config.
    """
    classes, size = (64, 32) if bench.tiny else (CLASSES, 64)
    wanted: dict = {"network": network, "recipe": "standard", "batch_size": batch, "epochs": NETWORKS[network]}
    if network == "v2.1":
        wanted["optimiser"] = "adamw"
    config = configure(**{**wanted, **settings})
    torch.backends.cudnn.benchmark = True  # as the trainer does
    state = initial_state(config, classes, size, config.epochs * EPOCH_STEPS, bench.device)
    distribute(state, world or World(), batch)
    state.network.train()
    return MidTraining(state, *made_samples(bench, batch, classes, size))


def made_samples(bench: Bench, count: int, classes: int, size: int) -> tuple[Tensor, Tensor]:
    """Noise, uint8 (count, 1, size, size), and labels, int64 (count,), made on the device; always the same."""
    random = torch.Generator(bench.device).manual_seed(0)
    shape = (count, 1, size, size)
    pictures = torch.randint(0, 256, shape, dtype=torch.uint8, device=bench.device, generator=random)
    return pictures, torch.randint(0, classes, (count,), device=bench.device, generator=random)
