"""Where in a network the picture ends and the classifier begins."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


def last_pooling(network: nn.Module, size: int) -> str:
    """The name of the pooling layer that runs last on a `size` x `size` picture; empty where there is none."""
    return next((name for name, module in reversed(layers_run(network, size)) if isinstance(module, POOLS)), "")


def last_with_places(network: nn.Module, size: int) -> str:
    """The name of the layer that runs last of those whose output is (1, K, h, w) with h, w > 1; empty for none."""
    found = ""

    def note(name: str, output: object) -> None:
        nonlocal found
        if isinstance(output, torch.Tensor) and output.dim() == 4 and min(output.shape[2:]) > 1:
            found = name

    _run_watched(network, size, lambda name, module, output: note(name, output))
    return found


def layers_run(network: nn.Module, size: int) -> list[tuple[str, nn.Module]]:
    """The layers without layers of their own, by name, in the order they run."""
    ran: list[tuple[str, nn.Module]] = []
    _run_watched(network, size, lambda name, module, output: ran.append((name, module)))
    return ran


def _run_watched(network: nn.Module, size: int, watch: Callable[[str, nn.Module, object], None]) -> None:
    """Run the network on an empty picture and show `watch` what each layer without layers of its own gives."""

    def seen(name: str) -> Any:
        return lambda module, inputs, output: watch(name, module, output)

    hooks = [
        module.register_forward_hook(seen(name))
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
