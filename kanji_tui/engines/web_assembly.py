"""Runs ONNX files in ONNX Runtime Web: WebAssembly on one thread, in Node, where both are on this machine."""

import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

import numpy as np

from kanji_tui.engines.engine import LIMIT_SECONDS, WEB, Answer, Engine, EngineError, OutOfTime, Outputs
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.messages import one_line
from kanji_tui.engines.results import AS_IT_IS
from kanji_tui.engines.web_runtime import cached
from kanji_tui.system.folders import temporary_folder

REPEAT_SECONDS = 0.5  # for warming up, and for timing
MOST_BYTES = 2**30  # of a file: WebAssembly addresses 4 GiB, and holds it more than once
TYPES = frozenset(
    ("float16", "float32", "float64", "bool", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)))
)


def can_run() -> bool:
    """Whether Node is installed, and the runtime in the cache: kanji-tui export web --runtime npm fetches it."""
    return shutil.which("node") is not None and cached() is not None


def why_not(path: Path, inputs: Arrays) -> str:
    """Why this file cannot be run here on these inputs; "" if it can."""
    if not can_run():
        return "Node or its runtime is not on this machine"
    if path.stat().st_size > MOST_BYTES:
        return "the file is too large"
    other = next((array.dtype.name for array in inputs.values() if array.dtype.name not in TYPES), "")
    return f"inputs of the type {other} are not given to it" if other else ""


class WebEngine(Engine):
    """ONNX Runtime Web as one of the engines, for a `with` block; a call after a crash starts it again."""

    def __init__(self) -> None:
        super().__init__(WEB)
        self._process: subprocess.Popen[bytes] | None = None
        self._temporary = contextlib.ExitStack()
        self._folder = self._temporary.enter_context(temporary_folder())

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()
        self._temporary.close()

    def answer(
        self,
        model: Path,
        inputs: Arrays,
        symbols: dict[str, int],
        limit: float = LIMIT_SECONDS,
        repeats: int = 1,
        openings: tuple[str, ...] = (),
    ) -> Answer:
        """Run `model` once, and with `repeats` above 1 again to time it. Raises EngineError with its message."""
        if reason := why_not(model, inputs):
            raise EngineError(reason)
        with TemporaryDirectory(dir=self._folder) as name:
            folder = Path(name)
            write_request(folder, model, inputs, repeats if repeats > 1 else 0)
            self._ask(folder, limit)
            answer = json.loads((folder / "answer.json").read_text())
            if "error" in answer:
                raise EngineError(one_line(answer["error"]))
            outputs: Outputs = [
                np.frombuffer((folder / f"output-{number}").read_bytes(), each["type"]).reshape(each["shape"])
                for number, each in enumerate(answer["outputs"])
            ]
        return Answer(outputs, answer["seconds"], AS_IT_IS, {})

    def _ask(self, folder: Path, limit: float) -> None:
        """Let Node answer the request in a folder."""
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(f"{folder}\n".encode())
            process.stdin.flush()
        deadline, printed = time.monotonic() + limit, b""
        while not printed.endswith(b"done\n"):
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self._end()
                raise OutOfTime(f"it did not answer within {limit:.0f} s")
            part = os.read(process.stdout.fileno(), 65_536)
            if not part:
                code = self._end()
                raise EngineError(f"it crashed (exit code {code}): {one_line(printed.decode('utf-8', 'replace'))}")
            printed = (printed + part)[-2000:]

    def _start(self) -> "subprocess.Popen[bytes]":
        runtime, folder = cached(), self._folder
        assert runtime is not None, "`why_not` says so"
        shutil.copyfile(runtime / "ort.js", folder / "ort.mjs")  # the name tells Node that it is a module
        with contextlib.suppress(FileExistsError):
            (folder / "ort.wasm").symlink_to((runtime / "ort-wasm-simd-threaded.wasm").resolve())
        with as_file(files("kanji_tui.engines") / "run_in_node.mjs") as script:
            shutil.copyfile(script, folder / "run.mjs")
        # A fixed program of ours; files are named to it in JSON, never on its command line.
        return subprocess.Popen(  # nosec B603 B607
            ["node", str(folder / "run.mjs"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _end(self) -> int:
        """End Node; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):  # it has ended by itself
            process.wait(0.1)
        process.kill()
        process.communicate()
        return process.returncode


def write_request(folder: Path, model: Path, inputs: Arrays, repeats: int) -> None:
    """Write what run_in_node.mjs reads; `repeats` 0: the runs are not timed."""
    for number, array in enumerate(inputs.values()):
        (folder / f"input-{number}").write_bytes(np.ascontiguousarray(array).tobytes())
    described = [{"name": name, "type": array.dtype.name, "shape": array.shape} for name, array in inputs.items()]
    timing = {"repeats": repeats, "seconds": REPEAT_SECONDS}
    request = {"model": str(model.resolve()), "inputs": described, **timing}
    (folder / "request.json").write_text(json.dumps(request))
