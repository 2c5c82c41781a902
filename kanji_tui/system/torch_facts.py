"""Asks torch for its version and devices in a child process: its import takes seconds, and can crash or hang.

`start` starts the child, and `read` reads its answer once it has ended; `read_torch_facts` does both and waits.
"""

import json
import signal
import time
import warnings
from dataclasses import asdict, dataclass
from typing import Any

from kanji_tui.errors import KanjiError, first_line
from kanji_tui.system.child import Child, take_stdout

LIMIT_SECONDS = 120


@dataclass(frozen=True)
class TorchDevice:
    """A CUDA device as torch reports it; `error`: what a small test multiplication on it raised, else empty."""

    name: str
    capability: str
    memory_total: int
    bf16: bool
    error: str


@dataclass(frozen=True)
class TorchFacts:
    """`cuda_build`: the CUDA version that torch was built for ("13.0"), None for a CPU build.

    `reason`: torch's warning about why a CUDA build sees no device. `seconds`: duration of the import.
    """

    version: str
    cuda_build: str | None
    devices: tuple[TorchDevice, ...]
    threads: int
    reason: str
    seconds: float


def read_torch_facts(limit: int = LIMIT_SECONDS) -> TorchFacts:
    """Torch's facts from a child; KanjiError with the reason where the import fails, crashes or hangs."""
    with start(limit) as child:
        child.wait()
        return read(child)


def start(limit: int = LIMIT_SECONDS) -> Child:
    """Start the child; it is killed after `limit` seconds."""
    return Child("kanji_tui.system.torch_facts:answer", str(limit))


def read(child: Child) -> TorchFacts:
    """The answer of the ended child; raises KanjiError as `read_torch_facts` does."""
    code = child.wait()
    if code == -signal.SIGALRM:
        raise KanjiError("torch did not answer in time: its import hangs")
    if code < 0:
        raise KanjiError(f"torch crashed ({signal.Signals(-code).name})")
    if code:
        raise KanjiError(child.exit_reason())
    return from_json(json.loads(child.output))


def from_json(value: dict[str, Any]) -> TorchFacts:
    """The facts that the child printed."""
    return TorchFacts(**{**value, "devices": tuple(TorchDevice(**device) for device in value["devices"])})


def _ask_torch() -> TorchFacts:
    began = time.perf_counter()
    import torch

    seconds = time.perf_counter() - began
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return TorchFacts(
        version=str(torch.__version__),
        cuda_build=torch.version.cuda,
        devices=tuple(_ask_device(torch, index) for index in range(count)),
        threads=torch.get_num_threads(),
        reason="" if count else " ".join(first_line(warning.message) for warning in caught),
        seconds=round(seconds, 3),
    )


def _ask_device(torch: Any, index: int) -> TorchDevice:
    properties = torch.cuda.get_device_properties(index)
    try:
        ones = torch.ones(8, 8, device=f"cuda:{index}")
        error = "" if float((ones @ ones).sum()) == 512.0 else "a product of 8x8 matrices of ones was wrong"
    except RuntimeError as raised:
        error = first_line(raised)
    return TorchDevice(
        name=str(properties.name),
        capability=f"{properties.major}.{properties.minor}",
        memory_total=int(properties.total_memory),
        bf16=(properties.major, properties.minor) >= (8, 0),  # Ampere is the first with bf16 units
        error=error,
    )


def answer(limit: str) -> None:
    """Entry point of the child: print the facts as JSON."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(limit))
    with take_stdout() as out:
        out.write(json.dumps(asdict(_ask_torch())).encode())
