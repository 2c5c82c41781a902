"""Averaged weights (EMA): they vary less than the latest weights and are the ones validated and saved."""

from copy import deepcopy

import torch
from torch import nn


class AveragedNetwork:
    """A copy of a network whose weights follow it as an exponential moving average.

    The span grows with the steps taken, so that the first random weights are soon forgotten. BatchNorm's running
    statistics are not averaged: they are recomputed for the averaged weights (see batchnorm.py).
    """

    def __init__(self, network: nn.Module, span: float) -> None:
        self.network = deepcopy(network).requires_grad_(False).eval()
        self._decay = 1 - 1 / max(1.0, span)
        self._averages = list(self.network.parameters())
        self._followed = list(network.parameters())

    @torch.no_grad()
    def follow(self, steps: int) -> None:
        """Take in the weights that the followed network has after `steps` steps."""
        decay = min(self._decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(self._averages, self._followed, 1 - decay)
