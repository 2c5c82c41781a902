"""Averaged weights (EMA): they vary less than the latest weights and are the ones validated and saved."""

from copy import deepcopy

import torch
from torch import nn


class AveragedNetwork:
    """A copy of a network whose weights follow it as an exponential moving average.

    BatchNorm's running means and variances are averaged the same way, over the same span as the weights they
    belong to; the span grows with the steps taken, so that the first random weights are soon forgotten.
    """

    def __init__(self, network: nn.Module, span: float) -> None:
        self.network = deepcopy(network).requires_grad_(False).eval()
        self._decay = 1 - 1 / max(1.0, span)
        self._averages = _floats(self.network)
        self._followed = _floats(network)

    @torch.no_grad()
    def follow(self, steps: int) -> None:
        """Take in the weights that the followed network has after `steps` steps."""
        decay = min(self._decay, (1 + steps) / (10 + steps))
        torch._foreach_lerp_(self._averages, self._followed, 1 - decay)


def _floats(network: nn.Module) -> list[torch.Tensor]:
    return [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
