"""Runs ONNX files in ONNX Runtime Web: WebAssembly on one thread, in Node, where both are on this machine."""

import json
import shutil
import statistics
import subprocess
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.messages import one_line
from kanji_tui.engines.results import Latency
from kanji_tui.engines.web_runtime import cached

LIMIT_SECONDS = 60.0
REPEATS, REPEAT_SECONDS = 30, 0.5
MOST_BYTES = 2**30  # of a file: WebAssembly addresses 4 GiB, and holds it more than once
TYPES = frozenset(
    ("float16", "float32", "float64", "bool", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)))
)


@dataclass(frozen=True, eq=False)
class WebRun:
    """A run: the outputs and the latency, or the engine's own message why there are none."""

    outputs: list[np.ndarray]
    latency: Latency | None = None
    error: str = ""


def why_not(path: Path, inputs: Arrays) -> str:
    """Why this file cannot be run here on these inputs; "" if it can."""
    if shutil.which("node") is None:
        return "Node is not installed"
    if cached() is None:
        return "its runtime is not in the cache (kanji-tui export web --runtime npm fetches it)"
    if path.stat().st_size > MOST_BYTES:
        return "the file is too large"
    other = next((array.dtype.name for array in inputs.values() if array.dtype.name not in TYPES), "")
    return f"inputs of the type {other} are not given to it" if other else ""


def run_in_node(path: Path, inputs: Arrays) -> WebRun:
    """Run the file on the inputs, by name; only where `why_not` is empty."""
    runtime = cached()
    assert runtime is not None, "`why_not` says so"
    with TemporaryDirectory(prefix="kanji-wasm-") as name:
        folder = Path(name)
        shutil.copyfile(runtime / "ort.js", folder / "ort.mjs")
        (folder / "ort.wasm").symlink_to(runtime / "ort-wasm-simd-threaded.wasm")
        for number, array in enumerate(inputs.values()):
            (folder / f"input-{number}").write_bytes(np.ascontiguousarray(array).tobytes())
        described = [{"name": key, "type": array.dtype.name, "shape": array.shape} for key, array in inputs.items()]
        request = {"model": str(path.resolve()), "inputs": described, "repeats": REPEATS, "seconds": REPEAT_SECONDS}
        (folder / "request.json").write_text(json.dumps(request))
        with as_file(files("kanji_tui.engines") / "run_in_node.mjs") as script:
            try:
                # the Node that the user's PATH names; the words are the program's own, and no shell reads them
                done = subprocess.run(  # nosec B603 B607
                    ["node", str(script), name], capture_output=True, timeout=LIMIT_SECONDS
                )
            except subprocess.TimeoutExpired:
                return WebRun([], error=f"it did not answer within {LIMIT_SECONDS:.0f} s")
        if not (folder / "answer.json").is_file():
            printed = done.stderr.decode("utf-8", "replace")[-500:]
            return WebRun([], error=f"it crashed (exit code {done.returncode}): {one_line(printed)}")
        answer = json.loads((folder / "answer.json").read_text())
        if "error" in answer:
            return WebRun([], error=one_line(answer["error"]))
        outputs = [
            np.frombuffer((folder / f"output-{number}").read_bytes(), each["type"]).reshape(each["shape"])
            for number, each in enumerate(answer["outputs"])
        ]
    return WebRun(outputs, _latency(answer["seconds"], inputs))


def _latency(seconds: list[float], inputs: Arrays) -> Latency | None:
    if len(seconds) < 2:
        return None
    low, median, high = statistics.quantiles(seconds, n=4)
    shapes = {name: value.shape for name, value in inputs.items()}
    return Latency(median=median, spread=high - low, runs=len(seconds), threads=1, inputs=shapes)
