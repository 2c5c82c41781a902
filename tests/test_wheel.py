"""What people install: the wheel has every file of the package, both licences, and reads at once."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from kanji_tui.recognition.drawing.results import StrokeStyle
from kanji_tui.recognition.drawing.strokes import render
from tests.drawn import DRAWN

ROOT = Path(__file__).parent.parent
BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves files in its folder."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "kanji_tui", source / "kanji_tui", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    done = subprocess.run([sys.executable, "-c", BUILD, made], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = made.glob("*.whl")
    return path


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    """A folder with the installed wheel alone."""
    folder = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--no-compile"]
    done = subprocess.run([*pip, "--no-index", "--target", folder, wheel], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_file_of_the_package_is_in_it(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    files = {path for path in (ROOT / "kanji_tui").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {path.relative_to(ROOT).as_posix() for path in files} <= packed


def test_both_licences_travel_with_it(wheel: Path) -> None:
    opened = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in opened.namelist() if name.endswith(".dist-info/METADATA"))
    assert "License-Expression: MIT AND CC-BY-SA-4.0" in opened.read(metadata).decode()
    licenses = Path(metadata).with_name("licenses")
    for license in ("LICENSE", "kanji_tui/recognition/built_in/LICENSE", "kanji_tui/characters/facts/README.md"):
        assert opened.read((licenses / license).as_posix()) == (ROOT / license).read_bytes()


def test_what_is_installed_reads_an_image_with_the_built_in_model(installed: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    Image.fromarray(render(DRAWN["田"], StrokeStyle())).save(home / "den.png")
    environment = {**os.environ, "PYTHONPATH": str(installed)}

    def run(*command: object) -> str:
        done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    imported = run(sys.executable, "-c", "import kanji_tui; print(kanji_tui.__file__)")
    assert Path(imported).is_relative_to(installed)
    answer = json.loads(run(installed / "bin" / "kanji-tui", "predict", "den.png", "--json"))
    assert answer["model_path"] == "built-in"
    assert answer["predictions"][0]["candidates"][0]["character"] == "田"
