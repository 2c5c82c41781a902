"""Running small trainings in the tests' own process."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from kanji_tui.events import Epoch, Event, Progress
from kanji_tui.training import metrics, trainer
from kanji_tui.training.config import TrainConfig
from kanji_tui.training.results import Trained


@dataclass
class Report:
    """Keeps events; asks to stop once it has heard of progress in `stop_in`, a phase and how much of it is done."""

    directory: Path
    stop_in: tuple[str, int] | None = None
    events: list[Event] = field(default_factory=list)
    stopping: bool = False

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if self.stop_in and isinstance(event, Progress):
            phase, done = self.stop_in
            self.stopping |= event.phase == phase and event.done >= done

    def stop_requested(self) -> bool:
        return self.stopping

    @property
    def epochs(self) -> list[Epoch]:
        return [event for event in self.events if isinstance(event, Epoch)]


def run(
    dataset: Path | None,
    directory: Path,
    config: TrainConfig,
    stop_in: tuple[str, int] | None = None,
    resume: Path | None = None,
    stopping: bool = False,
    init: Path | None = None,
) -> tuple[Trained, Report]:
    """Train; stop where `stop_in` says, in samples over all epochs for the phase "training", or from the outset."""
    directory.mkdir(parents=True, exist_ok=True)
    report = Report(directory, stop_in, stopping=stopping)
    with pytest.MonkeyPatch.context() as patched:
        for module, name in ((trainer, "REPORT_SECONDS"), (trainer, "STEP_SECONDS"), (metrics, "COPY_SECONDS")):
            patched.setattr(module, name, 0.0)  # of each batch
        return trainer.train(dataset, config, directory, resume, report, init), report


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
