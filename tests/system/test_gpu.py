"""GPU queries through NVML: with the real library, and with a simulated one for other machines."""

import logging
import sys
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from kanji_tui.events import Gpu
from kanji_tui.system import gpu
from kanji_tui.system.gpu import GpuEnergy, read_driver, read_energy, read_gpus

GIB = 1024**3


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "_library", None)
    monkeypatch.setattr(gpu, "_logged", set())


def reason_of_the_real_library() -> str:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return str(error)
    return ""


def test_the_real_library_returns_values_or_a_reason() -> None:
    driver, gpus, reason = read_driver(), read_gpus(), reason_of_the_real_library()
    if reason:
        assert (gpus, driver.gpus, driver.reason) == ([], (), reason)
    else:
        assert driver.version == pynvml.nvmlSystemGetDriverVersion()
        assert len(driver.gpus) == len(gpus) == pynvml.nvmlDeviceGetCount()
        assert all(one.name == other.name for one, other in zip(driver.gpus, gpus, strict=True))


class Refusal(Exception):
    """The error that the simulated library raises instead of pynvml.NVMLError."""


class SimulatedLibrary:
    """Behaves like pynvml with values from a table; a value that is a Refusal is raised."""

    NVMLError = Refusal
    NVML_TEMPERATURE_GPU = 0
    NVML_DEVICE_MIG_ENABLE = 1

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "nvmlInit": None,
            "nvmlSystemGetDriverVersion": "580.65",
            "nvmlSystemGetCudaDriverVersion_v2": 13010,
            "nvmlDeviceGetCount": 1,
            "nvmlDeviceGetHandleByIndex": "gpu",
            "nvmlDeviceGetName": b"NVIDIA H200",
            "nvmlDeviceGetMigMode": [0, 0],
            "nvmlDeviceGetMaxMigDeviceCount": 7,
            "nvmlDeviceGetMigDeviceHandleByIndex": Refusal("Not Found"),
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=100 * GIB, free=60 * GIB, used=40 * GIB),
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=83, memory=10),
            "nvmlDeviceGetPowerUsage": 412_500,
            "nvmlDeviceGetTemperature": 61,
            "nvmlDeviceGetCudaComputeCapability": (9, 0),
            **answers,
        }

    def __getattr__(self, function: str) -> Any:
        if function not in self.answers:
            raise AttributeError(function)

        def answer(*arguments: Any) -> Any:
            value = self.answers[function]
            value = value(*arguments) if callable(value) else value
            if isinstance(value, Refusal):
                raise value
            return value

        return answer


def use(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", SimulatedLibrary(**answers))


def test_all_values_have_the_units_of_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)
    assert read_gpus() == [
        Gpu(
            index=0,
            name="NVIDIA H200",
            utilisation=0.83,
            memory_used=40 * GIB,
            memory_total=100 * GIB,
            power=412.5,
            temperature=61.0,
        )
    ]


def test_the_driver_and_its_gpus_are_described(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)
    driver = read_driver()
    assert (driver.version, driver.cuda, driver.reason) == ("580.65", "13.1", "")
    (facts,) = driver.gpus
    assert (facts.capability, facts.memory_total, facts.memory_free) == ("9.0", 100 * GIB, 60 * GIB)
    assert facts.mig is False


def test_with_mig_utilisation_is_none_with_a_reason_and_memory_is_that_of_the_instances(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instances = {0: "first", 3: "second"}
    sizes = {"first": (16 * GIB, 6 * GIB), "second": (32 * GIB, 1 * GIB)}
    use(
        monkeypatch,
        nvmlDeviceGetMigMode=[1, 1],
        nvmlDeviceGetMigDeviceHandleByIndex=lambda _, slot: instances.get(slot, Refusal("Not Found")),
        nvmlDeviceGetMemoryInfo=lambda handle: (
            SimpleNamespace(total=sizes[handle][0], used=sizes[handle][1])
            if handle in sizes
            else Refusal("Insufficient Permissions")
        ),
        nvmlDeviceGetUtilizationRates=Refusal("Not Supported"),
    )
    (now,) = read_gpus()
    assert now.utilisation is None
    assert now.reason == "utilisation (MIG is on): Not Supported"
    assert (now.memory_used, now.memory_total) == (7 * GIB, 48 * GIB)
    (facts,) = read_driver().gpus
    assert (facts.mig, facts.instances, facts.memory_free) == (True, 2, 41 * GIB)


def test_a_failed_query_gives_none_and_its_reason_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lost = Refusal("GPU is lost")
    use(
        monkeypatch,
        nvmlDeviceGetUtilizationRates=lost,
        nvmlDeviceGetPowerUsage=lost,
        nvmlDeviceGetTemperature=lost,
        nvmlDeviceGetMemoryInfo=lost,
        nvmlDeviceGetMigMode=Refusal("Not Supported"),
    )
    with caplog.at_level(logging.INFO):
        (first,) = read_gpus()
        logged = len(caplog.records)
        (second,) = read_gpus()
    assert first == second
    assert first.reason == "memory, utilisation, power, temperature: GPU is lost"
    assert (first.utilisation, first.power, first.temperature, first.memory_used) == (None, None, None, None)
    assert logged == 5
    assert len(caplog.records) == logged
    assert read_driver().gpus[0].mig is None


def test_a_function_missing_in_an_old_library_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    library = SimulatedLibrary()
    del library.answers["nvmlDeviceGetMigMode"], library.answers["nvmlDeviceGetPowerUsage"]
    monkeypatch.setitem(sys.modules, "pynvml", library)
    (now,) = read_gpus()
    assert now.power is None
    assert "power" in now.reason
    assert now.utilisation == 0.83


def test_a_driver_without_gpus_gives_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, nvmlDeviceGetCount=0)
    assert read_gpus() == []
    assert "no GPU" in read_driver().reason


def test_without_the_package_the_driver_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert read_gpus() == []
    assert "nvidia-ml-py" in read_driver().reason


def test_a_driver_that_is_loaded_later_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, nvmlInit=Refusal("Driver Not Loaded"))
    assert read_driver().reason == "Driver Not Loaded"
    use(monkeypatch)
    assert len(read_gpus()) == 1


def test_gpus_are_selected_by_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    use(
        monkeypatch,
        nvmlDeviceGetCount=3,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUUID=lambda index: f"GPU-{index}".encode(),
        nvmlDeviceGetTotalEnergyConsumption=lambda index: 1500 * index,
    )
    assert [gpu.index for gpu in read_gpus({"GPU-0", "GPU-2"})] == [0, 2]
    assert [gpu.index for gpu in read_gpus()] == [0, 1, 2]
    assert [(found.index, found.joules) for found in read_energy({"GPU-2"})] == [(2, 3.0)]
    assert read_energy({"GPU-7"}) == []


def test_energy_is_the_counter_else_the_power_else_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"nvmlDeviceGetUUID": "GPU-0", "nvmlDeviceGetTotalEnergyConsumption": Refusal("Not Supported")}
    use(monkeypatch, **answers)
    assert read_energy({"GPU-0"}) == [GpuEnergy(0, "NVIDIA H200", watts=412.5)]
    monkeypatch.setattr(gpu, "_library", None)
    use(monkeypatch, **answers, nvmlDeviceGetPowerUsage=Refusal("Not Supported"))
    assert read_energy({"GPU-0"}) == [GpuEnergy(0, "NVIDIA H200", reason="Not Supported")]
    monkeypatch.setattr(gpu, "_library", None)
    use(monkeypatch, nvmlInit=Refusal("Driver Not Loaded"))
    assert read_energy({"GPU-0"}) == []


@pytest.mark.parametrize(
    ("build", "visible", "expected"),
    [
        ("cuda: Optional[str] = '13.0'", None, True),
        ("cuda = '12.8'", "1,0", True),
        ("cuda = '12.8'", "GPU-5f3c0b1e", True),
        ("cuda = '12.8'", "", False),
        ("cuda = '12.8'", "-1", False),
        ("cuda: Optional[str] = None", None, False),
        ("hip = '6.4'\ncuda = None", None, False),
    ],
)
def test_torch_uses_a_gpu_if_it_is_built_for_cuda_and_the_gpu_is_visible(
    build: str, visible: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    use(monkeypatch)
    (tmp_path / "version.py").write_text(f"__version__ = '2.13.0'\n{build}\n")
    monkeypatch.setattr(gpu, "find_spec", lambda name: SimpleNamespace(submodule_search_locations=[str(tmp_path)]))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu.torch_uses_gpu() == expected
    monkeypatch.setattr(gpu, "read_gpus", list)
    assert not gpu.torch_uses_gpu()


def test_the_cuda_build_is_read_from_the_file_as_torch_reports_it() -> None:
    import torch

    assert gpu._built_for_cuda() == (torch.version.cuda is not None)
