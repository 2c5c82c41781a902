"""The child process that an engine runs in: it answers requests on stdin until stdin ends.

A panic in tract aborts its whole process (Rust code called through C cannot unwind), and some graphs make an engine
divide by zero or never end. So engines never run in the calling process: see `engine.py`.

A message, in both directions: two big-endian 64-bit lengths, a JSON object, an .npz with arrays. Requests:
    {"model": path, "opening": one of OPENINGS, "symbols": {name: size}, "inputs": [names], "limit": seconds,
     "repeats": n}   arrays: the inputs
Answers:
    {"tensors": [for each output, whether it is a tensor], "seconds": [one per repeat]}   arrays: those tensors
    {"error": the engine's own message, "in_run": whether the model was opened and another input might run}
A request that exceeds its limit ends the process by SIGALRM.
"""

import io
import json
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from kanji_tui.engines.results import AS_IT_IS, WITHOUT_SHAPES
from kanji_tui.system.child import take_stdout
from kanji_tui.system.folders import temporary_folder

Arrays = dict[str, np.ndarray]
Run = Callable[[list[np.ndarray]], list[Any]]
LENGTHS = struct.Struct(">QQ")
WARM_UP_RUNS = 3
REPEAT_SECONDS = 0.5
FEWEST_REPEATS = 5
SLOW_SECONDS = 5.0  # after this time two runs are enough


def send(stream: IO[bytes], message: dict[str, Any], arrays: list[np.ndarray]) -> None:
    """Write one message. Raises BrokenPipeError if the other process has ended."""
    text = json.dumps(message).encode()
    packed = io.BytesIO()
    np.savez(packed, *arrays)
    body = packed.getbuffer()
    stream.write(LENGTHS.pack(len(text), len(body)))
    stream.write(text)
    stream.write(body)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[np.ndarray]] | None:
    """Read one message; None if the other process has ended."""
    header = stream.read(LENGTHS.size)
    if len(header) < LENGTHS.size:
        return None
    text_length, body_length = LENGTHS.unpack(header)
    text, body = stream.read(text_length), stream.read(body_length)
    if len(body) < body_length:
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as packed:
        arrays = [packed[name] for name in packed.files]
    return json.loads(text), arrays


def open_onnxruntime(path: str, opening: str, symbols: dict[str, int], inputs: Arrays) -> Run:
    """Open the model in ONNX Runtime on the CPU, one thread; symbolic sizes follow from the inputs."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised as exceptions anyway
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = list(inputs)
    return lambda values: session.run(None, dict(zip(names, values, strict=True)))


def open_tract(path: str, opening: str, symbols: dict[str, int], inputs: Arrays) -> Run:
    """Open the model in tract.

    As it is, symbols are bound after `into_model`: a runnable with free symbols is 3x slower. The other openings
    give the input sizes before. The names that a file gives to its inner sizes may contradict those of its inputs;
    tract's author advises to drop them (sonos/tract issues 877 and 1030).
    """
    import tract

    with temporary_folder() as folder:
        loaded = tract.onnx().load(without_shapes(path, folder) if opening == WITHOUT_SHAPES else path)
    order = [loaded.input_name(number) for number in range(loaded.input_count())]
    positions = [list(inputs).index(name) for name in order]
    if opening != AS_IT_IS:
        for number, name in enumerate(order):
            loaded.set_input_fact(number, tract_fact(inputs[name]))
    model = loaded.into_model()
    if opening == AS_IT_IS and symbols:
        model.transform(tract.SetSymbols(symbols))
    runnable = model.into_runnable()
    return lambda values: [tract_array(output) for output in runnable.run([values[at] for at in positions])]


def without_shapes(path: str, folder: Path) -> str:
    """A copy of the model in `folder` without the shapes of its inner tensors and outputs."""
    from kanji_tui.engines.loading import write_without_shapes  # imports onnx, which other requests do not need

    return str(write_without_shapes(Path(path), folder))


def tract_array(tensor: Any) -> np.ndarray | None:
    """An output as an array; None for a TDim, a symbolic size, which tract cannot convert to NumPy."""
    from tract import TractError

    try:
        return np.asarray(tensor.to_numpy())
    except TractError as error:
        if "TDim" in str(error):
            return None
        raise


def tract_fact(value: np.ndarray) -> str:
    """Shape and type in tract's notation: 1,1,64,64,f32."""
    kind = "bool" if value.dtype.kind == "b" else f"{value.dtype.kind}{value.dtype.itemsize * 8}"
    return ",".join([*map(str, value.shape), kind])


def open_reference(path: str, opening: str, symbols: dict[str, int], inputs: Arrays) -> Run:
    """Open the model in ONNX's reference evaluator."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(path)
    names = list(inputs)

    def run(values: list[np.ndarray]) -> list[Any]:
        outputs = evaluator.run(None, dict(zip(names, values, strict=True)))
        return [np.asarray(output) if isinstance(output, np.generic) else output for output in outputs]

    return run


OPENERS = {"onnxruntime": open_onnxruntime, "tract": open_tract, "onnx": open_reference}


def opened_key(engine: str, message: dict[str, Any], values: list[np.ndarray]) -> tuple[Any, ...]:
    """What an open model is good for: another request with the same key needs no opening.

    ONNX Runtime takes inputs of any size, tract those it was opened for.
    """
    path = message["model"]
    written = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
    shapes = [(value.shape, value.dtype) for value in values] if engine == "tract" else []
    return path, written, message["opening"], message["symbols"], message["inputs"], shapes


def repeat(run: Run, values: list[np.ndarray], repeats: int) -> tuple[list[Any], list[float]]:
    """The outputs, and the seconds of each run. With repeats, warms up first and stops after half a second."""
    if repeats > 1:
        start = time.perf_counter()
        for _ in range(WARM_UP_RUNS):
            run(values)
            if time.perf_counter() - start > REPEAT_SECONDS:
                break
    seconds: list[float] = []
    while True:
        start = time.perf_counter()
        outputs = run(values)
        seconds.append(time.perf_counter() - start)
        enough = len(seconds) >= FEWEST_REPEATS and sum(seconds) > REPEAT_SECONDS
        if len(seconds) >= repeats or enough or (len(seconds) >= 2 and sum(seconds) > SLOW_SECONDS):
            return outputs, seconds


def without_objects(array: np.ndarray) -> np.ndarray:
    """The array; Python strings, which .npz cannot hold without pickle, become NumPy strings."""
    return array.astype(str) if array.dtype == object else array


def serve(engine: str, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests until stdin ends; the last model stays open for the next request."""
    opened: tuple[Any, ...] = ()
    run: Run | None = None
    while (request := receive(requests)) is not None:
        message, values = request
        signal.setitimer(signal.ITIMER_REAL, message["limit"])
        answer: dict[str, Any]
        try:
            wanted = opened_key(engine, message, values)
            if run is None or wanted != opened:
                run = None  # frees the last model before the next one is opened
                inputs = dict(zip(message["inputs"], values, strict=True))
                run = OPENERS[engine](message["model"], message["opening"], message["symbols"], inputs)
                opened = wanted
            outputs, seconds = repeat(run, values, message["repeats"])
            tensors = [isinstance(output, np.ndarray) for output in outputs]
            answer = {"tensors": tensors, "seconds": seconds}
            found = [without_objects(output) for output, tensor in zip(outputs, tensors, strict=True) if tensor]
        except Exception as error:  # whatever an engine raises is reported as its error
            in_run = run is not None and type(error).__name__ != "NotImplemented"
            answer, found = {"error": str(error) or type(error).__name__, "in_run": in_run}, []
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(answers, answer, found)


def main(engine: str) -> None:
    """Entry point of the child process."""
    os.environ["RUST_BACKTRACE"] = "0"  # the panic's message is enough
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with take_stdout() as answers:
        serve(engine, sys.stdin.buffer, answers)
