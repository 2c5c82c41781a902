"""The frame: screens by digit, text in inputs, help, palette, leaving, and what must never be loaded."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from textual.widgets import Input

from kanji_tui.presentation.tabs import SCREENS
from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.tui.app import Workbench, screen_class
from kanji_tui.tui.shell.confirm import ConfirmScreen
from kanji_tui.tui.shell.form import FormScreen
from kanji_tui.tui.shell.help import HelpScreen
from tests.tui.conftest import shows, text_of, until
from tests.tui.recorded import LIVE, write_failed, write_live


async def test_digits_lead_to_every_screen(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        for digit, screen in enumerate(map(screen_class, SCREENS), start=1):
            await pilot.press(str(digit))
            await until(pilot, lambda screen=screen: isinstance(app.screen, screen))
            assert f"{digit} {screen.MODE.title()}" in text_of(pilot)


async def test_digits_and_letters_are_text_while_an_input_has_the_focus(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await shows(pilot, "4544")
        await pilot.press("slash", "4", "5", "4", "4", "q")
        search = app.screen.query_one("#search", Input)
        assert search.value == "4544q"
        assert app.front is not None
        assert app.front.MODE == "browser"
        await pilot.press("backspace")
        await shows(pilot, "1 of 6")
        await pilot.press("escape")
        await shows(pilot, "classes  6")
        await pilot.press("2", "p")
        await until(pilot, lambda: isinstance(app.screen, FormScreen))
        await pilot.press("ctrl+u", "3", "s")
        assert app.screen.query_one("#etl_dir", Input).value == "3s"
        assert app.front.MODE == "dataset"


async def test_no_key_changes_the_screen_under_a_dialog(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await shows(pilot, "finished")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("1", "2")
        assert app.front is not None
        assert app.front.MODE == "training"
        await pilot.press("escape")
        await pilot.pause()
        assert len(app.screen_stack) == 1


async def test_help_names_every_key_of_the_screen(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 60)) as pilot:
        for digit, screen in enumerate(map(screen_class, SCREENS), start=1):
            await pilot.press(str(digit))
            await until(pilot, lambda screen=screen: isinstance(app.screen, screen))
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(app.screen, HelpScreen))
            await shows(pilot, "everywhere")
            shown = text_of(pilot)
            for binding in screen.own_bindings():
                assert (binding.tooltip or binding.description) in shown
            await pilot.press("escape")


async def test_the_palette_does_an_action_of_another_screen(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "model kanjinet")
        await pilot.press("ctrl+p")
        await pilot.press(*"search")
        await shows(pilot, "Browser: Search")
        await pilot.press("enter")
        await until(pilot, lambda: app.front is not None and app.front.MODE == "browser")
        await until(pilot, lambda: getattr(app.focused, "id", "") == "search")


async def test_the_palette_reports_what_is_not_possible_now(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await shows(pilot, "no record files yet")
        await pilot.press("ctrl+p")
        await pilot.press(*"publish")
        await shows(pilot, "Training: Publish")
        await pilot.press("enter")
        await shows(pilot, "not possible now")
        assert app.front is not None
        assert app.front.MODE == "training"


async def test_a_run_that_cannot_be_read_is_reported(recorded: Path) -> None:
    run = write_live(recorded)
    run.events.unlink()
    run.events.mkdir()
    app = Workbench()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await shows(pilot, f"run {LIVE} cannot be read")
        await pilot.press("3")
        await shows(pilot, "finished")  # the other one


async def test_leaving_shows_what_continues(recorded: Path) -> None:
    write_live(recorded)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "42 s left")
        await pilot.press("q")
        await shows(pilot, LIVE)
        assert "kanji-tui attach" in text_of(pilot)
        await pilot.press("n")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        await pilot.press("q", "y")
        await until(pilot, lambda: not app.is_running)
    assert RunDirectory(Path("models/runs") / LIVE).state() == "running"


async def test_two_workbenches_stop_a_run_once(recorded: Path) -> None:
    run = write_live(recorded)
    for _ in range(2):
        app = Workbench()
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("3")
            await shows(pilot, "epoch 5 of 12")
            await pilot.press("s")
            await until(pilot, run.stop_file.exists)
            written = run.stop_file.stat().st_ino
            await pilot.press("s")
            await pilot.pause(0.2)
            assert run.stop_file.stat().st_ino == written
            assert "error" not in text_of(pilot).lower()


async def test_a_failed_run_shows_its_message_and_no_traceback(recorded: Path) -> None:
    write_failed(recorded)
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await shows(pilot, "no longer a number")
        assert "lower the learning rate" in text_of(pilot)
        assert "Traceback" not in text_of(pilot).split("log")[0]


async def test_a_deleted_run_disappears(recorded: Path) -> None:
    run = write_failed(recorded)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await shows(pilot, "failed")
        await pilot.press("d")
        await shows(pilot, "Delete this run?")
        await pilot.press("y")
        await until(pilot, lambda: not run.path.exists())
        await until(pilot, lambda: "failed" not in text_of(pilot))


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TEXTUAL_COLOR_SYSTEM": "standard"}])
def test_it_paints_without_colours(recorded: Path, variables: dict[str, str]) -> None:
    painted = paint(recorded, b"5", variables)
    assert "Browser" in painted
    assert "▀" not in painted  # grey half blocks need colours


def test_starting_loads_neither_torch_nor_onnx(recorded: Path) -> None:
    code = """
import asyncio, sys
from kanji_tui.tui.app import Workbench

app = Workbench()
before_start = set(sys.modules)  # numpy comes with the worker's first reads, never before the first paint

async def main():
    async with app.run_test(size=(80, 24)) as pilot:
        for key in "123456":
            await pilot.press(key)
            await pilot.pause(0.6)
        heavy = {"torch", "onnx", "onnxruntime", "tract"}
        print(sorted(heavy & set(sys.modules)), "numpy" in before_start)

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=recorded, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[] False", done.stdout + done.stderr


def open_workbench(home: Path, variables: dict[str, str]) -> tuple[subprocess.Popen, int]:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LINES": "24", "COLUMNS": "80"}
    process = subprocess.Popen(
        [sys.executable, "-m", "kanji_tui"],
        cwd=home,
        env={**environment, **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    return process, ours


def read(terminal: int, seconds: float) -> bytes:
    """What comes within `seconds`."""
    found = b""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            found += os.read(terminal, 65536)
    return found


def read_until_quiet(terminal: int, seconds: float) -> bytes:
    """All that comes until nothing more has come for `seconds`, from the first byte on."""
    assert select.select([terminal], [], [], 30)[0], "the workbench painted nothing"
    found = b""
    deadline = time.monotonic() + 20
    while fresh := read(terminal, seconds):
        found += fresh
        assert time.monotonic() < deadline, "the workbench never falls silent"
    return found


def paint(home: Path, keys: bytes, variables: dict[str, str]) -> str:
    process, terminal = open_workbench(home, variables)
    try:
        read_until_quiet(terminal, 0.6)
        os.write(terminal, keys)
        return read_until_quiet(terminal, 0.6).decode("utf-8", "replace")
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
