"""One training by two processes: the run is an ordinary one, and ends cleanly when a process dies."""

import json
import re
import signal
import sys
from importlib.metadata import entry_points
from pathlib import Path

import psutil
import pytest
import torch

from kanji_tui.runs.event_log import read_events
from kanji_tui.runs.run_directory import RunDirectory, list_runs
from tests.cli.test_runs import wait_until
from tests.training.test_distributed import environment, free_port

PAGE = Path(__file__).parents[2] / "docs" / "MANY_GPUS.md"
TRAIN = ("-m", "kanji_tui", "train", "--network", "v1", "--batch-size", "16", "--json")
LONG = ("--epochs", "2000")


@pytest.fixture
def two_ranks(tmp_path, sample_dataset, forks):
    """The processes of a long training as torchrun would start them, its first checkpoint written; and the run."""
    port = free_port()
    command = [sys.executable, *TRAIN, *LONG, "--data-dir", str(sample_dataset)]
    streams = {"stdin": forks.DEVNULL, "stdout": forks.PIPE, "stderr": forks.PIPE, "text": True}
    ranks = [forks.Popen(command, cwd=tmp_path, env=environment(rank, port), **streams) for rank in range(2)]
    try:
        wait_until(lambda: has_trained(tmp_path) or any(r.poll() for r in ranks))
        (run,) = list_runs(tmp_path / "models/runs")
        yield ranks, run
    finally:
        for rank in ranks:
            rank.kill()
            rank.communicate()


def checkpoint(run: RunDirectory) -> dict:
    return torch.load(run.path / "last.ckpt", weights_only=True)


def has_trained(home: Path) -> bool:
    """Whether a run has a checkpoint after an epoch; the first one is written before it."""
    kept = (home / "models/runs").glob("*/last.ckpt")
    return any(torch.load(path, weights_only=True)["epoch"] for path in kept)


def test_torchrun_trains_stops_and_one_process_goes_on(tmp_path, sample_dataset, kanji_tui, forks):
    """The command of the page: torchrun is a fork, what it starts are programs. Elsewhere these are forks too."""
    torchrun = re.search(r"^(torchrun .*) -m kanji_tui train$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)[1]
    program, *options = torchrun.split()
    (entry,) = entry_points(group="console_scripts", name=program)
    command = [sys.executable, "-m", entry.module, *options, *TRAIN, *LONG, "--data-dir", str(sample_dataset)]
    started = forks.Popen(
        command, cwd=tmp_path, stdin=forks.DEVNULL, stdout=forks.PIPE, stderr=forks.PIPE, text=True
    )
    try:
        wait_until(lambda: has_trained(tmp_path) or started.poll() is not None)
        (run,) = list_runs(tmp_path / "models/runs")  # one directory, though two processes train
        assert run.state() == "running"
        assert psutil.Process(run.status().pid).ppid() == started.pid
        (listed,) = json.loads(kanji_tui("runs", "--json").stdout)["runs"]
        assert (listed["job"], listed["epochs"]) == ("train", 2000)
        assert json.loads(kanji_tui("stop", run.name, "--json").stdout)["state"] == "stopped"
        out, output = started.communicate(timeout=60)
    finally:
        for child in psutil.Process(started.pid).children() if started.poll() is None else []:
            child.kill()
        started.kill()
    assert started.returncode == 1  # torchrun's own, whatever its processes end with
    assert "exitcode  : 130" in output
    assert run.name in json.loads(out)["error"]["message"]  # one object, of rank 0
    assert run.name in output
    kept = checkpoint(run)
    samples = 128 * (kept["epoch"] + 1) if not kept["batch"] else 16 * kept["batch"]
    assert kept["batch"] == 0 or float(kept["sums"][2]) == samples  # of both processes
    resumed = kanji_tui("train", "--resume", run.name, "--detach", "--json")
    going_on = RunDirectory(tmp_path / "models/runs" / json.loads(resumed.stdout)["run"])
    try:
        brought = (run.path / "last.ckpt").read_bytes()
        own = going_on.path / "last.ckpt"
        wait_until(lambda: own.exists() and own.read_bytes() != brought)
    finally:
        going_on.request_stop()
    wait_until(lambda: going_on.state() == "stopped")
    later = checkpoint(going_on)
    assert (later["epoch"], later["batch"]) > (kept["epoch"], kept["batch"])
    assert later["config"] == kept["config"]  # batch, order and schedule follow from it and from epoch and batch


def test_sigterm_to_any_of_them_stops_all(two_ranks):
    ranks, run = two_ranks
    ranks[1].send_signal(signal.SIGTERM)
    output = [rank.communicate(timeout=60)[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [130, 130], output
    assert run.state() == "stopped"
    assert "Traceback" not in "".join(output)


def test_rank_0_reports_it_when_another_process_is_killed(two_ranks):
    ranks, run = two_ranks
    kept = checkpoint(run)
    ranks[1].kill()
    _, output = ranks[0].communicate(timeout=60)
    assert ranks[0].returncode == 1
    assert "another process of this training ended" in output
    assert f"--resume {run.name}" in output
    assert "Traceback" not in output
    assert run.state() == "failed"
    assert checkpoint(run)["epoch"] >= kept["epoch"]


def test_the_others_end_when_the_first_is_killed(two_ranks):
    ranks, run = two_ranks
    ranks[0].kill()
    _, output = ranks[1].communicate(timeout=60)
    assert ranks[1].returncode == 1
    assert "another process of this training ended" in output
    assert run.state() == "lost"
    assert checkpoint(run)["epoch"] >= 1
    assert not [event for _, event in read_events(run.events)[0] if event.type == "result"]


@pytest.mark.parametrize("command", [("folds", "3"), ("search", "--over", "learning_rate")])
def test_torchrun_does_not_start_several_of_them(kanji_tui, tmp_path, command):
    process = kanji_tui(*command, "--detach", WORLD_SIZE="2", RANK="0")
    assert process.returncode == 2
    assert "torchrun" in process.stderr
    assert not (tmp_path / "models").exists()


def test_torchrun_cannot_detach(kanji_tui):
    process = kanji_tui("train", "--detach", WORLD_SIZE="2", RANK="0")
    assert process.returncode == 2
    assert "detach" in process.stderr
