"""Every network runs forward and backward on the simulated GPU with the same results as on the CPU."""

import copy

import pytest
import torch
from torch.nn import functional

from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice
from kanji_tui.networks.devices import CPU, in_halves, is_out_of_memory, move_to_gpu, own_device
from kanji_tui.networks.registry import NETWORKS, build
from kanji_tui.networks.summary import count_macs
from tests.simulated_gpu import GPU, OnGpu, Waits, machine_with_gpu

OURS = [name for name, known in NETWORKS.items() if not known.needs]
CLASSES, SIZE, COUNT = 7, 32, 6


def network_of(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    network = build(name, CLASSES, SIZE)
    for module in network.modules():  # a branch that starts as the identity would hide its layers
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.to(memory_format=torch.channels_last)


def train_once(network: torch.nn.Module, device: torch.device) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The logits of one batch (dropout seed 1), and the gradients and buffers (BatchNorm statistics) by name."""
    images = torch.rand(COUNT, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0)).to(device)
    labels = (torch.arange(COUNT) % CLASSES).to(device)
    torch.manual_seed(1)
    logits = network.train()(images)
    functional.cross_entropy(logits, labels).backward()
    found = {name: parameter.grad for name, parameter in network.named_parameters()}
    found |= dict(network.named_buffers())
    return logits, found


@pytest.mark.parametrize("name", OURS)
def test_training_on_a_gpu_matches_training_on_the_cpu(name: str) -> None:
    network = network_of(name)
    on_gpu = copy.deepcopy(network)
    logits, found = train_once(network, CPU)
    with machine_with_gpu():
        on_gpu.to(GPU)
        gpu_logits, gpu_found = train_once(on_gpu, GPU)
        assert Waits.count == 0
        assert gpu_logits.device == GPU
        assert all(tensor.device == GPU for tensor in gpu_found.values())
        assert torch.allclose(logits, gpu_logits.held, atol=1e-5)
        for tensor, gpu_tensor in zip(found.values(), gpu_found.values(), strict=True):
            assert torch.allclose(tensor, gpu_tensor.held, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_logits_attention_and_macs_on_a_gpu_match_the_cpu(name: str) -> None:
    network = network_of(name).eval()
    images = torch.rand(COUNT, 1, SIZE, SIZE)
    attention = getattr(network, "attention", None)
    with torch.no_grad():
        logits, expected = network(images), attention(images) if attention else None
        macs = count_macs(network, SIZE)
        with machine_with_gpu():
            network.to(GPU)
            assert torch.allclose(network(images.to(GPU)).cpu(), logits, atol=1e-5)
            if attention:
                assert torch.allclose(network.attention(images.to(GPU)).cpu(), expected, atol=1e-6)
            assert count_macs(network, SIZE) == macs


@pytest.mark.parametrize("name", OURS)
def test_every_network_trains_in_bfloat16(name: str) -> None:
    with machine_with_gpu():
        network = network_of(name).to(GPU)
        with torch.autocast("cuda", torch.bfloat16):
            logits, found = train_once(network, GPU)
        assert logits.dtype == torch.bfloat16
        assert all(tensor.isfinite().all() for tensor in found.values())


def test_own_device_is_this_processs_gpu_with_tf32_off(monkeypatch: pytest.MonkeyPatch) -> None:
    if not torch.cuda.is_available():
        assert own_device() == CPU
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    with machine_with_gpu():
        assert own_device() == GPU
        assert not torch.backends.cudnn.allow_tf32


class Full(torch.nn.Module):
    """A network that runs out of memory, or raises `error`, on a GPU if the batch exceeds `room` images."""

    def __init__(self, room: int, error: str = "") -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.room, self.error, self.seen = room, error, []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(images))
        if len(images) > self.room and isinstance(images, OnGpu):
            raise RuntimeError(self.error) if self.error else torch.OutOfMemoryError("CUDA out of memory")
        return images.flatten(1).mean(1, keepdim=True)


def test_if_the_gpu_cannot_be_used_the_cpu_is_used(report) -> None:
    for error in ("CUDA error: no kernel image is available\nmore", ""):
        network = Full(0, error)
        with machine_with_gpu():
            move_to_gpu(network, SIZE, report)
        assert next(network.parameters()).device == CPU
    kernels, memory = (notice.message for notice in report.of(Notice))
    assert kernels.endswith("so the CPU is used instead: CUDA error: no kernel image is available")
    assert memory.endswith("CUDA out of memory")
    network = Full(1)
    with machine_with_gpu():
        move_to_gpu(network, SIZE, report)
        assert next(network.parameters()).device == GPU
    assert len(report.events) == 2


@pytest.mark.parametrize("error", ["", "cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "CUDA error: out of memory\n..."])
def test_a_batch_too_large_for_the_memory_is_computed_in_halves(error: str) -> None:
    network = Full(2, error)
    images = torch.rand(7, 1, 2, 2)
    with machine_with_gpu():
        found = in_halves(network, images.to(GPU)).cpu()
    assert torch.equal(found, images.flatten(1).mean(1, keepdim=True))
    assert [count for count in network.seen if count <= 2] == [1, 2, 2, 2]
    with machine_with_gpu(), pytest.raises(KanjiError, match="too small for one image"):
        in_halves(Full(0, error), images.to(GPU))


def test_other_errors_are_not_mistaken_for_out_of_memory() -> None:
    with machine_with_gpu(), pytest.raises(RuntimeError, match="illegal"):
        in_halves(Full(0, "CUDA error: an illegal memory access was encountered"), torch.zeros(2, 1, 2, 2).to(GPU))
    assert not is_out_of_memory(RuntimeError("CUDA error: an illegal memory access was encountered"))
