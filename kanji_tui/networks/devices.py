"""Which device computes, and what is done where its memory is too small."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from kanji_tui.errors import KanjiError, first_line
from kanji_tui.events import Notice, Report

CPU = torch.device("cpu")

# What a GPU without room says where torch's own allocator was not asked: CUDA's, cuBLAS's and cuDNN's words, the
# last where not even one way to convolve finds the workspace it needs.
NO_ROOM = (
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "unable to find an engine to execute this computation",
)


def own_device() -> torch.device:
    """The GPU of this process, with its number, or the CPU where there is none; float32 there is no less than that.

    PyTorch lets cuDNN round the inputs of float32 convolutions to 10 bits (TF32): what a network says would then
    depend on the device.
    """
    if not torch.cuda.is_available():
        return CPU
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda", torch.cuda.current_device())


def move_to_gpu(network: nn.Module, size: int, report: Report) -> None:
    """Move the network, which takes pictures of `size`, to this process's GPU, or say why it cannot be used."""
    device = own_device()
    if device == CPU:
        return
    try:
        network.to(device)
        with torch.inference_mode():
            network(torch.zeros(1, 1, size, size, device=device)).cpu()
        return
    except RuntimeError as error:
        report(Notice(f"the GPU cannot be used, so the CPU computes: {first_line(error)}"))
    network.to(CPU)


def memory_ended(error: RuntimeError) -> bool:
    """Whether it says that the GPU's memory is too small."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in NO_ROOM)


def in_halves(compute: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """`compute(inputs)`, row by row independent, in halves and their halves where the memory is too small for all.

    KanjiError where it is too small for one row.
    """
    try:
        return compute(inputs)
    except RuntimeError as error:
        if not memory_ended(error):
            raise
        if len(inputs) < 2:
            raise KanjiError(
                "the GPU's memory is too small for a single picture",
                "free some of it (nvidia-smi shows who holds it), or compute on the CPU: CUDA_VISIBLE_DEVICES='' "
                "before the command",
            ) from None
    torch.cuda.empty_cache()  # here, for only now is freed what the failed attempt held
    middle = len(inputs) // 2
    return torch.cat([in_halves(compute, inputs[:middle]), in_halves(compute, inputs[middle:])])
