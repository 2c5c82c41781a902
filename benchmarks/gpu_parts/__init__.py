"""The parts of `benchmarks/gpu.py`, a file a topic, and what all of them share."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

CLASSES, SAMPLES = 3036, 607_200  # of ETL9G
Figures = dict[str, Any]


class NotApplicable(Exception):
    """This part has nothing to measure here; the message says why."""


class Failed(Exception):
    """What was measured is not as it should be; the message says what."""


@dataclass
class Bench:
    """What a part is told: where it runs, where it may write, how long it may take, what earlier parts found.

    `device`: what is measured, cuda:0 or the CPU. `tiny`: everything as small as it can be, to see that it works.
    `folder`: removed in the end. `data`: record files that the user made beforehand. `kept`: what parts hand on.
    `found`: what the part at work has found so far; it is told where the part fails, too.
    """

    device: "torch.device"
    tiny: bool
    folder: Path
    data: Path | None = None
    say: Callable[[str], None] = print
    until: float = float("inf")  # time.monotonic() at which the part at work should have ended
    kept: dict[str, Any] = field(default_factory=dict)
    found: Figures = field(default_factory=dict)

    @property
    def on_gpu(self) -> bool:
        return self.device.type == "cuda"

    @property
    def left(self) -> float:
        """Seconds that are left to the part at work, at least 0."""
        return max(0.0, self.until - time.monotonic())

    def settle(self) -> None:
        """Wait until the device has done what it was given: before a clock is read."""
        if self.on_gpu:
            import torch

            torch.cuda.synchronize(self.device)


def require(holds: bool, otherwise: str) -> None:
    """Failed with these words where something does not hold."""
    if not holds:
        raise Failed(otherwise)
