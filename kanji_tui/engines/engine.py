"""Runs ONNX files in ONNX Runtime, tract or ONNX's reference evaluator, each in a child process, so that a crash
cannot end this process.

Support is found out by running: no table here says which operators an engine has.
"""

import math
import re
import signal
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType

import numpy as np

from kanji_tui.engines.engine_process import Arrays, receive, send
from kanji_tui.engines.messages import one_line, whole_file_reason
from kanji_tui.engines.results import OPENINGS, Latency
from kanji_tui.engines.web_runtime import pinned
from kanji_tui.system import numbers
from kanji_tui.system.child import Child

ENGINES = ("onnxruntime", "tract")
REFERENCE = "onnx"  # ONNX's reference evaluator, in NumPy: slow, and of ONNX's own operators only
WEB = "onnxruntime-web"  # see web_assembly.py
Outputs = list[np.ndarray | None]
LIMIT_SECONDS = 60.0
LATENCY_RUNS = 30
MOST_VALUES = 2**27  # of a made-up array: 1 GiB of float64
EXIT_SECONDS = 5.0  # time for the child to end by itself before it is killed
SERVER = "kanji_tui.engines.engine_process:main"


class EngineError(Exception):
    """An engine failed to run a model; the text is the engine's own message, or how its process ended.

    `in_run`: the model was opened and failed in its run, so another input may fit. `whole_file`: the engine reads
    no file of this IR version or opset. `failed`: the message of each opening that was tried.
    """

    def __init__(self, message: str, in_run: bool = False) -> None:
        reason = whole_file_reason(message)
        super().__init__(reason or message)
        self.in_run, self.whole_file = in_run, bool(reason)
        self.failed: dict[str, str] = {}


class OutOfTime(EngineError):
    """The engine did not answer within the limit."""


@dataclass(frozen=True)
class Answer:
    """The outputs of a run, its seconds, the opening that worked, and the messages of those that did not."""

    outputs: Outputs
    seconds: list[float]
    opening: str
    failed: dict[str, str]


class Engine:
    """One of ENGINES, or REFERENCE, in a child process, for a `with` block; a call after a crash restarts it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._child: Child | None = None
        self._worked: tuple[Path, str] | None = None  # the last model that ran, and its opening

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
        return self.answer(model, inputs, symbols or {}, limit).outputs

    def latency(self, model: Path, inputs: Arrays, symbols: dict[str, int] | None = None) -> Latency:
        """How long one run takes on one thread. Raises EngineError."""
        seconds = self.answer(model, inputs, symbols or {}, LIMIT_SECONDS, LATENCY_RUNS).seconds
        low, median, high = statistics.quantiles(seconds, n=4)
        shapes = {name: value.shape for name, value in inputs.items()}
        return Latency(median=median, spread=high - low, runs=len(seconds), threads=1, inputs=shapes)

    def answer(
        self,
        model: Path,
        inputs: Arrays,
        symbols: dict[str, int],
        limit: float = LIMIT_SECONDS,
        repeats: int = 1,
        openings: tuple[str, ...] = (),
    ) -> Answer:
        """Run `model` by the first of `openings` that works (default: all of this engine).

        Raises EngineError with the message of the last one.
        """
        order = list(openings or OPENINGS[self.name])
        worked = self._worked[1] if self._worked and self._worked[0] == model else ""
        order.sort(key=lambda opening: opening != worked)
        failed: dict[str, str] = {}
        in_run = False
        for opening in order:
            try:
                outputs, seconds = self._request(model, inputs, symbols, limit, repeats, opening)
            except EngineError as error:
                failed[opening] = str(error)
                in_run |= error.in_run
                if opening == order[-1] or isinstance(error, OutOfTime):
                    error.in_run, error.failed = in_run, failed
                    raise
            else:
                self._worked = model, opening
                return Answer(outputs, seconds, opening, failed)
        raise AssertionError("an engine has at least one opening")

    def _request(
        self, model: Path, inputs: Arrays, symbols: dict[str, int], limit: float, repeats: int, opening: str
    ) -> tuple[Outputs, list[float]]:
        child = self._child = self._child or Child(SERVER, self.name, pipes=True)
        request = {
            "model": str(model),
            "opening": opening,
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
            raise self._ended(limit)
        message, arrays = answer
        if "error" in message:
            raise EngineError(one_line(message["error"]), message["in_run"])
        found = iter(arrays)
        return [next(found) if tensor else None for tensor in message["tensors"]], message["seconds"]

    def _ended(self, limit: float) -> EngineError:
        """Why the child ended, from its exit code and output. Forgets the child: the next call restarts it."""
        child, self._child = self._child, None
        assert child is not None, "only called after a request to the child"
        with child:
            code = child.end(EXIT_SECONDS)
            printed = child.errors
        if code == -signal.SIGALRM:
            return OutOfTime(f"it did not answer within {limit:.0f} s")
        panic = re.search(r"panicked at [^\n]*\n(.+?)\n(?:note:|stack backtrace|\s*0:)", printed, re.DOTALL)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        message = one_line(panic.group(1) if panic else printed[-500:])
        return EngineError(f"it crashed ({how})" + (f": {message}" if message else ""))


def engine_version(name: str) -> str:
    """The installed version of an engine, "" if it is not installed."""
    if name == WEB:
        return f"{pinned().version}, WebAssembly in Node"
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def random_value(dtype: np.dtype, shape: tuple[int, ...], seed: int, integer: int = 1) -> np.ndarray:
    """A made-up input for any graph, the same for the same seed.

    Floats are uniform in 0-1, 8-bit integers 1 to 7, wider ones, which are indices, sizes and divisors, all
    `integer`. It shows whether an engine runs a graph, not how accurate a model is. Raises ValueError for an array
    of more than MOST_VALUES elements.
    """
    if math.prod(shape) > MOST_VALUES:
        raise ValueError(f"{numbers.shape(shape)} are too many values")
    generator = np.random.default_rng(seed)
    makers: dict[str, Callable[[], np.ndarray]] = {
        "f": lambda: generator.random(shape),
        "c": lambda: generator.random(shape) + 0j,
        "b": lambda: generator.integers(0, 2, shape),
        "U": lambda: np.full(shape, "a"),
        "O": lambda: np.full(shape, "a"),
    }
    if dtype.kind in makers:
        values = makers[dtype.kind]()
    else:
        values = generator.integers(1, 8, shape) if dtype.itemsize == 1 else np.full(shape, integer)
    return values if values.dtype.kind == "U" else values.astype(dtype)
