"""What there is: versions, driver, card; how fast it copies and multiplies."""

import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from gpu_parts import Bench, Figures
from kanji_tui.system.gpu import read_driver
from kanji_tui.system.machine import memory

PACKAGES = ("numpy", "onnx", "onnxruntime", "pillow", "pyyaml", "safetensors", "nvidia-ml-py", "psutil", "tract")
SECONDS = 1.0  # of each measurement


def facts(bench: Bench) -> Figures:
    """Versions, card and memory; bytes/s of a device-to-device copy; operations/s of a bfloat16 product."""
    found: Figures = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "packages": {name: _version(name) for name in PACKAGES},
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": memory().total,
        **(_card(bench.device) if bench.on_gpu else {"device": "cpu", "threads": torch.get_num_threads()}),
    }
    for name, figure in found.items():
        bench.say(f"{name}: {figure}")
    bandwidth, rate = rates(bench)
    bench.say(f"device-to-device copy, read and written: {bandwidth / 1e9:,.0f} GB/s")
    bench.say(f"bfloat16 matrices: {rate / 1e12:,.2f} TFLOP/s")
    return {**found, "copy_bytes_per_second": bandwidth, "bf16_operations_per_second": rate}


def rates(bench: Bench) -> tuple[float, float]:
    """`copy_rate` and `matrix_rate`, measured once."""
    if "rates" not in bench.kept:
        bench.kept["rates"] = (copy_rate(bench), matrix_rate(bench))
    found: tuple[float, float] = bench.kept["rates"]
    return found


def _card(device: torch.device) -> Figures:
    properties = torch.cuda.get_device_properties(device)
    driver = read_driver()
    return {
        "device": properties.name,
        "capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "device_memory_bytes": int(properties.total_memory),
        "device_memory_free_bytes": int(torch.cuda.mem_get_info(device)[0]),
        "l2_cache_bytes": getattr(properties, "L2_cache_size", None),
        "cuda_of_torch": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "driver": driver.version or driver.reason,
        "cuda_of_driver": driver.cuda,
        "mig": [gpu.mig for gpu in driver.gpus],
        "gpus": torch.cuda.device_count(),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def copy_rate(bench: Bench) -> float:
    """Bytes a second of a large copy within the device's memory; each byte counts twice, read and written."""
    size = 2**24 if bench.tiny else 2**31  # far more than any cache
    source = torch.ones(size, dtype=torch.uint8, device=bench.device)
    target = torch.empty_like(source)
    return 2 * size / _seconds(lambda: target.copy_(source), bench)


def matrix_rate(bench: Bench) -> float:
    """Operations a second (a multiplication and an addition are two) of a product of large bfloat16 matrices."""
    side = 256 if bench.tiny else 8192
    left, right = (torch.randn(side, side, device=bench.device).to(torch.bfloat16) for _ in range(2))
    target = torch.empty_like(left)
    return 2 * side**3 / _seconds(lambda: torch.matmul(left, right, out=target), bench)


def _seconds(work: Callable[[], Any], bench: Bench) -> float:
    """Seconds of one `work`: many at once between two looks at the clock, the device settled at both."""
    for _ in range(3):
        work()
    times, repeats = 0, 2 if bench.tiny else 20
    bench.settle()
    began = time.perf_counter()
    while times == 0 or (time.perf_counter() - began < SECONDS and not bench.tiny):
        for _ in range(repeats):
            work()
        bench.settle()
        times += repeats
    return (time.perf_counter() - began) / times
