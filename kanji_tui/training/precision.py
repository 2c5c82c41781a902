"""The number formats of a training: what a device has instructions for, and what is chosen."""

import torch

from kanji_tui.networks.registry import entry


def choose_precision(device: torch.device, wanted: str, network: str) -> torch.dtype:
    """The type that the config's `precision` means for this network on this device.

    auto is bfloat16 on GPUs that have units for it (Ampere and later), and on CPUs that have instructions for it
    where the network gains by them.
    """
    if wanted != "auto":
        chosen: torch.dtype = getattr(torch, wanted)
        return chosen
    gains = computes_bfloat16(device) and (device.type == "cuda" or entry(network).fast_in_bfloat16)
    return torch.bfloat16 if gains else torch.float32


def newton_schulz_precision(device: torch.device, precision: torch.dtype) -> torch.dtype:
    """The type of Muon's Newton-Schulz iterations in a training of this precision: bfloat16 or float32.

    The range of float16 is too small for them; a CPU without instructions for bfloat16 multiplies its matrices
    ten to twenty times as slowly as those of float32.
    """
    fits = precision == torch.bfloat16 and computes_bfloat16(device)
    return torch.bfloat16 if fits else torch.float32


def computes_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.get_device_capability(device) >= (8, 0))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
