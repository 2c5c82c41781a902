"""What a training step is made of, counted as it runs: calls of operators, bytes, multiplications."""

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry


class Counting(TorchDispatchMode):
    """Counts every operator that is called within it: forward, backward, optimisers, averaging.

    `dispatches` are all of them, `views` those that only look at a tensor's memory in another way and cost the
    device nothing. For each of the others `work` has (bytes, operations). Bytes: every tensor it is given is read
    once, every new one it gives and every one it changes is written once. It is what an operator must move when
    nothing is left in a cache; one that reads a tensor several times, or makes room to work in, moves more.
    Operations: two for each multiplication with its addition in convolutions and matrix products, by PyTorch's own
    table; all others have 0, for they are bound by their bytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.dispatches = self.views = 0
        self.work: list[tuple[int, int]] = []

    @property
    def bytes(self) -> int:
        return sum(moved for moved, _ in self.work)

    @property
    def operations(self) -> int:
        return sum(done for _, done in self.work)

    def floor(self, bandwidth: float, rate: float) -> float:
        """Seconds a device needs at least that moves `bandwidth` bytes/s and does `rate` operations/s.

        Operator by operator the longer of moving its bytes and doing its operations, as in a roofline. Operators
        that are fused, or find their bytes in a cache, can be faster: it is the floor of the step as it is written,
        from memory. All operations are held against the one rate, also those that are done in float32.
        """
        return sum(max(moved / bandwidth, done / rate) for moved, done in self.work)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        self.dispatches += 1
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        places = {tensor.data_ptr() for tensor in given}
        new = [
            leaf for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor) and leaf.data_ptr() not in places
        ]
        written = [*new, *_changed(func, args, kwargs)]
        if not written and all(isinstance(leaf, torch.Tensor) for leaf in tree_leaves(out)):
            self.views += 1
            return out
        moved = sum(map(_size, given)) + sum(map(_size, written))
        formula = flop_registry.get(func._overloadpacket)
        self.work.append((moved, int(formula(*args, **kwargs, out_val=out)) if formula else 0))
        return out


def _changed(func: Any, args: Any, kwargs: Any) -> list[torch.Tensor]:
    """The tensors that it writes into, by its schema."""
    values = dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | kwargs
    written = [
        values.get(argument.name)
        for argument in func._schema.arguments
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    return [leaf for leaf in tree_leaves(written) if isinstance(leaf, torch.Tensor)]


def _size(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
