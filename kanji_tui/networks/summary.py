"""The cost of a network: parameters, multiply-accumulates (MACs), bytes."""

from typing import Any

import torch
from torch import Tensor, nn

from kanji_tui.networks.registry import NETWORKS, build, entry
from kanji_tui.networks.results import NetworkSummary


def summarise(name: str, classes: int, size: int) -> NetworkSummary:
    """The costs of a network with `classes` outputs on `size` x `size` images; raises as `build` does."""
    network = build(name, classes, size).eval()
    tensors = network.state_dict().values()
    return NetworkSummary(
        name=name,
        description=entry(name).description,
        classes=classes,
        size=size,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        macs=count_macs(network, size),
        bytes=sum(tensor.numel() * tensor.element_size() for tensor in tensors),
    )


def summarise_all(size: int, classes: int) -> tuple[NetworkSummary, ...]:
    """Every network of the registry; a network whose extra is not installed has no figures."""
    return tuple(
        NetworkSummary(name, known.description, classes, size, None, None, None, known.remedy)
        if known.missing
        else summarise(name, classes, size)
        for name, known in NETWORKS.items()
    )


def count_macs(network: nn.Module, size: int) -> int:
    """Multiply-accumulates of the convolutions and linear layers for one image, counted in a forward pass."""
    counted = [0]

    def count(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        # Each output value is the sum of as many products as one row of the weights has elements.
        counted[0] += output.numel() * module.weight[0].numel()

    hooks = [
        module.register_forward_hook(count)
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    with torch.no_grad():
        network(torch.zeros(1, 1, size, size, device=next(network.parameters()).device))
    for hook in hooks:
        hook.remove()
    return counted[0]
