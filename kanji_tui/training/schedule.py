"""How many steps a training has, and the learning rate and the strength of the augmentation at each of them."""

import math
from dataclasses import replace

from kanji_tui.training.config import TrainConfig
from kanji_tui.training.recipes import Recipe

START_SHARE = 0.04  # one-cycle begins at this share of its highest learning rate


def for_train_split(config: TrainConfig, samples: int, processes: int = 1) -> TrainConfig:
    """The config with its batch size and epochs for so many samples to train, shared by so many processes.

    While the epochs make fewer than `min_steps` steps, the batches are halved, to `min_batch_size` at least: that
    costs no more passes over the samples. Then there are as many epochs more as are needed.
    """
    least = max(config.min_batch_size, 2 * processes, 2 * config.accumulation_steps)
    size = config.batch_size
    while config.epochs * _batches(samples, size) < config.min_steps and size // 2 >= least:
        if size % (2 * processes):
            break
        size //= 2
    epochs = max(config.epochs, math.ceil(config.min_steps / _batches(samples, size)))
    return replace(config, batch_size=size, epochs=epochs)


def _batches(samples: int, size: int) -> int:
    return max(1, samples // size)


def learning_rate_at(config: Recipe, step: int, steps_per_epoch: int) -> float:
    """The learning rate of step `step`, counted from 0 over the whole training.

    one-cycle (Smith 2018): half a cosine up over `warmup` of the steps, half a cosine down over the rest.
    cosine: half a cosine down over the epochs, constant within each, as the original's CosineAnnealingLR.
    """
    last = config.final_learning_rate
    if config.schedule == "cosine":
        share = _half_cosine(1.0, last, (step // steps_per_epoch) / config.epochs)
    else:
        steps = config.epochs * steps_per_epoch
        warm = config.warmup * steps
        if step < warm:
            share = _half_cosine(START_SHARE, 1.0, step / warm)
        else:
            share = _half_cosine(1.0, last, (step - warm) / max(1.0, steps - 1 - warm))
    return config.learning_rate * share


def augmentation_strength_at(config: Recipe, step: int, steps: int) -> float:
    """1 until the last `fade` of the steps, then straight down to 0 at the end."""
    fading = config.fade * steps
    return min(1.0, (steps - 1 - step) / fading) if fading else 1.0


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, share))) / 2
