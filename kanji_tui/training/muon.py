"""Muon for convolutions: an orthogonalised momentum, so that all directions of a weight matrix learn at one rate.

K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024): Nesterov momentum, then five
Newton-Schulz steps in place of the singular value decomposition. Convolutions are taken as matrices, outputs by
inputs x kernel. An update is scaled to entries of about one, as AdamW's are, and so lives with its learning rate.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

SMALLEST_SIDE = 33  # matrices with a shorter side gain nothing
STEPS = 5
LINEAR, CUBIC, QUINTIC = 3.4445, -4.7750, 2.0315  # Jordan's polynomial: all singular values to about 1


class Muon(torch.optim.Optimizer):
    """For parameters that `suits` holds of; `precision` is what the Newton-Schulz steps compute in.

    A step computes all updates before it changes anything: if the memory ends in it, it can be taken again.
    """

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float, weight_decay: float, precision: torch.dtype
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._precision = precision

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        computed = [(group, self._updates(group)) for group in self.param_groups]
        for group, updates in computed:
            for parameter, momentum, update in updates:
                self.state[parameter]["momentum"].copy_(momentum)
                size = math.sqrt(max(len(parameter), parameter[0].numel()))
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * size)

    def _updates(self, group: dict[str, Any]) -> list[tuple[Tensor, Tensor, Tensor]]:
        """Each parameter that has a gradient, its new momentum, and its update, all of one shape."""
        alike: dict[torch.Size, list[tuple[Tensor, Tensor, Tensor]]] = defaultdict(list)
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            state = self.state[parameter]
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            momentum = state["momentum"].lerp(parameter.grad, 1 - group["momentum"])
            ahead = parameter.grad.lerp(momentum, group["momentum"])
            alike[parameter.shape].append((parameter, momentum, ahead.flatten(1)))
        found = []
        for shape, each in alike.items():
            updates = orthogonal(torch.stack([ahead for *_, ahead in each]), self._precision)
            found += [
                (parameter, momentum, update.reshape(shape))
                for (parameter, momentum, _), update in zip(each, updates, strict=True)
            ]
        return found


def suits(parameter: Tensor) -> bool:
    """Whether the parameter is a convolution's weight of sufficient size."""
    return parameter.ndim == 4 and bool(min(parameter.shape[0], parameter[0].numel()) >= SMALLEST_SIDE)


def orthogonal(matrices: Tensor, precision: torch.dtype) -> Tensor:
    """float32 (K, M, N) to the nearest matrices with all singular values about 1 (0.7 to 1.2)."""
    tall = matrices.shape[1] > matrices.shape[2]
    found = matrices.mT if tall else matrices
    found = (found / found.norm(dim=(1, 2), keepdim=True).clamp(min=1e-12)).to(precision)
    for _ in range(STEPS):
        square = found @ found.mT
        found = torch.baddbmm(
            found, torch.baddbmm(square, square, square, beta=CUBIC, alpha=QUINTIC), found, beta=LINEAR
        )
    found = found.float()
    return found.mT if tall else found
