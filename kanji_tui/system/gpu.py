"""What the NVIDIA driver tells of its GPUs through NVML, its management library.

Every question goes through `_ask`: what the driver does not answer is None and the reason is kept, and logged
once. Without a driver there are no GPUs and `Driver.reason` says why. No torch here, and `pynvml` is imported on
the first question.
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

from kanji_tui.events import Gpu

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GpuFacts:
    """What one GPU is. Bytes; `capability` as "9.0"; `mig` None where the GPU has no such mode.

    With MIG on, memory is that of the `instances` this process may see, for they are all it can use.
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
    """The driver's `version` and the highest CUDA version it serves ("13.0"); empty, with `reason`, if absent."""

    version: str = ""
    cuda: str = ""
    gpus: tuple[GpuFacts, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class GpuEnergy:
    """`joules` since the driver was loaded; where the GPU has no such counter `watts` now; else only `reason`."""

    index: int
    name: str
    joules: float | None = None
    watts: float | None = None
    reason: str = ""


def read_gpus(uuids: Container[str] | None = None) -> list[Gpu]:
    """GPUs at this moment, as events: all, or those with these UUIDs. Empty without a driver.

    Takes about a millisecond a GPU.
    """
    library, _ = _open()
    if library is None:
        return []
    return [_moment(library, index, handle) for index, handle in _handles(library, uuids)]


def read_energy(uuids: Container[str]) -> list[GpuEnergy]:
    """What the GPUs with these UUIDs ("GPU-0123...") have used. Under MIG only `reason`: the counter is all's."""
    library, _ = _open()
    if library is None:
        return []
    return [_energy(library, index, handle) for index, handle in _handles(library, uuids)]


def torch_uses_gpu() -> bool:
    """Whether torch will compute on a GPU here; asked without importing it.

    The driver shows one, CUDA_VISIBLE_DEVICES does not hide them all, and torch is built for CUDA.
    """
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    return first not in ("", "-1") and _built_for_cuda() and bool(read_gpus())


def _built_for_cuda() -> bool:
    """What torch/version.py says: "cuda: Optional[str] = '13.0'", or None in a CPU build."""
    found = find_spec("torch")
    if found is None or not found.submodule_search_locations:
        return False
    text = Path(found.submodule_search_locations[0], "version.py").read_text(encoding="utf-8")
    return re.search(r"^cuda\b[^=]*= *['\"]", text, re.MULTILINE) is not None


def read_driver() -> Driver:
    """The driver and what its GPUs are; `free` memory is that of this moment."""
    library, reason = _open()
    if library is None:
        return Driver(reason=reason)
    version, _ = _ask(library, "nvmlSystemGetDriverVersion")
    cuda, _ = _ask(library, "nvmlSystemGetCudaDriverVersion_v2")
    gpus = tuple(_facts(library, index, handle) for index, handle in _handles(library))
    return Driver(
        version=_text(version),
        cuda=f"{cuda // 1000}.{cuda % 1000 // 10}" if cuda else "",
        gpus=gpus,
        reason="" if gpus else "the driver runs but shows no GPU to this process",
    )


class _Questions:
    """Questions about one GPU; the reasons of those left open gather in `reasons`."""

    def __init__(self, library: ModuleType, handle: Any) -> None:
        self._library, self._handle = library, handle
        self._open: dict[str, list[str]] = {}

    def ask(self, what: str, function: str, *arguments: Any) -> Any:
        answer, reason = _ask(self._library, function, self._handle, *arguments)
        if reason:
            self._open.setdefault(reason, []).append(what)
        return answer

    @property
    def reasons(self) -> str:
        """`utilisation: Not Supported; power, temperature: GPU is lost`; empty when all was answered."""
        return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in self._open.items())


def _moment(library: ModuleType, index: int, handle: Any) -> Gpu:
    gpu = _Questions(library, handle)
    mig, instances = _mig(library, handle)
    used, total = _memory(library, gpu, instances)
    load = gpu.ask("utilisation (MIG is on)" if mig else "utilisation", "nvmlDeviceGetUtilizationRates")
    milliwatts = gpu.ask("power", "nvmlDeviceGetPowerUsage")
    degrees = gpu.ask("temperature", "nvmlDeviceGetTemperature", library.NVML_TEMPERATURE_GPU)
    return Gpu(
        index=index,
        name=_text(gpu.ask("name", "nvmlDeviceGetName")) or "unknown GPU",
        utilisation=None if load is None else load.gpu / 100,
        memory_used=used,
        memory_total=total,
        power=None if milliwatts is None else milliwatts / 1000,
        temperature=None if degrees is None else float(degrees),
        reason=gpu.reasons,
    )


def _energy(library: ModuleType, index: int, handle: Any) -> GpuEnergy:
    name = _text(_ask(library, "nvmlDeviceGetName", handle)[0]) or "unknown GPU"
    if _mig(library, handle)[0]:
        return GpuEnergy(index, name, reason="MIG is on, and the counter is that of the whole GPU")
    millijoules, reason = _ask(library, "nvmlDeviceGetTotalEnergyConsumption", handle)
    if millijoules is not None:
        return GpuEnergy(index, name, joules=millijoules / 1000)
    milliwatts, _ = _ask(library, "nvmlDeviceGetPowerUsage", handle)
    if milliwatts is not None:
        return GpuEnergy(index, name, watts=milliwatts / 1000)
    return GpuEnergy(index, name, reason=reason)


def _facts(library: ModuleType, index: int, handle: Any) -> GpuFacts:
    gpu = _Questions(library, handle)
    mig, instances = _mig(library, handle)
    used, total = _memory(library, gpu, instances)
    capability = gpu.ask("capability", "nvmlDeviceGetCudaComputeCapability")
    return GpuFacts(
        index=index,
        name=_text(gpu.ask("name", "nvmlDeviceGetName")) or "unknown GPU",
        capability=f"{capability[0]}.{capability[1]}" if capability else None,
        memory_total=total,
        memory_free=None if used is None or total is None else total - used,
        mig=mig,
        instances=len(instances),
        reason=gpu.reasons,
    )


def _mig(library: ModuleType, handle: Any) -> tuple[bool | None, list[Any]]:
    """Whether MIG is on (None: the GPU has no such mode), and the handles of the instances seen from here."""
    mode, _ = _ask(library, "nvmlDeviceGetMigMode", handle)
    if mode is None:
        return None, []
    if mode[0] != library.NVML_DEVICE_MIG_ENABLE:
        return False, []
    slots, _ = _ask(library, "nvmlDeviceGetMaxMigDeviceCount", handle)
    found = (_ask(library, "nvmlDeviceGetMigDeviceHandleByIndex", handle, slot)[0] for slot in range(slots or 0))
    return True, [instance for instance in found if instance is not None]


def _memory(library: ModuleType, gpu: _Questions, instances: list[Any]) -> tuple[int | None, int | None]:
    """(used, total) bytes, of the MIG instances where there are any."""
    if not instances:
        memory = gpu.ask("memory", "nvmlDeviceGetMemoryInfo")
        return (None, None) if memory is None else (int(memory.used), int(memory.total))
    parts = [_Questions(library, instance).ask("memory", "nvmlDeviceGetMemoryInfo") for instance in instances]
    known = [part for part in parts if part is not None]
    if not known:
        return None, None
    return sum(int(part.used) for part in known), sum(int(part.total) for part in known)


def _handles(library: ModuleType, uuids: Container[str] | None = None) -> list[tuple[int, Any]]:
    count, _ = _ask(library, "nvmlDeviceGetCount")
    asked = ((index, _ask(library, "nvmlDeviceGetHandleByIndex", index)[0]) for index in range(count or 0))
    found = [(index, handle) for index, handle in asked if handle is not None]
    if uuids is None:
        return found
    return [
        (index, handle) for index, handle in found if _text(_ask(library, "nvmlDeviceGetUUID", handle)[0]) in uuids
    ]


_lock = Lock()
_library: ModuleType | None = None
_logged: set[tuple[str, str]] = set()


def _open() -> tuple[ModuleType | None, str]:
    """The initialised library, or None and why; asked again each time until a driver is there."""
    global _library
    with _lock:
        if _library is None:
            try:
                import pynvml
            except ImportError as error:
                return None, f"the package nvidia-ml-py cannot be imported ({error})"
            _, reason = _ask(pynvml, "nvmlInit")
            if reason:
                return None, reason
            _library = pynvml
        return _library, ""


def _ask(library: ModuleType, function: str, *arguments: Any) -> tuple[Any, str]:
    """The answer of one NVML function and "", or None and the driver's reason."""
    try:
        return getattr(library, function)(*arguments), ""
    except (library.NVMLError, AttributeError) as error:
        reason = str(error)
        if (function, reason) not in _logged:
            _logged.add((function, reason))
            log.info("%s: %s", function, reason)
        return None, reason


def _text(value: Any) -> str:
    """Older releases of pynvml answer in bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if value else ""
