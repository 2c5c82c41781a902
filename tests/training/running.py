"""Running small trainings in the tests' own process."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from kanji_tui.events import Epoch, Event
from kanji_tui.training.config import TrainConfig
from kanji_tui.training.results import Trained
from kanji_tui.training.trainer import train


@dataclass
class Report:
    """Keeps events; asks to stop once the training has looked `stop_after` times whether it should."""

    directory: Path
    stop_after: int | None = None
    looks: int = 0
    events: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    def stop_requested(self) -> bool:
        self.looks += 1
        return self.stop_after is not None and self.looks > self.stop_after

    @property
    def epochs(self) -> list[Epoch]:
        return [event for event in self.events if isinstance(event, Epoch)]


def run(
    dataset: Path,
    directory: Path,
    config: TrainConfig,
    stop_after: int | None = None,
    resume: Path | None = None,
) -> tuple[Trained, Report]:
    directory.mkdir(parents=True, exist_ok=True)
    report = Report(directory, stop_after)
    return train(dataset, config, directory, resume, report), report


def checkpoint_of(directory: Path) -> dict:
    return torch.load(directory / "last.ckpt", weights_only=True)


def weights_of(directory: Path) -> dict[str, torch.Tensor]:
    return torch.load(directory / "best_kanji_model.pth", weights_only=True)


def same(one: object, other: object) -> bool:
    """Whether two trees of dicts, lists, tensors and numbers are alike to the last bit."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
