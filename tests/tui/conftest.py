"""The workbench in a folder of the test's own, and waiting for what it shows."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.conftest import made_once
from tests.tui.recorded import make_home

SECONDS = 120.0


@pytest.fixture(autouse=True)
def same_terminal(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with all colours, whatever runs the tests; and nobody's own settings are read or written."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch):
    """Times on screen do not depend on where the test runs."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and the current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def recorded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "recorded", make_home)


@pytest.fixture
def recorded(recorded_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recorded workspace, and the current directory."""
    shutil.copytree(recorded_once, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    os.utime(tmp_path / "models" / "best_kanji_model.pth", (1, 1))
    return tmp_path


async def until(pilot: Pilot, holds: Callable[[], Any], seconds: float = SECONDS) -> None:
    """Wait until `holds` is true; fail with the screen's text if it never is."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never came true on this screen:\n{text_of(pilot)}"
        await pilot.pause(0.05)
    await pilot.pause()


def text_of(pilot: Pilot) -> str:
    """The screen as plain text, a line for each row."""
    height = pilot.app.size.height
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips[:height])


async def shows(pilot: Pilot, text: str, seconds: float = SECONDS) -> None:
    """Wait until the screen shows `text`."""
    await until(pilot, lambda: text in text_of(pilot), seconds)
