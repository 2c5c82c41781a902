"""Finds the layers of a network whose outputs are worth showing as feature maps, in the order in which they run.

The structure of the network decides, so that no network needs a list of its own:

- its stages and blocks: modules with parts, down to the members of a `Sequential` or `ModuleList`;
- every attention, also within a block;
- of single layers outside of blocks the activations, and the last one before a block.

Of layers that give the same tensor the first is taken.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from kanji_tui.networks.recogniser import Recogniser

BLOCK, ATTENTION, LAYER = "block", "attention", "layer"
CONTAINERS = (nn.Sequential, nn.ModuleList)
ATTENTIONS = ("attention", "squeeze")  # in the name of a module or of its class


@dataclass(frozen=True, eq=False)
class LayerOutput:
    """What a layer gave for one image: `maps` float32 (K, h, w)."""

    name: str
    kind: str
    maps: Tensor


def layer_outputs(recogniser: Recogniser, inputs: Tensor) -> list[LayerOutput]:
    """The outputs of the layers worth showing for one image (1, 1, S, S), 0-1, in the order in which they ran."""
    found: list[LayerOutput] = []
    seen: list[Tensor] = []  # holds the tensors, so that no memory is used twice

    def hook(name: str, kind: str) -> Any:
        def record(module: nn.Module, arguments: object, output: object) -> None:
            maps = as_maps(output)
            if maps is not None and not any(_same(maps, other) for other in seen):
                seen.append(maps)
                found.append(LayerOutput(name, kind, maps.float().clone()))  # the next layer may work in place

        return record

    kinds = dict(_kinds(recogniser.network, "", outside=True))
    handles = [
        module.register_forward_hook(hook(name, kinds[name]))
        for name, module in recogniser.network.named_modules()
        if name in kinds
    ]
    try:
        with torch.inference_mode():
            recogniser(inputs)
    finally:
        for handle in handles:
            handle.remove()
    return found


def _kinds(module: nn.Module, prefix: str, outside: bool) -> Iterator[tuple[str, str]]:
    """The names and kinds of what may be shown in `module`; `outside`: it is not within a block."""
    children = list(module.named_children())
    contained = isinstance(module, CONTAINERS)
    singles = outside and (not prefix or not contained or any(map(_has_parts, module.children())))
    for number, (own, child) in enumerate(children):
        name = f"{prefix}{own}"
        if _is_attention(own, child):
            yield name, ATTENTION
        elif _has_parts(child):
            if outside or contained:
                yield name, BLOCK
        elif singles and (
            _is_activation(child) or all(_has_parts(after) for _, after in children[number + 1 :][:1])
        ):
            yield name, LAYER
        block = contained and not isinstance(child, CONTAINERS)
        yield from _kinds(child, f"{name}.", outside and not block)


def _has_parts(module: nn.Module) -> bool:
    return any(True for _ in module.children())


def _is_attention(name: str, module: nn.Module) -> bool:
    words = f"{name} {type(module).__name__}".lower()
    return _has_parts(module) and any(word in words for word in ATTENTIONS)


def _is_activation(module: nn.Module) -> bool:
    return type(module).__module__ == "torch.nn.modules.activation"


def _same(one: Tensor, other: Tensor) -> bool:
    return (one.data_ptr(), one.shape) == (other.data_ptr(), other.shape)


def as_maps(output: object) -> Tensor | None:
    """A module's output for one image as square maps (K, h, w) with h = w > 1; None if it is none.

    It may be (1, K, h, w), or (1, T, K): tokens of a square image, row by row, with or without a class token before
    them. Of several outputs the first counts.
    """
    if isinstance(output, tuple) and output:
        output = output[0]
    if not isinstance(output, Tensor) or len(output.shape) not in (3, 4) or len(output) != 1:
        return None
    maps = output[0]
    if maps.dim() == 2:
        side = math.isqrt(len(maps))
        if len(maps) - side * side not in (0, 1):
            return None
        maps = maps[len(maps) - side * side :].T.unflatten(1, (side, side))
    return maps if maps.shape[1] == maps.shape[2] > 1 else None
