"""Trouble with the GPU at the borders to NVML and to PyTorch: a reason or a sentence, and the checkpoint stays.

Memory that ends in forward, backward, optimiser and scoring: tests/training/test_step.py and test_on_gpu.py.
"""

import json
from pathlib import Path

import pytest
import torch

from kanji_tui.events import Epoch, Event, Failure
from kanji_tui.jobs.train import Spec
from kanji_tui.runs.event_log import all_events
from kanji_tui.runs.process import entry_of, run_in
from kanji_tui.runs.run_directory import create
from kanji_tui.system import gpu
from kanji_tui.system.gpu import gpu_failure, read_driver, read_energy, read_gpus
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training import step
from kanji_tui.training.config import configure
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
