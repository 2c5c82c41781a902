"""Runs ONNX files in ONNX Runtime, tract or ONNX's reference evaluator, each in a child process, so that a crash
cannot end this process.

Support is found out by running: no table here says which operators an engine has.
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
REFERENCE = "onnx"  # ONNX's reference evaluator, in NumPy: slow, and of ONNX's own operators only
Outputs = list[np.ndarray | None]
LIMIT_SECONDS = 60.0
LATENCY_RUNS = 30
MESSAGE_CHARACTERS = 600  # longer messages of an engine are cut
EXIT_SECONDS = 5.0  # time for the child to end by itself before it is killed
SERVER = "kanji_tui.engines.engine_process:main"


class EngineError(Exception):
    """An engine failed to run a model; the text is the engine's own message, or how its process ended."""


class Engine:
    """One of ENGINES, or REFERENCE, in a child process, for a `with` block; a call after a crash restarts it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._child: Child | None = None

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._child is not None:
            self._child.end(EXIT_SECONDS)
            self._child.close()
            self._child = None

    def run(
        self,
        model: Path,
        inputs: Arrays,
        symbols: dict[str, int] | None = None,
        limit: float = LIMIT_SECONDS,
    ) -> Outputs:
        """Run `model` on `inputs` (by input name); returns its outputs in the model's order.

        `symbols` are the sizes of the inputs' symbolic dimensions. An output that is not a tensor is None. Raises
        EngineError with the engine's message.
        """
        outputs, _ = self._request(model, inputs, symbols or {}, limit, 1)
        return outputs

    def latency(self, model: Path, inputs: Arrays, symbols: dict[str, int] | None = None) -> Latency:
        """How long one run takes on one thread. Raises EngineError."""
        _, seconds = self._request(model, inputs, symbols or {}, LIMIT_SECONDS, LATENCY_RUNS)
        low, median, high = statistics.quantiles(seconds, n=4)
        shapes = {name: value.shape for name, value in inputs.items()}
        return Latency(median=median, spread=high - low, runs=len(seconds), threads=1, inputs=shapes)

    def _request(
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
            raise EngineError(self._exit_reason(limit))
        message, arrays = answer
        if "error" in message:
            raise EngineError(one_line(message["error"]))
        found = iter(arrays)
        return [next(found) if tensor else None for tensor in message["tensors"]], message["seconds"]

    def _exit_reason(self, limit: float) -> str:
        """Why the child ended, from its exit code and output. Forgets the child: the next call restarts it."""
        child, self._child = self._child, None
        assert child is not None, "only called after a request to the child"
        with child:
            code = child.end(EXIT_SECONDS)
            printed = child.errors
        if code == -signal.SIGALRM:
            return f"it did not answer within {limit:.0f} s"
        panic = re.search(r"panicked at [^\n]*\n(.+?)\n(?:note:|stack backtrace|\s*0:)", printed, re.DOTALL)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        message = one_line(panic.group(1) if panic else printed[-500:])
        return f"it crashed ({how})" + (f": {message}" if message else "")


def one_line(message: str) -> str:
    """An engine's message on one line, without stack traces and temporary paths."""
    message = re.split(r"\n\s*(?:Stack backtrace:|stack backtrace:)", message)[0]
    message = re.sub(r"Load model from \S+ failed:\s*", "", message)
    message = message.replace("Caused by:", "")
    lines = [re.sub(r"^\s*(?:\d+:\s+)?", "", line).strip() for line in message.splitlines()]
    joined = "; ".join(line for line in lines if line)
    return joined if len(joined) <= MESSAGE_CHARACTERS else joined[:MESSAGE_CHARACTERS] + " ..."


def engine_version(name: str) -> str:
    """The installed version of an engine, "" if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def random_value(dtype: np.dtype, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A random input for any graph: floats uniform in 0-1, integers 0 or 1, the same values for the same seed.

    It shows whether an engine runs a graph, not how accurate a model is.
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
