"""The optimisers of a training, by its config."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from kanji_tui.training.muon import Muon, suits
from kanji_tui.training.recipes import Recipe


def make_optimisers(
    network: nn.Module, config: Recipe, newton_schulz: torch.dtype
) -> tuple[torch.optim.Optimizer, ...]:
    """One optimiser for all parameters; with muon two: AdamW for all but convolutions, and Muon for these.

    Muon computes its Newton-Schulz iterations in `newton_schulz`.
    """
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
    return adam, Muon(matrices, rate, config.momentum, decay, newton_schulz)


def make_room(optimisers: Iterable[torch.optim.Optimizer]) -> None:
    """Have the optimisers allocate all that they keep, zeros, and change no parameter.

    PyTorch's would do so in their first step, when activations have had the memory: where it ends then, some
    parameters may be updated and others not.
    """
    for optimiser in optimisers:
        parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        rates = [group["lr"] for group in optimiser.param_groups]
        for group in optimiser.param_groups:
            group["lr"] = 0.0
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        optimiser.step()
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate
        for parameter in parameters:
            parameter.grad = None
            for kept in optimiser.state.get(parameter, {}).values():
                kept.zero_()


def _groups(parameters: Iterable[nn.Parameter], config: Recipe) -> list[dict[str, Any]]:
    """Parameters with weight decay and those without: biases and BatchNorm, unless everything decays."""
    every = list(parameters)
    decayed = [p for p in every if p.ndim > 1 or config.decay_everything]
    free = [p for p in every if p.ndim <= 1 and not config.decay_everything]
    groups = [(decayed, config.weight_decay), (free, 0.0)]
    return [{"params": chosen, "weight_decay": decay} for chosen, decay in groups if chosen]
