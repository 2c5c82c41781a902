"""`kanji-tui --once`: the screens as plain text, also where neither a terminal nor textual is."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kanji_tui.cli import once
from kanji_tui.cli.parser import SCREENS
from tests.conftest import Ended, Trained, run_command
from tests.tui.recorded import LIVE, RUN, make_home, write_live

BOXES = [chr(code) for code in range(0x2500, 0x25A0)] + ["\x1b", "\r", "\t"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files, a dataset, a finished and a running training, predictions; a kept drawing."""
    home = make_home(tmp_path_factory.mktemp("once"))
    write_live(home)
    (home / "samples" / "田").mkdir(parents=True)
    (home / "samples" / "田" / "20260102T030405-1.png").write_bytes(b"")
    return home


@pytest.fixture
def printed(kanji_tui):
    """What a command prints on stdout in the folder `home`, which is plain text."""

    def call(home: Path, *arguments: str) -> str:
        return plain(kanji_tui(*arguments, "--home", home))

    return call


def plain(process: Ended) -> str:
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    assert not [box for box in BOXES if box in process.stdout]
    return process.stdout


def test_it_has_the_screens_of_the_workbench() -> None:
    assert tuple(once.SCREENS) == SCREENS


def test_the_screens_in_words(home: Path, printed) -> None:
    assert "2 files, 48 records" in printed(home, "--once", "dataset")
    training = printed(home, "--once", "training")
    assert RUN in training
    assert f"The running one, {LIVE}, is running." in " ".join(training.split())
    assert "3,000 of 12,000 samples, 42 s left" in " ".join(training.split())
    assert "98.96 %" in training
    browser = printed(home, "--once", "browser")
    assert "train too: top-1 87.50 % (75.30-94.14) over 6 classes" in " ".join(browser.split())
    assert "U+7530" in browser
    draw = printed(home, "--once", "draw")
    assert "models/best_kanji_model.pth" in draw
    assert "1 of 1 characters" in draw


def test_all_screens_of_an_empty_folder_have_a_next_step(forked_children, tmp_path: Path, printed) -> None:
    output = printed(tmp_path, "--once")
    for digit, name in enumerate(SCREENS, start=1):
        assert f"Screen {digit}, {name.title()}\n" in output
    for remedy in ("prepare record files or folders of images", "kanji-tui train", "kanji-tui export onnx"):
        assert f"To do: {remedy}" in output
    assert ": kanji-tui sample" in output  # the remedy of a check
    assert not list(tmp_path.iterdir())


def test_the_inspector_asks_the_engines(forked_children, tmp_path: Path, trained: Trained, printed) -> None:
    from kanji_tui.export.quick_export import export_quickly

    (tmp_path / "models").mkdir()
    export_quickly(trained.model_path, tmp_path / "models" / "small_tract.onnx")
    output = printed(tmp_path, "--once", "inspector")
    assert "models/small_tract.onnx" in output
    assert "tract" in output
    assert "runs" in output
    assert "Drawings are recognised by models/small_tract.onnx" in printed(tmp_path, "--once", "draw")


def test_it_needs_no_textual(home: Path, tmp_path: Path) -> None:
    """As a process; that no other screen reaches it is a contract of imports."""
    (tmp_path / "textual").mkdir()
    (tmp_path / "textual" / "__init__.py").write_text("raise ModuleNotFoundError('no textual', name='textual')")
    path = f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"
    assert RUN in plain(run_command(home, "--once", "training", PYTHONPATH=path))


def test_a_terminal_gets_no_more_than_a_pipe(home: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kanji_tui", "--once", "training"],
        cwd=home, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(theirs)
    output = b""
    while b"samples/s" not in output:
        output += os.read(ours, 65536)
    process.wait(30)
    os.close(ours)
    assert b"\x1b" not in output


def test_json(home: Path, kanji_tui) -> None:
    process = kanji_tui("--home", home, "--once", "draw", "--json")
    screens = json.loads(process.stdout)["screens"]
    assert [screen["screen"] for screen in screens] == ["draw"]
    assert any("best_kanji_model.pth" in line for line in screens[0]["lines"])


def test_a_broken_dataset_is_reported_and_ends_nothing(home: Path, tmp_path: Path, printed) -> None:
    shutil.copytree(home / "dataset", tmp_path / "dataset")
    (tmp_path / "dataset" / "metadata.json").write_text("{}")
    output = printed(tmp_path, "--once", "dataset")
    assert "cannot be used" in output
    assert "Screen 5, Browser" in printed(tmp_path, "--once", "browser")


def test_no_such_screen(kanji_tui) -> None:
    process = kanji_tui("--once", "kitchen")
    assert process.returncode == 2
    assert "preflight" in process.stderr
