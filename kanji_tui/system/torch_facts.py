"""What only torch knows, asked in a child process: importing torch takes seconds, a broken one crashes or hangs.

`python -m kanji_tui.system.torch_facts` prints the facts as JSON; `read_torch_facts` starts that and reads it.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass
from typing import IO, Any

from kanji_tui.errors import KanjiError

LIMIT_SECONDS = 120.0


@dataclass(frozen=True)
class TorchDevice:
    """A CUDA device as torch sees it; `error` is what a first small multiplication on it raised, else empty."""

    name: str
    capability: str
    memory_total: int
    bf16: bool
    error: str


@dataclass(frozen=True)
class TorchFacts:
    """`cuda_build`: the CUDA version torch was built for ("13.0"), None for a CPU build.

    `reason`: torch's own words on why a CUDA build sees no device. `seconds`: what importing torch took.
    """

    version: str
    cuda_build: str | None
    devices: tuple[TorchDevice, ...]
    threads: int
    reason: str
    seconds: float


def read_torch_facts(limit: float = LIMIT_SECONDS) -> TorchFacts:
    """Torch's facts from a child, waiting `limit` seconds at most.

    Raises KanjiError with torch's last words when it cannot be imported, crashes, or takes longer.
    """
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as words:
        child = subprocess.Popen(
            [sys.executable, "-m", "kanji_tui.system.torch_facts"],
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=words,
            start_new_session=True,
        )
        try:
            code = child.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            raise KanjiError(f"torch had not answered after {limit:.0f} seconds") from None
        finally:
            _end(child)
        if code:
            raise KanjiError(_last_words(code, words))
        answer.seek(0)
        return from_json(json.loads(answer.read()))


def from_json(value: dict[str, Any]) -> TorchFacts:
    """The facts that the child printed."""
    return TorchFacts(**{**value, "devices": tuple(TorchDevice(**device) for device in value["devices"])})


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Leave nothing running of the child's session."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _last_words(code: int, words: IO[bytes]) -> str:
    words.seek(0)
    lines = [line.strip() for line in words.read().decode("utf-8", "replace").splitlines() if line.strip()]
    if code < 0:
        return f"torch crashed ({signal.Signals(-code).name})"
    return lines[-1] if lines else f"the process that imports torch ended with exit code {code}"


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
        reason="" if count else " ".join(str(warning.message).splitlines()[0] for warning in caught),
        seconds=round(seconds, 3),
    )


def _ask_device(torch: Any, index: int) -> TorchDevice:
    properties = torch.cuda.get_device_properties(index)
    try:
        ones = torch.ones(8, 8, device=f"cuda:{index}")
        error = "" if float((ones @ ones).sum()) == 512.0 else "8 x 8 ones multiplied wrongly"
    except RuntimeError as raised:
        error = str(raised).splitlines()[0]
    return TorchDevice(
        name=str(properties.name),
        capability=f"{properties.major}.{properties.minor}",
        memory_total=int(properties.total_memory),
        bf16=(properties.major, properties.minor) >= (8, 0),  # Ampere is the first with bf16 units
        error=error,
    )


def main() -> None:
    """Print the facts to where stdout pointed; whatever else prints meanwhile goes to stderr."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        json.dump(asdict(_ask_torch()), answer)


if __name__ == "__main__":
    main()
