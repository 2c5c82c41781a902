"""What the jobs of this room give back, free of torch and onnx: read again by the faces."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkSummary:
    """`macs` of one picture, convolutions and linear layers alone; `bytes` of the state dict's tensors.

    All three are None where the extra that the network needs is not installed; `remedy` says how to install it.
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
