"""Chooses the device, and copes with too little GPU memory."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from kanji_tui.errors import KanjiError, first_line
from kanji_tui.events import Notice, Report
from kanji_tui.system.gpu import read_driver

CPU = torch.device("cpu")

# Messages of out-of-memory errors from CUDA, cuBLAS and cuDNN; torch's allocator raises torch.OutOfMemoryError.
# cuDNN raises the last one if no convolution algorithm gets the workspace it needs.
OUT_OF_MEMORY_MESSAGES = (
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "unable to find an engine to execute this computation",
)


def own_device() -> torch.device:
    """The GPU of this process, with its index, or the CPU if there is none. Turns TF32 off.

    By default PyTorch lets cuDNN round the inputs of float32 convolutions to 10 bits (TF32), so a network's output
    would depend on the device.
    """
    if not torch.cuda.is_available():
        return CPU
    torch.backends.cudnn.allow_tf32 = False
    return torch.device("cuda", torch.cuda.current_device())


def unused_gpu() -> str:
    """A sentence about the GPUs that the driver shows and torch cannot use; empty where there is none."""
    names = [] if torch.cuda.is_available() else [gpu.name for gpu in read_driver().gpus]
    if not names:
        return ""
    return f"{' and '.join(names)}: not used, for torch sees no GPU. Why, and what to type: kanji-tui preflight"


def move_to_gpu(network: nn.Module, size: int, report: Report) -> None:
    """Move the network to this process's GPU; if that fails for a `size` x `size` image, report why and stay."""
    device = own_device()
    if device == CPU:
        return
    try:
        network.to(device)
        with torch.inference_mode():
            network(torch.zeros(1, 1, size, size, device=device)).cpu()
        return
    except RuntimeError as error:
        report(Notice(f"the GPU cannot be used, so the CPU is used instead: {first_line(error)}"))
    network.to(CPU)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether the error means that the GPU ran out of memory."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return any(message in str(error) for message in OUT_OF_MEMORY_MESSAGES)


def in_halves(compute: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """`compute(inputs)`; if memory runs out, the batch is halved again and again. Rows must be independent.

    Raises KanjiError if memory is too small for one row.
    """
    try:
        return compute(inputs)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if len(inputs) < 2:
            raise KanjiError(
                "the GPU's memory is too small for one image",
                "free GPU memory (nvidia-smi lists the processes that use it), or use the CPU: put "
                "CUDA_VISIBLE_DEVICES='' before the command",
            ) from None
    torch.cuda.empty_cache()  # only here, outside `except`, are the failed attempt's tensors free
    middle = len(inputs) // 2
    return torch.cat([in_halves(compute, inputs[:middle]), in_halves(compute, inputs[middle:])])
