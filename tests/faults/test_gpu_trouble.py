"""Trouble with the GPU at the borders to NVML and to PyTorch: a reason or a sentence, and the checkpoint stays.

Memory that ends in forward, backward, optimiser and scoring: tests/training/test_step.py and test_on_gpu.py.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kanji_tui.events import Epoch, Event, Failure
from kanji_tui.jobs.train import Spec
from kanji_tui.networks.devices import unused_gpu
from kanji_tui.runs.event_log import all_events
from kanji_tui.runs.process import entry_of, run_in
from kanji_tui.runs.run_directory import create
from kanji_tui.system import gpu
from kanji_tui.system.gpu import gpu_failure, read_driver, read_energy, read_gpus
from kanji_tui.system.plain_data import to_plain
from kanji_tui.system.torch_facts import TorchDevice, TorchFacts, _ask_torch
from kanji_tui.training import step
from kanji_tui.training.config import configure
from tests.simulated_gpu import machine_with_gpu
from tests.system.test_gpu import Refusal, SimulatedLibrary, use

# As the driver words them, after an update without a reboot, a fall off the bus, a fault of the memory, a full job.
REASONS = (
    "Driver/library version mismatch",
    "GPU is lost",
    "GPU requires reset",
    "Unknown Error",
    "Insufficient Permissions",
)


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("function", SimulatedLibrary().answers)
def test_each_query_may_fail_with_each_reason(monkeypatch, function, reason):
    monkeypatch.setattr(gpu, "_library", None)
    monkeypatch.setattr(gpu, "_logged", set())
    use(monkeypatch, nvmlDeviceGetUUID="GPU-1", **{function: Refusal(reason)})
    driver, values, energy = read_driver(), read_gpus(), read_energy({"GPU-1"})
    if function == "nvmlInit":
        assert (driver.reason, values, energy) == (reason, [], [])
    elif function in ("nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"):
        assert driver.reason
        assert values == []
    else:
        assert len(values) == len(driver.gpus) == 1
        assert all(
            0 <= value.memory_used <= value.memory_total for value in values if value.memory_used is not None
        )


@pytest.fixture
def nvml_shows_a_gpu(monkeypatch) -> None:
    monkeypatch.setattr(gpu, "_library", None)
    monkeypatch.setattr(gpu, "_logged", set())
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    use(monkeypatch)


def facts_of(build: str | None, reason: str = "", devices: int = 0) -> TorchFacts:
    device = TorchDevice("NVIDIA H200", "9.0", 2**37, True, "")
    return TorchFacts("2.13.0", build, (device,) * devices, 4, reason, 1.0)


@pytest.mark.parametrize(
    ("facts", "hidden", "words", "remedy"),
    [
        (facts_of(None), None, "torch is a CPU build and does not use the GPU", "whl/cu130"),
        (facts_of("14.0"), None, "built for CUDA 14.0, the driver supports at most 13.1", "whl/cu130"),
        (facts_of("13.0"), "", "sees no GPU: CUDA_VISIBLE_DEVICES is ''", "unset CUDA_VISIBLE_DEVICES"),
        (facts_of("13.0"), "-1", "sees no GPU: CUDA_VISIBLE_DEVICES is '-1'", "unset CUDA_VISIBLE_DEVICES"),
        (facts_of("13.0", "no device nodes"), None, "sees no GPU: no device nodes", "nvidia-smi"),
    ],
)
def test_preflight_says_why_torch_does_not_use_the_gpu(
    kanji_tui, forked_children, monkeypatch, nvml_shows_a_gpu, facts, hidden, words, remedy
):
    """What happened and what to type, on the command line; the screen shows the same checks."""
    monkeypatch.setattr("kanji_tui.system.torch_facts.read", lambda child: facts)
    if hidden is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    ended = kanji_tui("preflight", "--json")
    (check,) = [check for check in json.loads(ended.stdout)["checks"] if check["name"] == "torch and CUDA"]
    assert check["verdict"] == "warning"
    assert words in check["found"]
    assert remedy in check["remedy"]
    shown = kanji_tui("preflight").stdout
    assert words.split(":")[0] in " ".join(shown.split())


def test_preflight_with_a_gpu_that_torch_uses_has_nothing_to_say(
    kanji_tui, forked_children, monkeypatch, nvml_shows_a_gpu
):
    with machine_with_gpu():
        facts = _ask_torch()
    monkeypatch.setattr("kanji_tui.system.torch_facts.read", lambda child: replace(facts, cuda_build="13.0"))
    checks = {check["name"]: check for check in json.loads(kanji_tui("preflight", "--json").stdout)["checks"]}
    assert checks["torch and CUDA"]["verdict"] == checks["torch on cuda:0"]["verdict"] == "ok"


def test_a_training_says_that_it_does_not_use_the_gpu(nvml_shows_a_gpu):
    assert "NVIDIA H200: not used" in unused_gpu() or torch.cuda.is_available()
    with machine_with_gpu():
        assert unused_gpu() == ""


class FailsAtTheEnd:
    """A console that breaks the GPU once the first epoch has ended."""

    directory: Path | None = None

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: RuntimeError) -> None:
        self._patched, self._error = monkeypatch, error

    def __call__(self, event: Event) -> None:
        if isinstance(event, Epoch):

            def broken(*_: object) -> None:
                raise self._error

            self._patched.setattr(step, "augment", broken)

    def stop_requested(self) -> bool:
        return False


def test_a_gpu_that_is_lost_while_training_is_a_sentence_and_the_checkpoint_stays(
    sample_dataset, tmp_path, monkeypatch
):
    error = RuntimeError("CUDA error: unspecified launch failure\nCUDA kernel errors might be reported later")
    config = configure(network="v1", recipe="standard", epochs=2, batch_size=16)
    spec = Spec(sample_dataset, tmp_path / "models", config)
    run = create("train", entry_of("train"), to_plain(spec), tmp_path / "models" / "runs")
    with monkeypatch.context() as patched:
        assert run_in(run, FailsAtTheEnd(patched, error)) == 1
    (failure,) = [event for _, event in all_events(run.events) if isinstance(event, Failure)]
    assert failure.message == "the GPU failed: CUDA error: unspecified launch failure"
    assert "--resume RUN" in failure.remedy
    assert torch.load(run.path / "last.ckpt", weights_only=True)["epoch"] == 1


def test_a_command_says_it_in_a_sentence_too(kanji_tui, trained, monkeypatch):
    from kanji_tui.recognition import evaluation

    def lost(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: device-side assert triggered\nCompile with TORCH_USE_CUDA_DSA")

    monkeypatch.setattr(evaluation, "evaluate", lost)
    ended = kanji_tui("evaluate", "--model-path", trained.model_path, "--data-dir", trained.data_dir, "--json")
    assert ended.returncode == 1
    assert "the GPU failed: CUDA error: device-side assert triggered" in ended.stderr
    assert json.loads(ended.stdout)["error"]["code"] == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "message",
    [
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA error: an illegal memory access was encountered",
        "CUDA driver version is insufficient for CUDA runtime version",
        "NCCL error in: ProcessGroupNCCL.cpp:94, unhandled system error",
    ],
)
def test_every_library_of_cuda_is_known_by_its_errors(message):
    assert gpu_failure(RuntimeError(message)).message == f"the GPU failed: {message}"


def test_other_errors_are_not_the_gpus():
    for error in (RuntimeError("shape mismatch"), ValueError("CUDA error"), MemoryError()):
        assert gpu_failure(error) is None
    ended = gpu_failure(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))
    assert "the GPU's memory ended" in ended.message
