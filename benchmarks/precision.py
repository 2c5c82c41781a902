"""What bfloat16 gives a network that is trained on this CPU: samples/s of real steps in float32 and in bfloat16.

    python benchmarks/precision.py [NETWORK ...] [--batch 64 128] [--turns 30]

Recipe `standard` with AdamW, so augmentation, averaged weights and clipping are in it; 3,036 classes at 64 pixels,
noise for images. Both precisions take turns of a second in one process, so that a busy moment hits both. The table
has the fastest turn of each, which others disturbed least, and the median of the ratio within a turn. Prints
Markdown; it says how busy the machine was.
"""

import argparse
import time
from statistics import median

from kanji_tui.system.threads import prepare_process

prepare_process()  # before torch is imported

import torch  # noqa: E402
from tables import machine, row, table  # noqa: E402

from kanji_tui.events import SilentReport  # noqa: E402
from kanji_tui.training.config import configure  # noqa: E402
from kanji_tui.training.distributed import World  # noqa: E402
from kanji_tui.training.state import distribute, initial_state  # noqa: E402
from kanji_tui.training.step import train_step  # noqa: E402

CLASSES, SIZE, EPOCH_STEPS, SECONDS = 3036, 64, 1000, 1.0
PRECISIONS = ("float32", "bfloat16")


class Training:
    """A training of `network` in the middle, which takes steps on one batch of noise."""

    def __init__(self, network: str, precision: str, batch: int) -> None:
        config = configure(
            network, "standard", optimiser="adamw", learning_rate=1e-3, batch_size=batch, precision=precision
        )
        self.state = initial_state(config, CLASSES, SIZE, config.epochs * EPOCH_STEPS, torch.device("cpu"))
        distribute(self.state, World(), batch)
        self.state.network.train()
        self.images = torch.randint(0, 256, (batch, 1, SIZE, SIZE), dtype=torch.uint8)
        self.labels = torch.arange(batch) % CLASSES
        self.number = EPOCH_STEPS
        self.speed()  # kernels are chosen, memory is taken

    def speed(self) -> float:
        """Samples/s over a second of steps."""
        began, steps = time.perf_counter(), 0
        while time.perf_counter() - began < SECONDS:
            train_step(self.state, self.images, self.labels, self.number, EPOCH_STEPS, SilentReport())
            self.number += 1
            steps += 1
        return steps * len(self.images) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=["v2.1"])
    parser.add_argument("--batch", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--turns", type=int, default=30)
    args = parser.parse_args()
    print(f"{machine()}, {torch.get_num_threads()} threads\n")
    table("network", "batch", *PRECISIONS, "fastest / fastest", "median ratio of a turn")
    for network in args.networks:
        for batch in args.batch:
            trainings = [Training(network, precision, batch) for precision in PRECISIONS]
            turns = [[training.speed() for training in trainings] for _ in range(args.turns)]
            single, half = (max(speeds) for speeds in zip(*turns, strict=True))
            ratio = median(there / here for here, there in turns)
            row(network, batch, f"{single:,.0f}", f"{half:,.0f}", f"{half / single:.2f}", f"{ratio:.2f}")


if __name__ == "__main__":
    main()
