"""Measure and check every part of the program that uses CUDA, in eight minutes.

    python benchmarks/gpu.py [--wheels DIR] [--data DIR] [--only PART ...] [--device cpu --tiny]

Needs torch 2.11 to 2.13, numpy, onnx, onnxruntime, pillow, pyyaml, safetensors, nvidia-ml-py and this source tree.
It needs no Textual, psutil, tract, fonts or internet. Wheels in --wheels are installed into a temporary folder
first; with tract among them exports are checked in both engines. --data names a folder of record files, for example
from `kanji-tui sample`, to compare accuracies on.

Parts are independent: a failed part does not stop the others. A part is skipped when too little time is left.
Results are printed as they arrive; the last line is one JSON object {"device", "parts": [{"name", "state",
"seconds", ...}]} with the states ok, failed and not applicable. The exit code is 1 when a part failed. --device cpu
--tiny runs every part at its smallest size to test the script.
"""

import argparse
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LIMIT_SECONDS = 480.0
# Name, function in gpu_parts, and the seconds it needs; the most valuable first.
PARTS = (
    ("facts", "machine:facts", 20),
    ("training speed", "speed:speed", 90),
    ("extrapolations", "speed:extrapolations", 80),
    ("where the host waits", "speed:waiting", 20),
    ("preparation", "runs:preparation", 40),
    ("NVML", "telemetry:telemetry", 45),
    ("accuracy", "runs:accuracy", 75),
    ("resumption", "runs:resumption", 40),
    ("out of memory", "memory:out_of_memory", 20),
    ("torchrun", "together:together", 30),
    ("the same answers", "answers:answers", 25),
)
OK, FAILED, NOT_APPLICABLE = "ok", "failed", "not applicable"


def main() -> int:
    began = time.monotonic()
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="kanji-tui-gpu-") as name:
        folder = Path(name)
        use_sources(install(arguments.wheels, folder / "wheels") if arguments.wheels else [])
        from gpu_parts import Bench

        from kanji_tui.system.threads import prepare_process

        prepare_process()
        if arguments.device == "cpu":
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        if arguments.tiny:
            os.environ.setdefault("OMP_NUM_THREADS", "1")  # it is a test, and others are at work beside it
        import torch

        if arguments.device == "cuda" and not torch.cuda.is_available():
            print("torch sees no GPU here; to try the script out: --device cpu --tiny", file=sys.stderr)
            return 2
        device = torch.device("cuda", 0) if arguments.device == "cuda" else torch.device("cpu")
        bench = Bench(device, arguments.tiny, folder, arguments.data, say)
        parts = run_all(bench, arguments.only, began + LIMIT_SECONDS, name_of(torch, device))
    return 1 if any(part["state"] == FAILED for part in parts) else 0


def parse() -> argparse.Namespace:
    names = [name for name, _, _ in PARTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="everything as small as it can be")
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="wheels to install first")
    parser.add_argument("--data", type=Path, metavar="DIR", help="record files to train on")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="PART", help=", ".join(names))
    return parser.parse_args()


def install(wheels: Path, target: Path) -> list[str]:
    """Install every wheel of a folder, and nothing else, into `target`; returns where they can be imported from."""
    files = sorted(wheels.glob("*.whl"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--find-links", wheels]
    if files and subprocess.run([*pip, "--target", target, *files]).returncode == 0:
        return [str(target)]
    say(f"no wheel of {wheels} could be installed; it goes on without")
    return []


def use_sources(wheels: list[str]) -> None:
    """Let this process and those it starts import the program from the sources beside this script."""
    places = [str(HERE.parent), *wheels]
    sys.path[1:1] = places
    os.environ["PYTHONPATH"] = os.pathsep.join([*places, *filter(None, [os.environ.get("PYTHONPATH")])])


def run_all(bench: Any, wanted: list[str], end: float, device: str) -> list[dict[str, Any]]:
    """Every part wanted, in order; prints the JSON line at the end, or when a part hangs beyond it."""
    from kanji_tui.system.files import strict_json

    parts: list[dict[str, Any]] = []
    at_work = [""]

    def conclude() -> None:
        plain = json.loads(json.dumps({"device": device, "parts": parts}, default=str))
        print(strict_json(plain), flush=True)

    def give_up() -> None:
        for run in bench.kept.get("runs", []):
            run.request_stop()
        reason = f"it had not ended {LIMIT_SECONDS:.0f} s after the script began; what came after it was not run"
        parts.append({"name": at_work[0], "state": FAILED, "seconds": LIMIT_SECONDS, "reason": reason})
        conclude()
        os._exit(1)

    watch = threading.Timer(end + 30 - time.monotonic(), give_up)
    watch.daemon = True
    watch.start()
    for name, place, seconds in PARTS:
        if name in wanted:
            at_work[0] = name
            parts.append(run_part(bench, name, place, seconds, end))
    watch.cancel()
    conclude()
    return parts


def run_part(bench: Any, name: str, place: str, seconds: float, end: float) -> dict[str, Any]:
    """One part: its figures, or why there are none. It is begun only where the time it needs is left."""
    from gpu_parts import NotApplicable

    say(f"\n## {name}")
    began = time.monotonic()
    part: dict[str, Any] = {"name": name, "state": OK, "seconds": 0.0}
    try:
        if end - began < seconds:
            raise NotApplicable("no time left")
        bench.until, bench.found = end if bench.tiny else min(end, began + 1.5 * seconds), {}
        module, _, function = place.partition(":")
        found = getattr(import_module(f"gpu_parts.{module}"), function)(bench)
        part |= {**bench.found, **found}
    except NotApplicable as why:
        part |= {"state": NOT_APPLICABLE, "reason": str(why)}
    except Exception as error:
        part |= {
            **bench.found,
            "state": FAILED,
            "reason": f"{type(error).__name__}: {error}",
            "traceback": last_frames(error),
        }
    part["seconds"] = round(time.monotonic() - began, 2)
    say(f"{part['state']} after {part['seconds']:.1f} s{': ' + part['reason'] if 'reason' in part else ''}")
    say("\n".join(part.get("traceback", [])))
    free(bench)
    return part


def last_frames(error: BaseException, count: int = 6) -> list[str]:
    """Where it happened, innermost last: file, line, function, statement."""
    frames = traceback.extract_tb(error.__traceback__)[-count:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}: {frame.line}" for frame in frames]


def free(bench: Any) -> None:
    """Give back what the part held on the device: the next ones, and their processes, need it."""
    if bench.on_gpu:
        import torch

        gc.collect()
        with suppress(RuntimeError):  # of a device that no longer answers the next parts tell
            torch.cuda.empty_cache()


def name_of(torch: Any, device: Any) -> str:
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else "cpu"


def say(text: str) -> None:
    if text:
        print(text, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the run at work first, as Ctrl-C does
    sys.exit(main())
