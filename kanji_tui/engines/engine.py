"""The engines that run ONNX files here, each in a process of its own, so that none can take this one down.

What an engine says is what this program reports: nothing here knows which operators an engine has.
"""

import re
import signal
import statistics
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

import numpy as np

from kanji_tui.engines.engine_process import Arrays, receive, send
from kanji_tui.engines.results import Latency
from kanji_tui.system.child import Child

ENGINES = ("onnxruntime", "tract")
Outputs = list[np.ndarray | None]
LIMIT_SECONDS = 60.0
LATENCY_RUNS = 30
LONGEST_WORDS = 600
PATIENCE_SECONDS = 5.0  # for an engine to end by itself
SERVER = "kanji_tui.engines.engine_process:main"


class EngineRefused(Exception):
    """The engine did not run a model; the message is the engine's own words."""


class Engine:
    """ONNX Runtime or tract, ready to be asked. Use it in a `with` block; a process that dies is started anew."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._child: Child | None = None

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._child is not None:
            self._child.end(PATIENCE_SECONDS)
            self._child.close()
            self._child = None

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
        child = self._child = self._child or Child(SERVER, self.name, pipes=True)
        request = {
            "model": str(model),
            "symbols": symbols,
            "inputs": list(inputs),
            "limit": limit,
            "repeats": repeats,
        }
        try:
            send(child.requests, request, list(inputs.values()))
            answer = receive(child.answers)
        except BrokenPipeError:
            answer = None
        if answer is None:
            raise EngineRefused(self._last_words(limit))
        message, arrays = answer
        if "error" in message:
            raise EngineRefused(tidy(message["error"]))
        found = iter(arrays)
        return [next(found) if tensor else None for tensor in message["tensors"]], message["seconds"]

    def _last_words(self, limit: float) -> str:
        """Why the process is gone, from its exit and from what it printed; the next question starts another."""
        child, self._child = self._child, None
        assert child is not None, "a process that was asked was there"
        with child:
            code = child.end(PATIENCE_SECONDS)
            printed = child.errors
        if code == -signal.SIGALRM:
            return f"it gave no answer within {limit:.0f} s"
        panic = re.search(r"panicked at [^\n]*\n(.+?)\n(?:note:|stack backtrace|\s*0:)", printed, re.DOTALL)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        said = tidy(panic.group(1) if panic else printed[-500:])
        return f"it crashed ({how})" + (f": {said}" if said else "")


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
