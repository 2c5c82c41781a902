"""A disk that fills in earnest, a small tmpfs: a sentence, nothing lost, and once there is space it goes on.

Each command meets the end of the space at several moments: so much is left free as a part of what it writes.
"""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from kanji_tui.data import preparation, sample
from kanji_tui.runs.run_directory import list_runs
from tests.faults.test_kills import files_of
from tests.web.test_page import small_package

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]
SIZE = "64m"
PARTS = (0.0, 0.02, 0.3, 0.6, 0.95)  # of what a command writes, that is left free for it
PAGE = 4096


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own; only root may mount one, and not in every container."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def template(trained, sample_dir, tmp_path: Path) -> Path:
    """A home with records, a dataset, a published run and another, on another disk."""
    home = tmp_path / "template"
    shutil.copytree(sample_dir, home / "ETL9G")
    shutil.copytree(trained.data_dir, home / "dataset")
    shutil.copytree(trained.models_dir, home / "models")
    another_run(home)
    return home


def another_run(home: Path) -> None:
    """A second finished run, whose model is another."""
    (first,) = list_runs(home / "models" / "runs")
    second = first.path.with_name("20200101T000000-train-1")
    shutil.copytree(first.path, second)
    weights = torch.load(second / "best_kanji_model.pth", weights_only=True)
    torch.save({name: value + 0 for name, value in weights.items()}, second / "best_kanji_model.pth")


@contextmanager
def all_but(disk: Path, left: int) -> Iterator[None]:
    """Within it, so many bytes are free on the disk."""
    ballast = disk / "ballast"
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - left // PAGE * PAGE)
    try:
        yield
    finally:
        ballast.unlink()


def fresh(template: Path, disk: Path) -> Path:
    home = disk / "home"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template, home)
    return home


COMMANDS = {
    "sample": ("sample", "--classes", 12, "--sets", 16, "--output-dir", "more"),
    "prepare": ("prepare", "--size", 64),
    "evaluate": ("evaluate", "--split", "all"),
    "export safetensors": ("export", "safetensors"),
    "export mapping": ("export", "mapping"),
    "export onnx": ("export", "onnx"),
    "export web": ("export", "web", "--runtime", "../../package", "--model-path", "built-in"),
    "publish": ("publish", "20200101"),
    "publish --undo": ("publish", "--undo"),
}


@pytest.fixture
def without_foresight(monkeypatch, tmp_path) -> None:
    """Commands begin although they could know that the space is too small; a small runtime of the web page."""
    monkeypatch.setattr(preparation, "_check_disk_space", lambda *arguments: None)
    monkeypatch.setattr(sample, "_check_disk_space", lambda *arguments: None)
    with tarfile.open(small_package(tmp_path, monkeypatch)) as package:
        package.extractall(tmp_path, filter="data")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_on_a_full_disk(kanji_tui, template, disk, without_foresight, name):
    if name == "publish --undo":
        assert kanji_tui("--home", template, "publish", "20200101").returncode == 0
    home = fresh(template, disk)
    before, free = files_of(home), shutil.disk_usage(disk).free
    assert kanji_tui("--home", home, *COMMANDS[name]).returncode == 0
    whole, taken = files_of(home), free - shutil.disk_usage(disk).free
    most = max(taken, sum(path.stat().st_size for path in home.rglob("*") if changed(path, home, before)))
    failed = 0
    for part in PARTS:
        home = fresh(template, disk)
        with all_but(disk, int(part * most)):
            ended = kanji_tui("--home", home, *COMMANDS[name])
        assert "Traceback" not in ended.stderr
        left = files_of(home)
        if ended.returncode:
            failed += 1
            assert "error: the disk is full" in ended.stderr, ended
            assert {path: content for path, content in left.items() if path in before} == before
            assert not [path for path in left.keys() - before.keys() if "/.next/" not in path], left.keys()
        ended = kanji_tui("--home", home, *COMMANDS[name])
        assert (ended.returncode, files_of(home)) == (0, whole), (name, part, ended)
    assert failed > 2 or name == "evaluate"  # its predictions are only kept where there is space


def changed(path: Path, home: Path, before: dict[str, object]) -> bool:
    name = str(path.relative_to(home))
    return path.is_file() and path.read_bytes() != before.get(name)


@pytest.mark.parametrize("part", [0.0, 0.003, 0.1, 0.5, 0.9])
def test_a_training_on_a_full_disk_goes_on_to_the_same_weights(kanji_tui, template, disk, part):
    options = ("--network", "v1", "--recipe", "standard", "--epochs", "3", "--batch-size", "16")
    home = fresh(template, disk)
    before, free = files_of(home), shutil.disk_usage(disk).free
    assert kanji_tui("--home", home, "train", *options).returncode == 0
    taken = free - shutil.disk_usage(disk).free
    whole = torch.load(home / "models" / "best_kanji_model.pth", weights_only=True)
    home = fresh(template, disk)
    with all_but(disk, int(part * taken)):
        ended = kanji_tui("--home", home, "train", *options)
        listed = kanji_tui("--home", home, "runs")
    assert (ended.returncode, listed.returncode) == (1, 0)
    assert "the disk is full" in ended.stderr
    assert "free some space" in ended.stderr
    assert "Traceback" not in ended.stderr
    left = files_of(home)
    assert {path: content for path, content in left.items() if path in before} == before
    again = ("--resume", "latest") if "--resume" in ended.stderr else options  # as the sentence advises
    ended = kanji_tui("--home", home, "train", *again)
    assert ended.returncode == 0, ended
    found = torch.load(home / "models" / "best_kanji_model.pth", weights_only=True)
    assert all(torch.equal(whole[name], found[name]) for name in whole)
