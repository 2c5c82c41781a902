"""The optimisers of a training, by its config."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from kanji_tui.training.muon import Muon, suits
from kanji_tui.training.recipes import Recipe


def make_optimisers(
    network: nn.Module, config: Recipe, precision: torch.dtype
) -> tuple[torch.optim.Optimizer, ...]:
    """One optimiser for all parameters; with muon two: AdamW for all but convolutions, and Muon for these."""
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimiser == "sgd":
        nesterov = config.momentum > 0
        groups = _groups(network.parameters(), config)
        return (torch.optim.SGD(groups, lr=rate, momentum=config.momentum, nesterov=nesterov, fused=True),)
    matrices = [p for p in network.parameters() if config.optimiser == "muon" and suits(p)]
    others = [p for p in network.parameters() if config.optimiser != "muon" or not suits(p)]
    kind = torch.optim.Adam if config.optimiser == "adam" else torch.optim.AdamW
    adam = kind(_groups(others, config), lr=rate, betas=config.betas, fused=True)
    if not matrices:
        return (adam,)
    # The range of float16 is too small for Newton-Schulz.
    newton_schulz = torch.bfloat16 if precision == torch.bfloat16 else torch.float32
    return adam, Muon(matrices, rate, config.momentum, decay, newton_schulz)


def _groups(parameters: Iterable[nn.Parameter], config: Recipe) -> list[dict[str, Any]]:
    """Parameters with weight decay and those without: biases and BatchNorm, unless everything decays."""
    every = list(parameters)
    decayed = [p for p in every if p.ndim > 1 or config.decay_everything]
    free = [p for p in every if p.ndim <= 1 and not config.decay_everything]
    groups = [(decayed, config.weight_decay), (free, 0.0)]
    return [{"params": chosen, "weight_decay": decay} for chosen, decay in groups if chosen]
