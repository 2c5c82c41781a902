"""Measures some steps of a training on its own data, in a few seconds; nothing is written."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import torch

from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.networks.devices import own_device
from kanji_tui.training.batchnorm import samples_needed
from kanji_tui.training.config import TrainConfig
from kanji_tui.training.data import find_data
from kanji_tui.training.distributed import World
from kanji_tui.training.loader import DeviceLoader
from kanji_tui.training.metrics import SCORE_BATCH, score
from kanji_tui.training.results import Probed
from kanji_tui.training.schedule import for_train_split
from kanji_tui.training.state import distribute, initial_state
from kanji_tui.training.step import train_step

WARM_STEPS = 3  # not measured: kernels are chosen, memory is taken
MOST_STEPS = 60
SECONDS = 4.0
SCORED = 2 * SCORE_BATCH


def probe(data_dir: Path, config: TrainConfig, report: Report) -> Probed:
    """Take a few steps of the training that `config` describes, and estimate its time and memory.

    Raises KanjiError for a dataset that cannot be used.
    """
    data = find_data(data_dir, config, report)
    train = data.train(0)
    device = own_device()
    torch.backends.cudnn.benchmark = True
    config = for_train_split(config, len(train))
    batch_size = min(config.batch_size, len(train))
    batches = len(train) // batch_size
    state = initial_state(config, len(data.classes), data.size, config.epochs * batches, device)
    distribute(state, World(), batch_size)
    some = replace(train, indices=train.indices[: batch_size * min(batches, MOST_STEPS + WARM_STEPS)])
    train_set = DeviceLoader(some, device, report)
    state.network.train()

    def learn(number: int) -> None:
        chosen = torch.arange(number * batch_size, (number + 1) * batch_size) % len(some)
        train_step(state, *train_set(chosen), number % (config.epochs * batches), batches, report)

    steps, seconds = _timed(learn, device, report)
    a_step = seconds / steps
    validation = replace(data.validation, indices=data.validation.indices[:SCORED])
    clock = time.perf_counter()
    val_set = DeviceLoader(validation, device, report)
    score(state.eval_model, val_set, device, len(data.classes), "validation", report)
    _wait(device)
    a_score = (time.perf_counter() - clock) / len(validation)
    scored = len(data.validation) + min(2000, len(train) // 20)
    an_epoch = batches * a_step + (scored + samples_needed(state.network, len(train))) * a_score
    at_the_end = (len(data.validation) + len(data.test or ())) * a_score
    held = (len(train) + len(data.validation) - len(some)) * data.size**2
    return Probed(
        samples_per_second=batch_size / a_step,
        seconds_per_epoch=an_epoch,
        seconds=config.epochs * an_epoch + at_the_end,
        memory_bytes=_memory(device) + (held if train_set.resident else 0),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        steps=steps,
        epochs=config.epochs,
        samples=len(train),
    )


def _timed(learn: Callable[[int], None], device: torch.device, report: Report) -> tuple[int, float]:
    """How many steps were measured, and the seconds they took together."""
    for number in range(WARM_STEPS):
        raise_if_stopped(report)
        learn(number)
    _wait(device)
    began = time.perf_counter()
    done = 0
    for done in _while_time(began):
        raise_if_stopped(report)
        report(Progress("probing", done, MOST_STEPS, "steps"))
        learn(WARM_STEPS + done)
    _wait(device)  # once, as in a training: the host queues a GPU's next steps while it computes
    return done + 1, time.perf_counter() - began


def _while_time(began: float) -> Iterator[int]:
    for number in range(MOST_STEPS):
        yield number
        if time.perf_counter() - began >= SECONDS:
            return


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _memory(device: torch.device) -> int:
    """The most bytes held so far: on the GPU by torch, else by this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    return _peak()


def _peak() -> int:
    """The largest resident size of this process, in bytes."""
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
