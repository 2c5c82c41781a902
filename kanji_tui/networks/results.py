"""The results of `kanji-tui networks`; imports neither torch nor onnx."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkSummary:
    """`macs`: multiply-accumulates for one image, convolutions and linear layers only; `bytes`: state dict tensors.

    `parameters`, `macs` and `bytes` are None without the extra that the network needs; `remedy` says how to
    install it.
    """

    name: str
    description: str
    classes: int
    size: int
    parameters: int | None
    macs: int | None
    bytes: int | None
    remedy: str = ""


@dataclass(frozen=True)
class Networks:
    networks: tuple["NetworkSummary", ...]
