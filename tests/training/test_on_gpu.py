"""Training on the simulated GPU: each part of a step, without a wait and with the CPU's numbers; all of it."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import Stopped
from kanji_tui.training import loader, probe, profile, sanity_check
from kanji_tui.training.augmentation import augment
from kanji_tui.training.averaging import AveragedNetwork
from kanji_tui.training.batchnorm import recompute_statistics
from kanji_tui.training.config import TrainConfig, configure
from kanji_tui.training.data import Part
from kanji_tui.training.distributed import World, join
from kanji_tui.training.energy import gpus_in_use
from kanji_tui.training.loader import DeviceLoader
from kanji_tui.training.metrics import RunningMetrics, predict, score
from kanji_tui.training.muon import Muon
from kanji_tui.training.precision import choose_precision
from kanji_tui.training.profile import PHASES, following, read_profile
from kanji_tui.training.state import TrainState, distribute, initial_state
from kanji_tui.training.step import train_step
from tests.simulated_gpu import GPU, NAME, UUID, Event, OnGpu, Waits, machine_with_gpu
from tests.training.running import checkpoint_of, run, same, weights_of

CPU = torch.device("cpu")
ALL_OF_IT = (
    configure(
        network="v1", recipe="standard", epochs=2, batch_size=12,
        rotation=10, shear=0.2, scale=0.1, shift=0.1, elastic=0.02,
        stroke_width=0.8, erase=0.5, noise=0.05, noise_share=0.5, label_smoothing=0.1, clip_norm=0.5, ema=0.2,
        precision="float32", accumulation_steps=2, schedule="one-cycle",
    )
)  # fmt: skip
SMALL = configure(network="v1", recipe="standard", epochs=2, batch_size=16, precision="float32", sample_limit=80)


def batch(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    some = torch.randint(0, 256, (12, 1, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return some.to(device), (torch.arange(12) % 5).to(device)


def trained(config: TrainConfig, device: torch.device, report, steps: int = 2) -> TrainState:
    state = initial_state(config, 5, 32, 8, device)
    learn(state, report, range(steps))
    return state


def learn(state: TrainState, report, numbers: range) -> None:
    samples = batch(state.device)
    state.network.train()
    for number in numbers:
        train_step(state, *samples, number, 4, report)
        state.metrics.poll()


def test_the_augmentation_draws_and_computes_on_the_gpu() -> None:
    some = batch(CPU)[0].float() / 255
    expected = augment(some, ALL_OF_IT, 0.9, torch.Generator().manual_seed(3))
    with machine_with_gpu():
        found = augment(some.to(GPU), ALL_OF_IT, 0.9, torch.Generator(GPU).manual_seed(3))
        assert Waits.count == 0
        assert found.device == GPU
        assert torch.equal(found.cpu(), expected)
        with pytest.raises(RuntimeError, match="generator"):
            augment(some.to(GPU), ALL_OF_IT, 0.9, torch.Generator().manual_seed(3))
    assert not torch.equal(expected, some)


@pytest.mark.parametrize(
    ("optimiser", "network"), [("muon", "kanjinet"), ("adamw", "v1"), ("adam", "v1"), ("sgd", "v1")]
)
def test_a_step_on_a_gpu_waits_for_nothing_and_is_the_cpus(optimiser: str, network: str, report) -> None:
    config = replace(ALL_OF_IT, optimiser=optimiser, network=network)
    on_cpu = trained(config, CPU, report)
    with machine_with_gpu():
        state = initial_state(config, 5, 32, 8, GPU)
        learn(state, report, range(2))
        assert Waits.count == 0
        everything = [*state.network.state_dict().values(), *state.average.network.state_dict().values()]
        assert all(tensor.device == GPU for tensor in everything)
        for one, other in zip(state.optimisers, on_cpu.optimisers, strict=True):
            earned, expected = one.state_dict(), other.state_dict()
            assert earned["param_groups"] == expected["param_groups"]
            for number, values in earned["state"].items():
                for name, value in values.items():
                    assert value.device == GPU, name
                    assert torch.allclose(value.cpu(), expected["state"][number][name], rtol=1e-3, atol=1e-6)
        for one, other in ((state.network, on_cpu.network), (state.average.network, on_cpu.average.network)):
            for name, tensor in one.state_dict().items():
                assert torch.allclose(tensor.cpu(), other.state_dict()[name], rtol=1e-3, atol=1e-5), name
        state.metrics.synchronise()
        assert Waits.count > 0  # they are counted
    on_cpu.metrics.synchronise()
    assert state.metrics.loss == pytest.approx(on_cpu.metrics.loss, rel=1e-5)
    assert state.metrics.top1 == on_cpu.metrics.top1


def test_auto_is_bfloat16_without_a_wait_and_float16_has_its_scaler(
    report, monkeypatch: pytest.MonkeyPatch
) -> None:
    with machine_with_gpu():
        state = initial_state(replace(ALL_OF_IT, precision="auto"), 5, 32, 8, GPU)
        answers: list[torch.dtype] = []
        state.network.register_forward_hook(lambda _, inputs, logits: answers.append(logits.dtype))
        learn(state, report, range(2))
        assert set(answers) == {state.precision} == {torch.bfloat16}
        assert Waits.count == 0
        state = trained(replace(ALL_OF_IT, precision="float16"), GPU, report, steps=1)
        assert state.scaler.is_enabled()
        assert state.scaler.scale(torch.ones(1, device=GPU)).device == GPU
        assert all(tensor.isfinite().all() for tensor in state.network.state_dict().values())
        # Turing has no units for bfloat16, and torch would emulate them.
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (7, 5))
        assert choose_precision(GPU, "auto", "kanjinet") == torch.float32


def test_averaged_weights_and_momentum_stay_on_the_gpu() -> None:
    with machine_with_gpu():
        layer = torch.nn.Conv2d(40, 40, 3).to(GPU)
        average = AveragedNetwork(layer, 3)
        layer.weight.grad = torch.ones_like(layer.weight)
        muon = Muon([layer.weight], 0.1, 0.9, 0.01, torch.bfloat16)
        before = average.network.weight.clone()
        muon.step()
        average.follow(5)
        assert Waits.count == 0
        assert muon.state[layer.weight]["momentum"].device == average.network.weight.device == GPU
        assert not torch.equal(before, average.network.weight)


def test_the_sums_are_copied_without_waiting_and_read_when_they_have_arrived(monkeypatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with machine_with_gpu():
        arrived = [False]
        monkeypatch.setattr(Event, "query", lambda self: self.recorded > 0 and arrived[0])
        sums = RunningMetrics(GPU)
        logits = torch.eye(3, device=GPU)
        sums.add(torch.full((3,), 2.0, device=GPU), logits, torch.tensor([0, 1, 1]).to(GPU))
        clock[0] = 1.0
        sums.poll()
        sums.poll()
        assert (sums.loss, Waits.count) == (None, 0)
        arrived[0] = True
        sums.poll()
        assert (sums.loss, sums.top1, Waits.count) == (2.0, pytest.approx(2 / 3), 0)
        sums.reset(torch.tensor([6.0, 1.0, 2.0], dtype=torch.float64))
        assert sums.sums.device == GPU
        assert sums.loss == 3.0


@pytest.mark.parametrize("free", ["all", "none", "taken meanwhile"])
def test_images_and_labels_are_on_the_gpu(free: str, sample_dataset: Path, report, monkeypatch) -> None:
    dataset = open_dataset(sample_dataset)
    places = np.arange(0, 100, 3)
    batches = list(torch.randperm(len(places)).split(10))
    expected = list(DeviceLoader(Part(dataset, places), CPU, report).stream(batches))
    with machine_with_gpu():
        if free == "none":
            monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (0, 2**30))
        empty = torch.empty
        if free == "taken meanwhile":
            monkeypatch.setattr(
                torch, "empty", lambda *a, **k: out_of_memory() if "device" in k else empty(*a, **k)
            )
        pictures = DeviceLoader(Part(dataset, places), GPU, report)
        assert pictures.resident == (free == "all")
        assert np.array_equal(pictures.labels, dataset.labels[places])
        for found in (list(pictures.stream(batches)), list(map(pictures, batches))):
            for one, other in zip(found, expected, strict=True):
                assert all(tensor.device == GPU for tensor in one)
                assert same([tensor.cpu() for tensor in one], list(other))


def out_of_memory() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_what_torch_holds_of_a_gpu_and_does_not_use_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with machine_with_gpu():
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (5, 100))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device=None: 70)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device=None: 10)
        assert loader.free_memory(GPU) == 65


def test_validation_on_a_gpu_scores_as_the_cpu_and_in_halves_where_memory_ends(
    sample_dataset: Path, report, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = open_dataset(sample_dataset)
    network = initial_state(ALL_OF_IT, len(dataset.classes), dataset.size, 8, CPU).network
    on_cpu = DeviceLoader(Part(dataset, np.arange(90)), CPU, report)
    expected = score(network, on_cpu, CPU, 12, "validation", report)
    predicted = predict(network, on_cpu, "validation", report)
    with machine_with_gpu():
        network = network.to(GPU)
        on_gpu = DeviceLoader(Part(dataset, np.arange(90)), GPU, report)
        for most in (1000, 20):
            room_for(network, most)
            found = score(network, on_gpu, GPU, 12, "validation", report)
            assert found.loss == pytest.approx(expected.loss, rel=1e-5)
            assert replace(found, loss=0.0) == replace(expected, loss=0.0)
            assert np.array_equal(predict(network, on_gpu, "validation", report), predicted)


def test_statistics_are_recomputed_on_the_gpu_as_on_the_cpu(sample_dataset: Path, report) -> None:
    dataset = open_dataset(sample_dataset)
    config = replace(ALL_OF_IT, precision="bfloat16")
    expected = initial_state(config, len(dataset.classes), dataset.size, 8, CPU).eval_model
    recompute_statistics(expected, DeviceLoader(Part(dataset, np.arange(90)), CPU, report), 0, report)
    with machine_with_gpu():
        network = initial_state(config, len(dataset.classes), dataset.size, 8, GPU).eval_model
        recompute_statistics(network, DeviceLoader(Part(dataset, np.arange(90)), GPU, report), 0, report)
        for name, tensor in network.state_dict().items():
            assert tensor.device == GPU
            assert torch.allclose(tensor.cpu(), expected.state_dict()[name], rtol=1e-4, atol=1e-6), name


def room_for(network: torch.nn.Module, most: int) -> None:
    """With more pictures the network runs out of memory from now on."""
    network.register_forward_pre_hook(lambda _, inputs: out_of_memory() if len(inputs[0]) > most else None)


def test_a_step_whose_memory_ends_is_computed_in_micro_batches(report) -> None:
    with machine_with_gpu():
        state = initial_state(ALL_OF_IT, 5, 32, 8, GPU)
        room_for(state.network, 3)
        learn(state, report, range(2))
        assert state.accumulation_steps == 4
        assert all(tensor.isfinite().all() for tensor in state.network.state_dict().values())


@pytest.mark.parametrize("words", ["cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "CUDA error: out of memory"])
def test_memory_ends_in_other_words_too(words: str, report) -> None:
    with machine_with_gpu():
        state = initial_state(ALL_OF_IT, 5, 32, 8, GPU)

        def refuse(_, inputs) -> None:
            if len(inputs[0]) > 3:
                raise RuntimeError(words)

        state.network.register_forward_pre_hook(refuse)
        learn(state, report, range(1))
        assert state.accumulation_steps == 4


@pytest.fixture(scope="module")
def on_cpu(sample_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training on the CPU to its end."""
    folder = tmp_path_factory.mktemp("cpu")
    run(sample_dataset, folder, SMALL)
    return folder


def test_a_whole_training_on_a_gpu_finds_what_the_cpu_finds(on_cpu: Path, sample_dataset: Path, tmp_path) -> None:
    with machine_with_gpu():
        result, report = run(sample_dataset, tmp_path, SMALL)
    assert result.device == NAME
    assert len(report.epochs) == 2
    content, expected = checkpoint_of(tmp_path), checkpoint_of(on_cpu)
    for one, other in zip(content["history"], expected["history"], strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], rel=1e-3)
    assert content["threads"] is None  # a GPU's says nothing to a CPU
    assert weights_of(tmp_path).keys() == weights_of(on_cpu).keys()
    assert all(type(tensor) is torch.Tensor for tensor in weights_of(tmp_path).values())


@pytest.mark.parametrize("begun_on", ["cpu", "gpu"])
def test_a_training_goes_on_on_the_other_device(
    begun_on: str, on_cpu: Path, sample_dataset: Path, tmp_path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"

    def begin() -> None:
        with pytest.raises(Stopped):
            run(sample_dataset, first, SMALL, stop_in=("training", 3 * 16))

    if begun_on == "cpu":
        begin()
        with machine_with_gpu():
            result, _ = run(sample_dataset, second, SMALL, resume=first)
    else:
        with machine_with_gpu():
            begin()
        result, _ = run(sample_dataset, second, SMALL, resume=first)
    assert 0 < checkpoint_of(first)["epoch"] * 3 + checkpoint_of(first)["batch"] < 6
    assert (result.device == NAME) == (begun_on == "cpu")
    assert result.epochs == 2
    expected = checkpoint_of(on_cpu)
    assert checkpoint_of(second)["history"][-1]["train_loss"] == pytest.approx(
        expected["history"][-1]["train_loss"], rel=0.1
    )


def test_a_training_goes_on_on_the_gpu_with_its_random_numbers(sample_dataset: Path, tmp_path: Path) -> None:
    config = replace(SMALL, epochs=1)  # three steps, the last without augmentation
    with machine_with_gpu():
        run(sample_dataset, tmp_path / "whole", config)
        with pytest.raises(Stopped):
            run(sample_dataset, tmp_path / "first", config, stop_in=("training", 16))
        assert checkpoint_of(tmp_path / "first")["batch"] == 1
        run(sample_dataset, tmp_path / "second", config, resume=tmp_path / "first")
    assert same(checkpoint_of(tmp_path / "whole")["network"], checkpoint_of(tmp_path / "second")["network"])


def test_probe_profile_and_trial_know_the_gpu(sample_dataset: Path, tmp_path: Path, report, monkeypatch) -> None:
    monkeypatch.setattr(probe, "SECONDS", 0.0)
    tracing = profile.tracing  # a CPU build cannot trace a GPU
    monkeypatch.setattr(profile, "tracing", lambda activities: tracing(activities=activities[:1]))
    with machine_with_gpu():
        probed = probe.probe(sample_dataset, SMALL, report)
        assert probed.device == NAME
        assert probed.memory_bytes >= 2**20
        with following(tmp_path):
            run(sample_dataset, tmp_path, replace(SMALL, epochs=1))
        monkeypatch.setattr(sanity_check, "SAMPLES", 16)
        assert sanity_check.try_learning(sample_dataset, report).verdict == "ok"  # ten steps, on the CPU
    found = read_profile(tmp_path)
    assert found is not None
    assert found.device == NAME
    assert [phase.phase for phase in found.phases if phase.device_seconds is not None] == list(PHASES)


def test_the_energy_is_that_of_the_gpu_torch_names() -> None:
    with machine_with_gpu():
        assert gpus_in_use() == {f"GPU-{UUID}"}


def test_one_process_of_torchrun_takes_its_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "LOCAL_RANK", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    taken: list[int] = []
    with machine_with_gpu():
        monkeypatch.setattr(torch.cuda, "set_device", taken.append)
        assert join() == World()
    assert taken == [0]


def test_the_sums_of_all_processes_go_back_to_the_gpu() -> None:
    with machine_with_gpu():
        state = initial_state(ALL_OF_IT, 5, 32, 8, GPU)
        distribute(state, World(), 12)
        state.metrics.reset(World().reduce_to_rank0(state.metrics.sums))
        assert isinstance(state.metrics.sums, OnGpu)
