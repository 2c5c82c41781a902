"""Queries NVIDIA GPUs through NVML, the management library of the driver.

Every query goes through `_query`: a value that the driver does not report is None, and the reason is kept and
logged once. Without a driver there are no GPUs, and `Driver.reason` says why. This module does not import torch,
and it imports `pynvml` only at the first query.
"""

import logging
import os
import re
from collections.abc import Container
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

from kanji_tui.errors import KanjiError, first_line
from kanji_tui.events import Gpu

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GpuFacts:
    """The properties of one GPU. Memory in bytes; `capability` as "9.0"; `mig` None where the GPU has no MIG mode.

    With MIG on, memory is that of the `instances` visible to this process, because it can use no other.
    """

    index: int
    name: str
    capability: str | None
    memory_total: int | None
    memory_free: int | None
    mig: bool | None
    instances: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Driver:
    """The driver's `version` and the highest CUDA version it supports ("13.0"); empty, with `reason`, if absent."""

    version: str = ""
    cuda: str = ""
    gpus: tuple[GpuFacts, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class GpuEnergy:
    """`joules` since the driver was loaded; without that counter, the current `watts`; without both, `reason`."""

    index: int
    name: str
    joules: float | None = None
    watts: float | None = None
    reason: str = ""


# How errors of CUDA and its libraries begin, as PyTorch and ONNX Runtime pass them on.
GPU_ERRORS = re.compile(
    "CUDA (error|out of memory|driver|failure)|cuDNN error|CUBLAS_STATUS|CUDNN_STATUS|NCCL error"
)


def gpu_failure(error: BaseException) -> KanjiError | None:
    """The sentence for an error of the GPU, its driver or its libraries; None for any other error."""
    if not isinstance(error, RuntimeError) or not GPU_ERRORS.search(str(error)):
        return None
    if "out of memory" in str(error):
        remedy = "free some of it (nvidia-smi shows who holds it), and run the same command again"
        return KanjiError(f"the GPU's memory ended: {first_line(error)}", remedy)
    return KanjiError(
        f"the GPU failed: {first_line(error)}",
        "see nvidia-smi and dmesg; a training goes on from its last checkpoint: kanji-tui train --resume RUN",
    )


def read_gpus(uuids: Container[str] | None = None) -> list[Gpu]:
    """The current values of all GPUs, or of those with these UUIDs, as events. Empty without a driver.

    Takes about a millisecond per GPU.
    """
    library, _ = _open()
    if library is None:
        return []
    return [_values(library, index, handle) for index, handle in _handles(library, uuids)]


def read_energy(uuids: Container[str]) -> list[GpuEnergy]:
    """The energy used by the GPUs with these UUIDs ("GPU-0123..."). With MIG there is only a reason."""
    library, _ = _open()
    if library is None:
        return []
    return [_energy(library, index, handle) for index, handle in _handles(library, uuids)]


def torch_uses_gpu() -> bool:
    """Whether torch will compute on a GPU, found without importing it.

    True where the driver shows a GPU, CUDA_VISIBLE_DEVICES does not hide all, and torch is built for CUDA.
    """
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    return first not in ("", "-1") and _built_for_cuda() and bool(read_gpus())


def _built_for_cuda() -> bool:
    """Whether torch/version.py names a CUDA version ("cuda: Optional[str] = '13.0'"); a CPU build has None."""
    found = find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return False
    text = Path(found.submodule_search_locations[0], "version.py").read_text(encoding="utf-8")
    return re.search(r"^cuda\b[^=]*= *['\"]", text, re.MULTILINE) is not None


def read_driver() -> Driver:
    """The driver and the properties of its GPUs; free memory is the current value."""
    library, reason = _open()
    if library is None:
        return Driver(reason=reason)
    version, _ = _query(library, "nvmlSystemGetDriverVersion")
    cuda, _ = _query(library, "nvmlSystemGetCudaDriverVersion_v2")
    gpus = tuple(_facts(library, index, handle) for index, handle in _handles(library))
    return Driver(
        version=_text(version),
        cuda=f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else "",
        gpus=gpus,
        reason="" if gpus else "the driver runs but shows no GPU to this process",
    )


class _Queries:
    """Queries about one GPU, which collect the reasons of those that fail."""

    def __init__(self, library: ModuleType, handle: Any) -> None:
        self._library, self._handle = library, handle
        self._failed: dict[str, list[str]] = {}

    def query(self, name: str, function: str, *arguments: Any) -> Any:
        value, reason = _query(self._library, function, self._handle, *arguments)
        if reason:
            self._failed.setdefault(reason, []).append(name)
        return value

    @property
    def reasons(self) -> str:
        """`utilisation: Not Supported; power, temperature: GPU is lost`; empty when no query failed."""
        return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in self._failed.items())


def _values(library: ModuleType, index: int, handle: Any) -> Gpu:
    gpu = _Queries(library, handle)
    mig, instances = _mig(library, handle)
    used, total = _memory(library, gpu, instances)
    load = gpu.query("utilisation (MIG is on)" if mig else "utilisation", "nvmlDeviceGetUtilizationRates")
    milliwatts = gpu.query("power", "nvmlDeviceGetPowerUsage")
    degrees = gpu.query("temperature", "nvmlDeviceGetTemperature", library.NVML_TEMPERATURE_GPU)
    return Gpu(
        index=index,
        name=_text(gpu.query("name", "nvmlDeviceGetName")) or "unknown GPU",
        utilisation=None if load is None else load.gpu / 100,
        memory_used=used,
        memory_total=total,
        power=None if milliwatts is None else milliwatts / 1000,
        temperature=None if degrees is None else float(degrees),
        reason=gpu.reasons,
    )


def _energy(library: ModuleType, index: int, handle: Any) -> GpuEnergy:
    name = _text(_query(library, "nvmlDeviceGetName", handle)[0]) or "unknown GPU"
    if _mig(library, handle)[0]:
        return GpuEnergy(index, name, reason="MIG is on, and the energy counter is that of the whole GPU")
    millijoules, reason = _query(library, "nvmlDeviceGetTotalEnergyConsumption", handle)
    if millijoules is not None:
        return GpuEnergy(index, name, joules=millijoules / 1000)
    milliwatts, _ = _query(library, "nvmlDeviceGetPowerUsage", handle)
    if milliwatts is not None:
        return GpuEnergy(index, name, watts=milliwatts / 1000)
    return GpuEnergy(index, name, reason=reason)


def _facts(library: ModuleType, index: int, handle: Any) -> GpuFacts:
    gpu = _Queries(library, handle)
    mig, instances = _mig(library, handle)
    used, total = _memory(library, gpu, instances)
    capability = gpu.query("capability", "nvmlDeviceGetCudaComputeCapability")
    return GpuFacts(
        index=index,
        name=_text(gpu.query("name", "nvmlDeviceGetName")) or "unknown GPU",
        capability=f"{capability[0]}.{capability[1]}" if capability else None,
        memory_total=total,
        memory_free=None if used is None or total is None else total - used,
        mig=mig,
        instances=len(instances),
        reason=gpu.reasons,
    )


def _mig(library: ModuleType, handle: Any) -> tuple[bool | None, list[Any]]:
    """Whether MIG is on (None: the GPU has no MIG mode), and the handles of the instances that are visible."""
    mode, _ = _query(library, "nvmlDeviceGetMigMode", handle)
    if mode is None:
        return None, []
    if mode[0] != library.NVML_DEVICE_MIG_ENABLE:
        return False, []
    slots, _ = _query(library, "nvmlDeviceGetMaxMigDeviceCount", handle)
    found = (_query(library, "nvmlDeviceGetMigDeviceHandleByIndex", handle, slot)[0] for slot in range(slots or 0))
    return True, [instance for instance in found if instance is not None]


def _memory(library: ModuleType, gpu: _Queries, instances: list[Any]) -> tuple[int | None, int | None]:
    """(used, total) bytes of the GPU, or of its MIG instances where there are any."""
    if not instances:
        memory = gpu.query("memory", "nvmlDeviceGetMemoryInfo")
        return (None, None) if memory is None else (int(memory.used), int(memory.total))
    parts = [_Queries(library, instance).query("memory", "nvmlDeviceGetMemoryInfo") for instance in instances]
    known = [part for part in parts if part is not None]
    if not known:
        return None, None
    return sum(int(part.used) for part in known), sum(int(part.total) for part in known)


def _handles(library: ModuleType, uuids: Container[str] | None = None) -> list[tuple[int, Any]]:
    count, _ = _query(library, "nvmlDeviceGetCount")
    handles = ((index, _query(library, "nvmlDeviceGetHandleByIndex", index)[0]) for index in range(count or 0))
    found = [(index, handle) for index, handle in handles if handle is not None]
    if uuids is None:
        return found
    return [
        (index, handle)
        for index, handle in found
        if _text(_query(library, "nvmlDeviceGetUUID", handle)[0]) in uuids
    ]


_lock = Lock()
_library: ModuleType | None = None
_logged: set[tuple[str, str]] = set()


def _open() -> tuple[ModuleType | None, str]:
    """The initialised library, or None and the reason; tries again on each call until there is a driver."""
    global _library
    with _lock:
        if _library is None:
            try:
                import pynvml
            except ImportError as error:
                return None, f"the package nvidia-ml-py cannot be imported ({error})"
            _, reason = _query(pynvml, "nvmlInit")
            if reason:
                return None, reason
            _library = pynvml
        return _library, ""


def _query(library: ModuleType, function: str, *arguments: Any) -> tuple[Any, str]:
    """The value of one NVML function and "", or None and the driver's reason."""
    try:
        return getattr(library, function)(*arguments), ""
    except (library.NVMLError, AttributeError) as error:
        reason = str(error)
        if (function, reason) not in _logged:
            _logged.add((function, reason))
            log.info("%s: %s", function, reason)
        return None, reason


def _text(value: Any) -> str:
    """The value as text: older releases of pynvml return bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if value else ""
