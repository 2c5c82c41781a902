"""Every network on the simulated GPU: forward and backward there, and the CPU's numbers."""

import copy

import pytest
import torch
from torch.nn import functional

from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice
from kanji_tui.networks.devices import CPU, in_halves, memory_ended, move_to_gpu, own_device
from kanji_tui.networks.registry import NETWORKS, build
from kanji_tui.networks.summary import count_macs
from tests.simulated_gpu import GPU, OnGpu, Waits, machine_with_gpu

OURS = [name for name, known in NETWORKS.items() if not known.needs]
CLASSES, SIZE, COUNT = 7, 32, 6


def network_of(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    network = build(name, CLASSES, SIZE)
    for module in network.modules():  # branches that begin as the identity would hide what is in them
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.to(memory_format=torch.channels_last)


def learn(network: torch.nn.Module, device: torch.device) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Logits and gradients of one batch, with the dropout that seed 1 draws, and what BatchNorm measured."""
    pictures = torch.rand(COUNT, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0)).to(device)
    labels = (torch.arange(COUNT) % CLASSES).to(device)
    torch.manual_seed(1)
    logits = network.train()(pictures)
    functional.cross_entropy(logits, labels).backward()
    found = {name: parameter.grad for name, parameter in network.named_parameters()}
    found |= dict(network.named_buffers())
    return logits, found


@pytest.mark.parametrize("name", OURS)
def test_a_network_learns_on_a_gpu_what_it_learns_on_the_cpu(name: str) -> None:
    network = network_of(name)
    on_gpu = copy.deepcopy(network)
    logits, found = learn(network, CPU)
    with machine_with_gpu():
        on_gpu.to(GPU)
        gpu_logits, gpu_found = learn(on_gpu, GPU)
        assert Waits.count == 0
        assert gpu_logits.device == GPU
        assert all(tensor.device == GPU for tensor in gpu_found.values())
        assert torch.allclose(logits, gpu_logits.held, atol=1e-5)
        for tensor, gpu_tensor in zip(found.values(), gpu_found.values(), strict=True):
            assert torch.allclose(tensor, gpu_tensor.held, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", OURS)
def test_a_network_answers_on_a_gpu_what_it_answers_on_the_cpu(name: str) -> None:
    network = network_of(name).eval()
    pictures = torch.rand(COUNT, 1, SIZE, SIZE)
    attention = getattr(network, "attention", None)
    with torch.no_grad():
        logits, looks = network(pictures), attention(pictures) if attention else None
        macs = count_macs(network, SIZE)
        with machine_with_gpu():
            network.to(GPU)
            assert torch.allclose(network(pictures.to(GPU)).cpu(), logits, atol=1e-5)
            if attention:
                assert torch.allclose(network.attention(pictures.to(GPU)).cpu(), looks, atol=1e-6)
            assert count_macs(network, SIZE) == macs


@pytest.mark.parametrize("name", OURS)
def test_a_network_learns_in_bfloat16(name: str) -> None:
    with machine_with_gpu():
        network = network_of(name).to(GPU)
        with torch.autocast("cuda", torch.bfloat16):
            logits, found = learn(network, GPU)
        assert logits.dtype == torch.bfloat16
        assert all(tensor.isfinite().all() for tensor in found.values())


def test_the_device_is_the_gpu_of_this_process_and_float32_stays_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    if not torch.cuda.is_available():
        assert own_device() == CPU
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    with machine_with_gpu():
        assert own_device() == GPU
        assert not torch.backends.cudnn.allow_tf32


class Full(torch.nn.Module):
    """A network on a GPU that has room for so many pictures."""

    def __init__(self, room: int, words: str = "") -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.room, self.words, self.seen = room, words, []

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(pictures))
        if len(pictures) > self.room and isinstance(pictures, OnGpu):
            raise RuntimeError(self.words) if self.words else torch.OutOfMemoryError("CUDA out of memory")
        return pictures.flatten(1).mean(1, keepdim=True)


def test_a_gpu_that_cannot_be_used_leaves_the_work_to_the_cpu(report) -> None:
    for refuses in ("CUDA error: no kernel image is available\nmore", ""):
        network = Full(0, refuses)
        with machine_with_gpu():
            move_to_gpu(network, SIZE, report)
        assert next(network.parameters()).device == CPU
    kernels, memory = (notice.message for notice in report.of(Notice))
    assert kernels.endswith("so the CPU computes: CUDA error: no kernel image is available")
    assert memory.endswith("CUDA out of memory")
    network = Full(1)
    with machine_with_gpu():
        move_to_gpu(network, SIZE, report)
        assert next(network.parameters()).device == GPU
    assert len(report.events) == 2


@pytest.mark.parametrize("words", ["", "cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "CUDA error: out of memory\n..."])
def test_what_the_memory_cannot_hold_is_computed_in_halves(words: str) -> None:
    network = Full(2, words)
    pictures = torch.rand(7, 1, 2, 2)
    with machine_with_gpu():
        found = in_halves(network, pictures.to(GPU)).cpu()
    assert torch.equal(found, pictures.flatten(1).mean(1, keepdim=True))
    assert [count for count in network.seen if count <= 2] == [1, 2, 2, 2]
    with machine_with_gpu(), pytest.raises(KanjiError, match="too small for a single picture"):
        in_halves(Full(0, words), pictures.to(GPU))


def test_another_error_is_not_taken_for_missing_memory() -> None:
    with machine_with_gpu(), pytest.raises(RuntimeError, match="illegal"):
        in_halves(Full(0, "CUDA error: an illegal memory access was encountered"), torch.zeros(2, 1, 2, 2).to(GPU))
    assert not memory_ended(RuntimeError("CUDA error: an illegal memory access was encountered"))
