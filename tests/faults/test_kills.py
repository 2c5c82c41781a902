"""Killed at random moments, by each signal: what was there before is there, or what comes after, never a mixture.

The seed is printed; `KANJI_TUI_SEED=N make test-faults` takes the same moments again.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import psutil
import pytest
import torch
from safetensors import safe_open

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.events import SilentReport
from kanji_tui.runs.run_directory import ACTIVE, RunDirectory, list_runs
from tests.data.making import bytes_of
from tests.tui.terminal import read, read_until, started, without_torch

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]
SEED = int(os.environ["KANJI_TUI_SEED"])
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
KILLS = int(os.environ.get("KANJI_TUI_KILLS", "12"))  # of each command by each signal
TRAINING = ("--network", "v1", "--recipe", "standard", "--epochs", "3", "--batch-size", "16")


def chance_of(*what: object) -> Random:
    print(f"KANJI_TUI_SEED={SEED}")
    return Random(f"{SEED} {what}")


def start(home: Path, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "kanji_tui", *map(str, arguments)],
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )


def ended(process: subprocess.Popen, longest: float = 120) -> str:
    """What it printed to stderr; it must end."""
    try:
        _, said = process.communicate(timeout=longest)
    finally:
        process.kill()
    assert "Traceback" not in said or "kanji_tui/cli" not in said, (
        said
    )  # Python itself may be interrupted at its start
    return str(said)


def killed_at_random(home: Path, chance: Random, longest: float, signum: int, *arguments: object) -> int:
    """Kill the command within `longest` seconds; its exit code."""
    process = start(home, *arguments)
    time.sleep(chance.uniform(0, longest))
    process.send_signal(signum)
    ended(process)
    return int(process.returncode)


def seconds_of(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def run(home: Path, *arguments: object) -> None:
    process = start(home, *arguments)
    said = ended(process)
    assert process.returncode == 0, said


def nothing_unfinished(home: Path) -> None:
    """After the next start of a job there is no unfinished file left."""
    run(home, "export", "mapping", "--output-path", home / "any.json")
    left = [path for path in (home / "models").rglob(".*") if path.name.endswith(".part")]
    assert not left


@pytest.fixture
def home(trained, sample_dir, tmp_path) -> Path:
    shutil.copytree(sample_dir, tmp_path / "ETL9G")
    shutil.copytree(trained.data_dir, tmp_path / "dataset")
    shutil.copytree(trained.models_dir, tmp_path / "models")
    return tmp_path


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_preparation_over_another_dataset(home, signum):
    chance = chance_of("prepare", signum)
    expected = {size: home / f"expected-{size}" for size in (32, 64)}  # a dataset holds the way to its records
    whole = {size: prepare(home / "ETL9G", expected[size], size, 2, None, SilentReport()) for size in (32, 64)}
    run(home, "prepare", "--size", 32)
    longest = seconds_of(lambda: run(home, "prepare", "--size", 64))
    sizes = (32, 64)
    for number in range(KILLS):
        killed_at_random(home, chance, longest, signum, "prepare", "--size", sizes[number % 2])
        dataset = open_dataset(home / "dataset")  # one of the two, always
        assert dataset.digest == whole[dataset.size].digest
        assert bytes_of(home / "dataset") == bytes_of(expected[dataset.size])
    run(home, "verify")
    run(home, "prepare", "--size", 64)
    assert bytes_of(home / "dataset") == bytes_of(expected[64])
    assert not list((home / "dataset").rglob("*.part"))


@pytest.mark.parametrize("victim", ["the command", "the child", "both"])
@pytest.mark.parametrize("signum", SIGNALS)
def test_a_training_goes_on_to_the_same_weights(home, signum, victim):
    chance = chance_of("train", signum, victim)
    shutil.rmtree(home / "models")
    longest = seconds_of(lambda: run(home, "train", *TRAINING))
    (undisturbed,) = list_runs(home / "models" / "runs")
    expected = torch.load(undisturbed.path / "best_kanji_model.pth", weights_only=True)
    process = start(home, "train", *TRAINING)
    time.sleep(chance.uniform(0.3 * longest, longest))
    interrupted = next((found for found in list_runs(home / "models" / "runs") if found != undisturbed), None)
    status = interrupted.status() if interrupted else None
    if victim != "the child":
        process.send_signal(signum)
    if victim != "the command" and status and status.pid and psutil.pid_exists(status.pid):
        os.kill(status.pid, signum)
    ended(process)
    (last,) = [found for found in list_runs(home / "models" / "runs") if found != undisturbed]
    wait_for_end(last)
    while last.state() != "finished":
        run(home, "train", "--resume", last.name)
        last = list_runs(home / "models" / "runs")[0]
        wait_for_end(last)
    found = torch.load(last.path / "best_kanji_model.pth", weights_only=True)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    nothing_unfinished(home)


def wait_for_end(run_directory: RunDirectory) -> None:
    deadline = time.monotonic() + 120
    while run_directory.state() in ACTIVE:
        assert time.monotonic() < deadline, run_directory.name
        time.sleep(0.1)


COMMANDS = {
    "export": (("export", "safetensors", "--output-path", "out/model.safetensors"), "out"),
    "evaluate": (("evaluate", "--split", "all"), "models"),
}


@pytest.mark.parametrize("signum", SIGNALS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_that_is_made_is_the_whole_of_it_or_as_it_was(home, name, signum):
    chance = chance_of(name, signum)
    (home / "out").mkdir()
    arguments, folder = COMMANDS[name]
    before = files_of(home / folder)
    longest = seconds_of(lambda: run(home, *arguments))
    whole = files_of(home / folder)
    assert whole.keys() >= before.keys()
    for _ in range(max(1, KILLS // 3)):
        for made in whole.keys() - before.keys():
            (home / folder / made).unlink(missing_ok=True)
        killed_at_random(home, chance, longest, signum, *arguments)
        for path, content in files_of(home / folder).items():
            if not path.endswith(".part") and path in whole:
                assert content == whole[path], path
    nothing_unfinished(home)


def files_of(folder: Path) -> dict[str, object]:
    """What every file holds, by its path."""
    return {str(path.relative_to(folder)): content_of(path) for path in folder.rglob("*") if path.is_file()}


def content_of(path: Path) -> object:
    """Its bytes; where the same content may be stored in another order, the content."""
    if path.suffix == ".safetensors":
        with safe_open(path, "pt") as file:
            return file.metadata(), {name: file.get_tensor(name).numpy().tobytes() for name in sorted(file.keys())}
    if path.suffix == ".npz" and not path.name.startswith("."):
        with np.load(path) as arrays:
            return {name: arrays[name].tobytes() for name in arrays.files}
    return path.read_bytes()


@pytest.mark.parametrize("signum", SIGNALS)
def test_publishing_and_deleting(home, signum):
    chance = chance_of("publish", signum)
    (first,) = list_runs(home / "models" / "runs")
    second = RunDirectory(first.path.with_name("20200101T000000-train-1"))
    shutil.copytree(first.path, second.path)
    weights = torch.load(second.path / "best_kanji_model.pth", weights_only=True)
    torch.save({name: value + 0 for name, value in weights.items()}, second.path / "best_kanji_model.pth")
    info = json.loads((second.path / "best_model_info.json").read_text())
    (second.path / "best_model_info.json").write_text(json.dumps({**info, "epoch": 1}))
    longest = seconds_of(lambda: run(home, "publish", second.name))
    pairs = {
        (one.path / "best_kanji_model.pth").read_bytes(): (one.path / "best_model_info.json").read_bytes()
        for one in (first, second)
    }
    for number in range(KILLS):
        name = (first, second)[number % 2].name
        killed_at_random(home, chance, longest, signum, "publish", name)
        published = home / "models" / "best_model_info.json"
        here = (home / "models" / "best_kanji_model.pth").read_bytes()
        assert not published.exists() or published.read_bytes() == pairs[here]
    run(home, "publish", first.name)
    for number in range(max(1, KILLS // 3)):
        copied = second.path.with_name(f"2020010{number % 9 + 1}T000001-train-1")
        shutil.copytree(second.path, copied)
        killed_at_random(home, chance, longest, signum, "delete", copied.name)
        assert not copied.exists() or {path.name for path in copied.iterdir()} == {
            path.name for path in second.path.iterdir()
        }
    nothing_unfinished(home)
    assert not list((home / "models" / "runs").glob(".deleted-*"))


@pytest.mark.parametrize("signum", SIGNALS[:3])
def test_the_workbench_leaves_its_jobs_running(home, tmp_path_factory, signum):
    """A terminal is given back by every signal that can be heard; the training goes on."""
    # The standard recipe stops at no plateau, as the original one does.
    run(home, "train", *TRAINING[:4], "--epochs", 1000000, "--detach")
    training = list_runs(home / "models" / "runs")[0]
    chance, hidden = chance_of("workbench", signum), tmp_path_factory.mktemp("hidden")
    try:
        for _ in range(max(1, KILLS // 4)):
            ours, process = started(home, PYTHONPATH=without_torch(hidden))
            read_until(ours, "Preflight")
            read(ours, chance.uniform(0, 2))
            process.send_signal(signum)
            said = b""
            while process.poll() is None:
                said += read(ours, 0.05)
            said += read(ours, 0.05)
            assert process.returncode == (-signum if signum == signal.SIGKILL else 128 + signum)
            assert signum == signal.SIGKILL or b"\x1b[?1049l" in said
            os.close(ours)
            assert training.state() == "running"
    finally:
        training.request_stop()
        wait_for_end(training)
