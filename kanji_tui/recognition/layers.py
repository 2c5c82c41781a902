"""Finds the last pooling and the last feature map of a network, by running it on an empty image."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


def last_pooling(network: nn.Module, size: int) -> str:
    """The name of the pooling layer that runs last on a `size` x `size` image; "" if there is none."""
    return next((name for name, module in reversed(layers_run(network, size)) if isinstance(module, POOLS)), "")


def last_feature_map(network: nn.Module, size: int) -> str:
    """The name of the last layer whose output is (1, K, h, w) with h, w > 1; "" if there is none."""
    found = ""

    def record(name: str, output: object) -> None:
        nonlocal found
        if isinstance(output, torch.Tensor) and output.dim() == 4 and min(output.shape[2:]) > 1:
            found = name

    _run_with_hook(network, size, lambda name, module, output: record(name, output))
    return found


def layers_run(network: nn.Module, size: int) -> list[tuple[str, nn.Module]]:
    """The leaf modules by name, in execution order."""
    ran: list[tuple[str, nn.Module]] = []
    _run_with_hook(network, size, lambda name, module, output: ran.append((name, module)))
    return ran


def _run_with_hook(network: nn.Module, size: int, hook: Callable[[str, nn.Module, object], None]) -> None:
    """Run the network on an empty image; call `hook` with name, module and output of each leaf module."""

    def forward_hook(name: str) -> Any:
        return lambda module, inputs, output: hook(name, module, output)

    handles = [
        module.register_forward_hook(forward_hook(name))
        for name, module in network.named_modules()
        if not any(module.children())
    ]
    device = next(network.parameters()).device
    try:
        with torch.inference_mode():
            network(torch.zeros(1, 1, size, size, device=device))
    finally:
        for handle in handles:
            handle.remove()
