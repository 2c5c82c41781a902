"""BatchNorm's statistics for evaluation, recomputed for the weights as they are.

In training the running means and variances follow the batches of about the last twenty steps; for weights that move
fast they are out of date. To recompute them over training batches before a network is evaluated is what
`torch.optim.swa_utils.update_bn` does for averaged weights (Izmailov et al. 2018). Here the network stays in
evaluation mode, so that dropout draws no random numbers and SyncBatchNorm waits for no other process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from kanji_tui.errors import KanjiError
from kanji_tui.events import Report, raise_if_stopped
from kanji_tui.networks.devices import is_out_of_memory
from kanji_tui.training.distributed import World
from kanji_tui.training.loader import DeviceLoader, to_unit

BATCH = 512  # samples at once; the larger a batch, the nearer it is to all samples
SHARE = 20  # a twentieth of the train split is measured,
LEAST, MOST = 512, 8192  # but at least and at most so many samples


def samples_needed(network: nn.Module, train_samples: int) -> int:
    """How many of the train split's samples are measured; none for a network without BatchNorm."""
    return min(train_samples, max(LEAST, min(train_samples // SHARE, MOST))) if _norms(network) else 0


def recompute_statistics(network: nn.Module, train_set: DeviceLoader, seed: int, report: Report) -> None:
    """Set the running means and variances of every BatchNorm layer for the network's present weights.

    They are means over batches of training samples, the same samples for a seed, without augmentation and in
    float32, as the network is evaluated. Nothing else changes, and no random number of the training is drawn. Where
    the memory is too small, the batches are halved; KanjiError if four samples are too many. Stopped between two
    batches.
    """
    needed = samples_needed(network, len(train_set))
    if not needed:
        return
    network.eval()
    chosen = torch.randperm(len(train_set), generator=torch.Generator().manual_seed(seed))[:needed]
    size = BATCH
    while not _measure(network, train_set, chosen.tensor_split(-(-needed // size)), report):
        if size <= 4:
            raise KanjiError(
                "the GPU's memory is too small for four samples at once",
                "free some of it (nvidia-smi shows who holds it), or choose a smaller network",
            )
        size //= 2
        torch.cuda.empty_cache()


def share_statistics(network: nn.Module, world: World) -> None:
    """Give the network of every process the running means and variances of rank 0's."""
    if world.size == 1:
        return
    own = [buffer for norm in _norms(network) for buffer in (norm.running_mean, norm.running_var)]
    for buffer, found in zip(own, world.broadcast([buffer.cpu() for buffer in own]), strict=True):
        buffer.copy_(found)


@torch.no_grad()
def _measure(network: nn.Module, train_set: DeviceLoader, batches: tuple[Tensor, ...], report: Report) -> bool:
    """Average the statistics of the batches, which are given as positions; False if they need too much memory."""
    try:
        with _averaging(network):
            for images, _ in train_set.stream(batches):
                raise_if_stopped(report)
                network(to_unit(images))
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return False
    return True


@contextmanager
def _averaging(network: nn.Module) -> Iterator[None]:
    """Within it every BatchNorm layer normalises a batch by that batch, and keeps the mean over the batches."""
    hooks = [norm.register_forward_hook(partial(_normalise, count(1))) for norm in _norms(network)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _normalise(calls: Iterator[int], norm: _BatchNorm, inputs: tuple[Tensor], _: Tensor) -> Tensor:
    """What the layer gives in training, which takes the place of what it gives in evaluation."""
    share = 1 / next(calls)  # the first batch replaces what was there
    normalised: Tensor = functional.batch_norm(
        inputs[0], norm.running_mean, norm.running_var, norm.weight, norm.bias, True, share, norm.eps
    )
    return normalised


def _norms(network: nn.Module) -> list[_BatchNorm]:
    """The layers that have running statistics."""
    return [
        module for module in network.modules() if isinstance(module, _BatchNorm) and module.running_mean is not None
    ]
