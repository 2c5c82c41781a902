"""Two gloo processes on the CPU learn what one learns with the whole batch."""

import json
import os
import socket
import sys

import pytest
import torch

from kanji_tui.errors import Stopped, UsageError
from kanji_tui.jobs.train import Spec as TrainSpec
from kanji_tui.runs.run_directory import RunDirectory, create, status_of_this_process
from kanji_tui.system.plain_data import to_plain
from kanji_tui.training import distributed, step
from kanji_tui.training.config import configure
from kanji_tui.training.distributed import World
from kanji_tui.training.state import seed_apart
from tests.training.one_of_two import stop
from tests.training.running import checkpoint_of, run, same
from tests.training.test_step import CONFIG, batch, state_of

SAMPLES = 16


def environment(rank: int, port: int, size: int = 2) -> dict[str, str]:
    """What torchrun sets for a process."""
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_PORT": port}
    return {**os.environ, **{name: str(value) for name, value in told.items()}, "MASTER_ADDR": "127.0.0.1"}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def two(tmp_path_factory, forks):
    """What each of two processes found."""
    folder = tmp_path_factory.mktemp("two")
    command = [sys.executable, "-m", "tests.training.one_of_two", str(folder)]
    port = free_port()
    processes = [
        forks.Popen(command, env=environment(rank, port), stderr=forks.PIPE, text=True) for rank in range(2)
    ]
    try:
        for process in processes:
            _, said = process.communicate(timeout=120)
            assert process.returncode == 0, said
    finally:
        for process in processes:
            process.kill()
    return [torch.load(folder / f"found.{rank}", weights_only=False) for rank in range(2)]


@pytest.fixture(scope="module")
def alone():
    """What one process finds with the whole batch."""
    state = state_of(CONFIG)
    state.network.eval()
    state.average = None
    for number in (1, 2):
        step.train_step(state, *batch(), number, 10, print)
    gradients = [p.grad.flatten() for p in state.network.parameters() if p.grad is not None]
    weights = [p.detach().flatten() for p in state.network.parameters()]
    return {"gradients": torch.cat(gradients), "weights": torch.cat(weights)}


@pytest.mark.parametrize("way", ["whole", "micro-batches"])
def test_two_processes_find_the_gradient_of_the_whole_batch(two, alone, way):
    """With BatchNorm in evaluation mode and without augmentation, of the second step, after weights have moved."""
    for found in two:
        assert (found[way]["gradients"] - alone["gradients"]).abs().max() < 1e-6
        assert (found[way]["weights"] - alone["weights"]).abs().max() < 1e-5
    assert torch.equal(two[0][way]["weights"], two[1][way]["weights"])


def test_every_sample_is_counted_once_on_rank_0(two):
    assert [found["whole"]["samples"] for found in two] == [48 + 2 * SAMPLES, 0]  # 48 before they were two


def test_when_one_device_is_too_small_all_take_smaller_micro_batches(two):
    for found in two:
        assert found["whole"]["accumulation_steps"] == 1
        assert found["micro-batches"]["accumulation_steps"] == 2
        assert len(found["micro-batches"]["told"]) == 1


def test_all_processes_have_the_statistics_that_rank_0_recomputed(two):
    assert same(two[0]["statistics"], two[1]["statistics"])
    for found in two[1]["statistics"]:
        assert all(tensor.any() for name, tensor in found.items() if name.endswith("running_mean"))


def test_collectives(two):
    for found in two:
        assert found["all_gather"] == [0, 1]
        assert found["broadcast"] == {"a": 0}
        assert found["any_rank"] == [True, False]
        assert found["on_rank0"] == {"rank": 0}
        assert found["stopped"], "what stops rank 0 stops all"
    assert [len(found["for_rank0"]) for found in two] == [3, 0]


def test_one_process_alone_has_nothing_to_wait_for():
    world = World()
    sums = torch.ones(3)
    assert world.any_rank(True, False) == [True, False]
    assert world.reduce_to_rank0(sums) is sums
    assert (world.broadcast("a"), world.on_rank0(lambda: "b"), world.all_gather("c")) == ("a", "b", ["c"])
    with pytest.raises(Stopped):
        world.on_rank0(stop)


def test_a_batch_is_shared_evenly_or_refused():
    assert World(0, 2).batch_size(128, 1000) == 128
    assert World(0, 2).batch_size(128, 33) == 32
    places = torch.arange(12)
    parts = [World(rank, 3).share(places) for rank in range(3)]
    assert torch.equal(torch.cat(parts), places)
    with pytest.raises(UsageError, match="shared evenly by 3") as refused:
        World(0, 3).batch_size(128, 1000)
    assert "--batch-size 129" in refused.value.remedy
    with pytest.raises(UsageError, match="by 16 processes"):
        World(0, 16).batch_size(16, 1000)


def test_each_rank_draws_other_random_numbers():
    drawn = []
    for rank in range(3):
        state = state_of(CONFIG)
        if rank:
            seed_apart(state, World(rank, 3))
        drawn.append((torch.rand(1).item(), torch.rand(1, generator=state.generator).item()))
    assert len({pair[0] for pair in drawn}) == len({pair[1] for pair in drawn}) == 3


def test_a_run_of_one_process_is_resumed_by_two(sample_dataset, tmp_path, forks):
    config = configure(network="v1", epochs=2, batch_size=16)
    spec = TrainSpec(data_dir=sample_dataset, config=config)
    first = create("train", "kanji_tui.jobs.train:run", to_plain(spec), tmp_path / "models/runs")
    with pytest.raises(Stopped):
        run(sample_dataset, first.path, config, stop_in=("training", 3 * 16))
    first.write_status(status_of_this_process("train", "stopped"))
    assert checkpoint_of(first.path)["batch"] == 3
    command = [sys.executable, "-m", "kanji_tui", "train", "--resume", first.name, "--json"]
    port = free_port()
    ranks = [
        forks.Popen(
            command, cwd=tmp_path, env=environment(rank, port), stdout=forks.PIPE, stderr=forks.PIPE, text=True
        )
        for rank in range(2)
    ]
    try:
        told = [rank.communicate(timeout=120) for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    assert [rank.returncode for rank in ranks] == [0, 0], told
    assert told[1][0] == ""
    found = json.loads(told[0][0])
    second = RunDirectory(tmp_path / "models/runs" / found["run"])
    assert second.state() == "finished"
    kept = checkpoint_of(second.path)
    assert (kept["epoch"], kept["config"]) == (2, checkpoint_of(first.path)["config"])
    assert kept["optimisers"][0]["state"][0]["step"] == 2 * (132 // 16)  # the three of the first run among them
    assert found["epochs"] == 2
    assert found["test"]["samples"] > 0


def test_sync_batchnorm_is_refused_on_a_cpu(sample_dataset, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(UsageError, match="needs GPUs"):
        run(sample_dataset, tmp_path, configure(epochs=1, batch_size=16, sync_batchnorm=True))


def test_who_the_others_are_must_be_said(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(UsageError, match="RANK"):
        distributed.join()
