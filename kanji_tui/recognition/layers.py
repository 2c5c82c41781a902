"""Where in a network the picture ends and the classifier begins."""

from typing import Any

import torch
from torch import nn

POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


def last_pooling(network: nn.Module, size: int) -> str:
    """The name of the pooling layer that runs last on a `size` x `size` picture; empty where there is none."""
    return next((name for name, module in reversed(layers_run(network, size)) if isinstance(module, POOLS)), "")


def layers_run(network: nn.Module, size: int) -> list[tuple[str, nn.Module]]:
    """The layers without layers of their own, by name, in the order they run."""
    ran: list[tuple[str, nn.Module]] = []

    def note(name: str) -> Any:
        return lambda module, inputs, output: ran.append((name, module))

    hooks = [
        module.register_forward_hook(note(name))
        for name, module in network.named_modules()
        if not any(module.children())
    ]
    device = next(network.parameters()).device
    try:
        with torch.inference_mode():
            network(torch.zeros(1, 1, size, size, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return ran
