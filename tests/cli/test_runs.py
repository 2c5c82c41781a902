"""Trainings as processes: detached, stopped, resumed, followed, and outliving whoever started them."""

import json
import os
import shutil
import signal
import sys
import time
from dataclasses import replace

import pytest

from kanji_tui.cli.follow import result_of
from kanji_tui.errors import Stopped
from kanji_tui.runs.process import run_in
from kanji_tui.runs.run_directory import ACTIVE, create, find_run, list_runs

LONG = ("train", "--network", "v1", "--epochs", "20000")


def wait_until(holds, seconds=90):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)


@pytest.fixture
def started(kanji_tui, tmp_path, sample_dataset):
    """A long training, detached."""
    process = kanji_tui(*LONG, "--data-dir", sample_dataset, "--batch-size", 16, "--detach", "--json")
    assert process.returncode == 0, process.stderr
    output = json.loads(process.stdout)
    assert output["state"] in ACTIVE
    return find_run(output["run"], tmp_path / "models" / "runs")


@pytest.fixture(autouse=True)
def nothing_left_running(tmp_path):
    """A test that fails on its way must not leave a training behind."""
    yield
    for run in list_runs(tmp_path / "models" / "runs"):
        run.request_stop()
    wait_until(lambda: all(run.state() not in ACTIVE for run in list_runs(tmp_path / "models" / "runs")))


def has_checkpoint(run):
    return lambda: (run.path / "last.ckpt").exists() or run.state() not in ACTIVE


def test_stop_is_graceful_and_resume_goes_on(kanji_tui, tmp_path, started):
    wait_until(has_checkpoint(started))
    assert started.state() == "running"
    stopped = kanji_tui("stop", started.name, "--json")
    assert json.loads(stopped.stdout) == {"run": started.name, "state": "stopped"}
    assert kanji_tui("stop", started.name, "--json").returncode == 0  # twice is once
    reached = json.loads(kanji_tui("runs", "--json").stdout)["runs"][0]["epoch"] or 0
    resumed = kanji_tui("train", "--resume", started.name, "--detach", "--json")
    assert resumed.returncode == 0, resumed.stderr
    run = find_run(json.loads(resumed.stdout)["run"], tmp_path / "models" / "runs")
    assert run.name != started.name
    epoch = lambda: json.loads(kanji_tui("runs", "--json").stdout)["runs"][0]["epoch"] or 0  # noqa: E731
    wait_until(lambda: epoch() > reached)
    run.request_stop()
    wait_until(lambda: run.state() not in ACTIVE)
    assert run.state() == "stopped"


@pytest.fixture
def follower(tmp_path, sample_dataset, forks):
    """`kanji-tui train` in a session of its own, following a long training whose first checkpoint is there."""
    process = forks.Popen(
        [sys.executable, "-m", "kanji_tui", *LONG, "--data-dir", str(sample_dataset)],
        cwd=tmp_path,
        stdin=forks.DEVNULL,
        stdout=forks.DEVNULL,
        stderr=forks.PIPE,
        text=True,
        start_new_session=True,
    )
    runs = tmp_path / "models" / "runs"
    wait_until(lambda: runs.is_dir() and any(runs.glob("*/last.ckpt")))
    yield process
    process.kill()
    process.communicate()


def test_interrupting_the_follower_stops_the_run(tmp_path, follower):
    follower.send_signal(signal.SIGINT)
    _, output = follower.communicate(timeout=90)
    assert follower.returncode == 130, output
    assert "--resume" in output
    assert find_run("latest", tmp_path / "models" / "runs").state() == "stopped"


def test_a_run_outlives_its_follower(tmp_path, follower, kanji_tui):
    """A hang-up, as a lost SSH line sends it, ends the follower; the run goes on and can be attached to."""
    os.killpg(follower.pid, signal.SIGHUP)
    follower.wait(timeout=30)
    run = find_run("latest", tmp_path / "models" / "runs")
    size = run.events.stat().st_size
    wait_until(lambda: run.events.stat().st_size > size)
    assert run.state() == "running"
    run.request_stop()
    wait_until(lambda: run.state() not in ACTIVE)
    attached = kanji_tui("attach", run.name)
    assert attached.returncode == 130
    assert "--resume" in attached.stderr


def test_a_killed_run_is_seen_as_lost(started, kanji_tui):
    wait_until(has_checkpoint(started))
    os.kill(started.status().pid, signal.SIGKILL)
    wait_until(lambda: started.state() == "lost", seconds=10)
    (run,) = json.loads(kanji_tui("runs", "--json").stdout)["runs"]
    assert run["state"] == "lost"
    attached = kanji_tui("attach", started.name)
    assert attached.returncode == 1
    assert "--resume" in attached.stderr


def test_two_trainings_at_once_get_two_directories(kanji_tui, tmp_path, sample_dataset):
    for _ in range(2):
        assert kanji_tui(*LONG, "--data-dir", sample_dataset, "--detach").returncode == 0
    runs = json.loads(kanji_tui("runs", "--json").stdout)["runs"]
    assert len({run["run"] for run in runs}) == 2
    for run in runs:
        assert kanji_tui("stop", run["run"]).returncode == 0


def test_delete_refuses_a_running_one(kanji_tui, started):
    wait_until(lambda: started.state() == "running")
    process = kanji_tui("delete", started.name)
    assert process.returncode == 2
    assert "stop" in process.stderr
    assert kanji_tui("stop", started.name).returncode == 0
    assert kanji_tui("delete", started.name).returncode == 0
    assert not started.path.exists()


@pytest.mark.parametrize(("job", "remedy"), [("prepare", "the same command again"), ("search", "search --resume")])
def test_what_to_do_about_a_stopped_run_can_be_typed(tmp_path, job, remedy):
    run = create(job, f"kanji_tui.jobs.{job}:run", {}, tmp_path / "models" / "runs")
    run.write_status(replace(run.status(), state="stopped"))
    with pytest.raises(Stopped) as stopped:
        result_of(run)
    assert remedy in stopped.value.remedy


def test_attach_exits_with_1_when_a_check_failed(kanji_tui, tmp_path, sample_dataset):
    shutil.copytree(sample_dataset, tmp_path / "dataset")
    with open(tmp_path / "dataset" / "etl9g_dataset_chunk_00.npz", "ab") as chunk:
        chunk.write(b"changed")
    spec = {"data_dir": str(tmp_path / "dataset")}
    run = create("verify", "kanji_tui.jobs.verify:run", spec, tmp_path / "models" / "runs")
    assert run_in(run) == 0
    attached = kanji_tui("attach", run.name, "--json")
    assert "failed" in [check["verdict"] for check in json.loads(attached.stdout)["checks"]]
    assert attached.returncode == 1
