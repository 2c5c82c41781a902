"""The engines that run ONNX files here, each in a process of its own, so that none can take this one down.

What an engine says is what this program reports: nothing here knows which operators an engine has.
"""

import contextlib
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from kanji_tui.engines.engine_process import Arrays, receive, send

ENGINES = ("onnxruntime", "tract")
Outputs = list[np.ndarray | None]
LIMIT_SECONDS = 60.0
LATENCY_RUNS = 30
LONGEST_WORDS = 600


class EngineRefused(Exception):
    """The engine did not run a model; the message is the engine's own words."""


@dataclass(frozen=True)
class Latency:
    """Seconds of one run: the median of `runs` and the spread between their quartiles, warmed up."""

    batch: int
    median: float
    spread: float
    runs: int
    threads: int


class Engine:
    """ONNX Runtime or tract, ready to be asked. Use it in a `with` block; a process that dies is started anew."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()
        self._words.close()

    def run(
        self,
        model: Path,
        inputs: Arrays,
        symbols: dict[str, int] | None = None,
        limit: float = LIMIT_SECONDS,
    ) -> Outputs:
        """Run `model` on `inputs` (by input name) and give its outputs in the model's order.

        `symbols` are the sizes of the symbolic dimensions that the inputs have. An output that is no tensor comes
        as None. Raises EngineRefused with the engine's words.
        """
        outputs, _ = self._ask(model, inputs, symbols or {}, limit, 1)
        return outputs

    def latency(self, model: Path, inputs: Arrays, symbols: dict[str, int] | None = None) -> Latency:
        """How long one run takes on one thread. Raises EngineRefused."""
        _, seconds = self._ask(model, inputs, symbols or {}, LIMIT_SECONDS, LATENCY_RUNS)
        low, median, high = statistics.quantiles(seconds, n=4)
        batch = next((value.shape[0] for value in inputs.values() if value.ndim), 1)
        return Latency(batch=batch, median=median, spread=high - low, runs=len(seconds), threads=1)

    def _ask(
        self, model: Path, inputs: Arrays, symbols: dict[str, int], limit: float, repeats: int
    ) -> tuple[Outputs, list[float]]:
        process = self._process or self._start()
        to_engine, from_engine = pipes(process)
        request = {
            "model": str(model),
            "symbols": symbols,
            "inputs": list(inputs),
            "limit": limit,
            "repeats": repeats,
        }
        try:
            send(to_engine, request, list(inputs.values()))
            answer = receive(from_engine)
        except BrokenPipeError:
            answer = None
        if answer is None:
            raise EngineRefused(self._last_words(limit))
        message, arrays = answer
        if "error" in message:
            raise EngineRefused(tidy(message["error"]))
        found = iter(arrays)
        return [next(found) if tensor else None for tensor in message["tensors"]], message["seconds"]

    def _start(self) -> subprocess.Popen[bytes]:
        self._words.seek(0)
        self._words.truncate()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kanji_tui.engines.engine_process", self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env={**os.environ, "RUST_BACKTRACE": "0"},
        )
        return self._process

    def _end(self) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in pipes(process):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()
        try:
            return process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _last_words(self, limit: float) -> str:
        """Why the process is gone, from its exit and from what it printed."""
        code = self._end()
        if code == -signal.SIGALRM:
            return f"it gave no answer within {limit:.0f} s"
        self._words.seek(0)
        printed = self._words.read().decode(errors="replace")
        panic = re.search(r"panicked at [^\n]*\n(.+?)\n(?:note:|stack backtrace|\s*0:)", printed, re.DOTALL)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = tidy(panic.group(1) if panic else printed[-500:])
        return f"it crashed ({how})" + (f": {said}" if said else "")


def pipes(process: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes]]:
    """Where the process reads and where it writes."""
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def tidy(words: str) -> str:
    """An engine's message on one line, without stack traces and temporary paths."""
    words = re.split(r"\n\s*(?:Stack backtrace:|stack backtrace:)", words)[0]
    words = re.sub(r"Load model from \S+ failed:\s*", "", words)
    words = words.replace("Caused by:", "")
    lines = [re.sub(r"^\s*(?:\d+:\s+)?", "", line).strip() for line in words.splitlines()]
    whole = "; ".join(line for line in lines if line)
    return whole if len(whole) <= LONGEST_WORDS else whole[:LONGEST_WORDS] + " ..."


def engine_version(name: str) -> str:
    """The installed version of an engine, empty where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def made_value(dtype: np.dtype, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Numbers to run a foreign graph on: floats uniform in 0-1, integers 0 or 1, always the same for a seed.

    They show whether an engine runs a graph, never how good a recogniser is.
    """
    generator = np.random.default_rng(seed)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "f": lambda: generator.random(shape),
        "c": lambda: generator.random(shape) + 0j,
        "U": lambda: np.full(shape, "a"),
        "O": lambda: np.full(shape, "a"),
    }
    values = makers.get(dtype.kind, lambda: generator.integers(0, 2, shape))()
    return values if values.dtype.kind == "U" else values.astype(dtype)
