"""The workbench in a folder of the test's own, and waiting for what it shows."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest
from rich.console import RenderableType
from textual._compositor import Compositor
from textual._context import active_app
from textual.pilot import Pilot
from textual.strip import Strip

from kanji_tui.preflight.packages import version
from kanji_tui.recognition.drawing.client import RecogniserClient
from kanji_tui.tui.preflight.screen import SampleSourcesChecked, TorchChecked
from kanji_tui.tui.shell.confirm import ConfirmScreen
from kanji_tui.tui.shell.worker import Worker
from tests.conftest import made_once
from tests.tui.recorded import make_home

SECONDS = 120.0
ROUNDS = 100  # of the event loop: more than any chain of messages that follows from a key
FRAME = 0.02  # Textual lays out and paints 60 times a second at most


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


@pytest.fixture(autouse=True)
def keys_wait_for_their_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of the pilot waits until its messages are handled.

    Textual waits until the process uses little processor time: 40 ms a key at least, too short on a busy machine.
    """

    async def wait_for_idle(*_seconds: float) -> None:
        for _ in range(ROUNDS):
            await asyncio.sleep(0)

    monkeypatch.setattr("textual.app.wait_for_idle", wait_for_idle)
    monkeypatch.setattr("textual.pilot.wait_for_idle", wait_for_idle)


@pytest.fixture(autouse=True)
def no_frame_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal Textual renders every frame and throws it away; here a test renders what it reads."""
    render_update = Compositor.render_update

    def update(compositor: Compositor, full: bool = False, **how: Any) -> RenderableType | None:
        if full or not active_app.get().is_headless:
            return render_update(compositor, full, **how)
        compositor._dirty_regions.clear()
        return None

    monkeypatch.setattr(Compositor, "render_update", update)


@pytest.fixture(autouse=True)
def frequent_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed on disk is shown soon."""
    monkeypatch.setattr("kanji_tui.tui.shell.worker.FOLLOW_SECONDS", 0.1)
    monkeypatch.setattr("kanji_tui.tui.shell.worker.LIST_SECONDS", 0.1)
    monkeypatch.setattr("kanji_tui.tui.shell.worker.WORKSPACE_SECONDS", 0.3)
    monkeypatch.setattr("kanji_tui.tui.widgets.curves.REDRAW_SECONDS", 0.1)


@pytest.fixture(scope="session")
def versions() -> Callable[[str], str]:
    """The installed versions, which no test changes: with every app Preflight asks for those of twenty packages."""
    return cache(version)


@pytest.fixture(autouse=True)
def versions_are_read_once(versions: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kanji_tui.preflight.packages.version", versions)


@pytest.fixture(autouse=True)
def no_slow_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preflight's children find nothing, at once: with every app one would import torch, and one search for fonts.

    A module whose tests need the real ones overrides this fixture.
    """
    monkeypatch.setattr(Worker, "ask_child", Worker.ask_child)
    answer_slow_checks()


def answer_slow_checks() -> None:
    """Have a worker answer for Preflight's children that nothing was found."""
    ask_child = Worker.ask_child

    def answer(worker: Worker, asker: Any, answered: Any, *question: Any, **key: str) -> None:
        if answered in (SampleSourcesChecked, TorchChecked):
            worker.ask(asker, answered, list)
        else:
            ask_child(worker, asker, answered, *question, **key)

    Worker.ask_child = answer  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def forked(forked_jobs: None) -> None:
    """Jobs are processes, but load nothing anew."""


@pytest.fixture
def no_recogniser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Draw screen waits for a recogniser that never starts."""
    for name in ("find_model", "recognise", "save"):
        monkeypatch.setattr(RecogniserClient, name, lambda *arguments: None)


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
    began = time.monotonic()
    while not holds():
        waited = time.monotonic() - began
        assert waited < seconds, f"never came true on this screen:\n{text_of(pilot)}"
        await pilot.pause(min(0.3, FRAME + waited / 10))  # what takes long is not asked for often
    await pilot.pause(FRAME)


async def press_and_say_yes(pilot: Pilot, key: str) -> None:
    """Press a key that asks, and answer once the question is there: no key before that is an answer."""
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen) and pilot.app.screen.focused)
    await pilot.press("y")


async def settled(pilot: Pilot) -> None:
    """Wait until the screen stays as it is from frame to frame."""
    unchanged = 0
    while unchanged < 3:
        before = painted(pilot)
        await pilot.pause(FRAME)
        unchanged = unchanged + 1 if painted(pilot) == before else 0


async def written_for_nothing(pilot: Pilot, written: list[str]) -> list[str]:
    """What three refreshes without any change add to `written`.

    What was still on its way is written once, what changes nothing each time: so several attempts are made.
    """
    assert pilot.app.front is not None
    for _ in range(10):
        await settled(pilot)
        written.clear()
        for _ in range(3):
            pilot.app.front.refresh_state()
            await pilot.pause()
        if not written:
            break
    return written


def painted(pilot: Pilot) -> list[Strip]:
    """The screen's rows as they are painted."""
    return pilot.app.screen._compositor.render_strips()


def text_of(pilot: Pilot) -> str:
    """The screen as plain text, a line for each row."""
    return "\n".join(strip.text.rstrip() for strip in painted(pilot))


async def shows(pilot: Pilot, text: str, seconds: float = SECONDS) -> None:
    """Wait until the screen shows `text`."""
    await until(pilot, lambda: text in text_of(pilot), seconds)


async def resized(pilot: Pilot, size: tuple[int, int]) -> None:
    """Give the terminal another size, and wait until the screen is laid out for it."""
    await pilot.resize_terminal(*size)
    await until(pilot, lambda: (painted(pilot)[0].cell_length, len(painted(pilot))) == size)
    await settled(pilot)


def children_with(argument: str) -> list[int]:
    """The ids of this process's living children with `argument` in their command line."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if child.status() != psutil.STATUS_ZOMBIE and any(argument in part for part in child.cmdline()):
                found.append(child.pid)
    return found
