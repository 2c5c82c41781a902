"""The process an engine lives in: it answers requests on stdin until stdin ends.

A panic inside tract aborts its whole process (Rust code called through C cannot unwind), and a strange graph can
make an engine divide by zero or run for ever. So engines never live in the process that asks: see `engines.py`.

A message, both ways: two big-endian 64-bit lengths, a JSON object, an .npz with arrays. Requests:
    {"model": path, "symbols": {name: size}, "inputs": [names], "limit": seconds, "repeats": n}   arrays: the inputs
Answers:
    {"tensors": [whether an output is a tensor], "seconds": [one per repeat]}   arrays: the outputs that are
    {"error": the engine's own words}
A request that takes longer than its limit ends the process by SIGALRM, whoever may still be listening.
"""

import io
import json
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from kanji_tui.system.child import take_stdout

Arrays = dict[str, np.ndarray]
Run = Callable[[list[np.ndarray]], list[Any]]
LENGTHS = struct.Struct(">QQ")
WARM_UP_RUNS = 3
REPEAT_SECONDS = 0.5
FEWEST_REPEATS = 5
SLOW_SECONDS = 5.0  # a run so slow that two of them must do


def send(stream: IO[bytes], message: dict[str, Any], arrays: list[np.ndarray]) -> None:
    """Write one message; BrokenPipeError where the other side has gone."""
    text = json.dumps(message).encode()
    packed = io.BytesIO()
    np.savez(packed, *arrays)
    body = packed.getbuffer()
    stream.write(LENGTHS.pack(len(text), len(body)))
    stream.write(text)
    stream.write(body)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[np.ndarray]] | None:
    """Read one message; None where the other side has gone."""
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


def open_onnxruntime(path: str, symbols: dict[str, int], inputs: Arrays) -> Run:
    """The model in ONNX Runtime on the CPU, one thread; sizes come with the inputs."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what matters is raised
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = list(inputs)
    return lambda values: session.run(None, dict(zip(names, values, strict=True)))


def open_tract(path: str, symbols: dict[str, int], inputs: Arrays) -> Run:
    """The model in tract. Symbols are bound after `into_model`: a runnable with free symbols is three times slower.

    Where that fails, inputs are given their whole shape first: a model with sizes that have no name.
    """
    import tract

    loaded = tract.onnx().load(path)
    order = [loaded.input_name(number) for number in range(loaded.input_count())]
    places = [list(inputs).index(name) for name in order]

    def with_input_shapes() -> Any:
        model = tract.onnx().load(path)
        for number, name in enumerate(order):
            model.set_input_fact(number, tract_fact(inputs[name]))
        return model.into_model().into_runnable()

    try:
        model = loaded.into_model()
        if symbols:
            model.transform(tract.SetSymbols(symbols))
        runnable = model.into_runnable()
    except tract.TractError as first:
        try:
            runnable = with_input_shapes()
        except tract.TractError:
            raise first from None
    return lambda values: [tract_array(found) for found in runnable.run([values[place] for place in places])]


def tract_array(tensor: Any) -> np.ndarray | None:
    """An output as an array; None for sizes, which tract computes as expressions and does not hand to Python."""
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


OPENERS = {"onnxruntime": open_onnxruntime, "tract": open_tract}


def repeat(run: Run, values: list[np.ndarray], repeats: int) -> tuple[list[Any], list[float]]:
    """The outputs, and the seconds of each run; repeated runs are warmed up and end after half a second."""
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


def as_npz_holds(array: np.ndarray) -> np.ndarray:
    """The array itself; strings, which come as Python objects, as NumPy's own."""
    return array.astype(str) if array.dtype == object else array


def serve(engine: str, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until the other side goes; the last opened model stays open for the next request."""
    opened: tuple[Any, ...] = ()
    run: Run | None = None
    while (request := receive(requests)) is not None:
        message, values = request
        signal.setitimer(signal.ITIMER_REAL, message["limit"])
        answer: dict[str, Any]
        try:
            wanted = (message["model"], message["symbols"], [(value.shape, value.dtype) for value in values])
            if run is None or wanted != opened:
                run = None
                run = OPENERS[engine](
                    message["model"], message["symbols"], dict(zip(message["inputs"], values, strict=True))
                )
                opened = wanted
            outputs, seconds = repeat(run, values, message["repeats"])
            tensors = [isinstance(output, np.ndarray) for output in outputs]
            answer = {"tensors": tensors, "seconds": seconds}
            found = [as_npz_holds(output) for output, tensor in zip(outputs, tensors, strict=True) if tensor]
        except Exception as error:  # whatever an engine raises is its answer
            answer, found = {"error": str(error) or type(error).__name__}, []
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(answers, answer, found)


def main(engine: str) -> None:
    """The child's beginning."""
    os.environ["RUST_BACKTRACE"] = "0"  # a panic's own words are enough
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with take_stdout() as answers:
        serve(engine, sys.stdin.buffer, answers)
