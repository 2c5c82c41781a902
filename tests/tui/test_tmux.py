"""A training outlives the tmux it was started in, and is found again in another."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kanji_tui.runs.run_directory import RunDirectory, list_runs
from kanji_tui.runs.run_summary import summarise
from tests.conftest import Trained
from tests.tui.terminal import without_torch

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
TRAIN = ("train", "--epochs", "8", "--batch-size", "32", "--set", "precision=float32")  # the settings of `trained`


class Tmux:
    """A tmux server of the test's own."""

    def __init__(self, name: str, home: Path) -> None:
        self._name, self._home = name, home

    def __call__(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._name, "-f", os.devnull, *arguments]
        return subprocess.run(command, cwd=self._home, capture_output=True, text=True, check=True).stdout

    def open(self, *arguments: str) -> None:
        command = (sys.executable, "-m", "kanji_tui", *arguments)
        self("-u", "new-session", "-d", "-x", "120", "-y", "40", "-s", "work", *command)

    def shown(self) -> str:
        return self("capture-pane", "-p")

    def kill(self) -> None:
        subprocess.run(["tmux", "-L", self._name, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def tmux(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Tmux]]:
    monkeypatch.delenv("TMUX", raising=False)
    opened: list[Tmux] = []

    def make(number: int) -> Tmux:
        opened.append(Tmux(f"kanji-tui-test-{os.getpid()}-{number}", home))
        return opened[-1]

    yield make
    for server in opened:
        server.kill()


def test_a_training_abandoned_with_its_tmux_ends_like_an_undisturbed_one(
    home: Path,
    tmux: Callable[[int], Tmux],
    trained: Trained,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (home / "dataset").symlink_to(trained.data_dir)
    first = tmux(1)
    first.open(*TRAIN)
    run = until(lambda: next(iter(list_runs(home / "models" / "runs")), None))
    until(lambda: (summarise(run).epoch or 0) >= 1)
    first.kill()
    done = summarise(run)
    assert (done.state, done.epoch != done.epochs) == ("running", True)

    monkeypatch.setenv("PYTHONPATH", without_torch(tmp_path_factory.mktemp("path")))  # the workbench needs none
    second = tmux(2)
    second.open()
    until(lambda: "next" in second.shown())
    second("send-keys", "3")
    until(lambda: "finished" in second.shown() and "published" in second.shown())
    assert what_it_learned(run) == what_it_learned(RunDirectory(trained.run))


def until(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return value


def what_it_learned(run: RunDirectory) -> tuple[str, int | None, dict[str, float]]:
    """A digest of the best weights, the last epoch, and how good the best one was."""
    import torch

    weights = torch.load(run.path / "best_kanji_model.pth", weights_only=True)
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    summary = summarise(run)
    return digest.hexdigest(), summary.epoch, summary.validation
