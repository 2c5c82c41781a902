"""Keys that arrive in one packet: each goes to what the one before it opened, and none becomes another command."""

from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.shell.help import HelpScreen
from kanji_tui.tui.widgets.line_input import LineInput
from tests.tui.conftest import until
from tests.tui.recorded import write_live
from tests.tui.terminal import (
    press,
    read_until,
    read_until_hidden,
    read_until_quiet,
    read_until_shown,
    read_until_silent,
    shown,
    without_torch,
    workbench,
)

NAMES = {"?": "question_mark", "\t": "tab", "\r": "enter", "\x1b": "escape", "/": "slash"}


def in_one_packet(app: Workbench, keys: str) -> None:
    for key in keys:
        app.post_message(events.Key(NAMES.get(key, key), key))


def offers(app: Workbench, key: str) -> bool:
    """Whether the key does something on the screen as it is."""
    found = app.screen.active_bindings.get(NAMES.get(key, key))
    return found is not None and found.enabled


@pytest.mark.usefixtures("recorded", "no_recogniser")
@pytest.mark.parametrize(
    ("screen", "keys", "typed"),
    [
        ("3", "fstopped", "stopped"),
        ("3", "fP", "P"),
        ("3", "/nq", "nq"),
        ("5", "/3036", "3036"),
    ],
)
async def test_what_follows_the_key_of_a_prompt_is_typed_into_it(screen: str, keys: str, typed: str) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.state.workspace is not None)
        await pilot.press(screen)
        await until(pilot, lambda: offers(app, keys[0]), 20)
        in_one_packet(app, keys)
        await until(pilot, lambda: any(field.value == typed for field in app.screen.query(Input)), 20)
        assert len(app.screen_stack) == 1  # no dialog
        assert isinstance(app.focused, LineInput)


@pytest.mark.usefixtures("recorded", "no_recogniser")
@pytest.mark.parametrize("closing", ["\r", "\x1b"])
@pytest.mark.parametrize(("screen", "keys"), [("3", "fkanji"), ("3", "/loss"), ("3", "R2x2"), ("5", "/3036")])
async def test_what_follows_the_end_of_a_prompt_is_a_command_again(screen: str, keys: str, closing: str) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.state.workspace is not None)
        await pilot.press(screen)
        await until(pilot, lambda: offers(app, keys[0]), 20)
        in_one_packet(app, keys + closing + "?")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen), 20)
        assert not any("?" in field.value for field in app.screen_stack[0].query(Input))


@pytest.mark.usefixtures("recorded", "no_recogniser")
@pytest.mark.parametrize(("keys", "field", "typed"), [("3n\t\t77", "epochs", "77"), ("2n7\t\t5", "sets", "5")])
async def test_what_follows_the_key_of_a_form_is_typed_into_its_fields(keys: str, field: str, typed: str) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.state.workspace is not None)
        in_one_packet(app, keys)
        await until(pilot, lambda: len(app.screen_stack) == 2, 20)
        await until(pilot, lambda: typed in app.screen.query_one(f"#{field}", LineInput).value, 20)


def leave_its_jobs(terminal: int) -> None:
    """Leave a workbench whose job goes on."""
    press(terminal, "\x11")
    read_until(terminal, "continue after you leave")
    press(terminal, "y")
    read_until_quiet(terminal, 0.5)


SLOW = """
import time
from textual.drivers.linux_driver import LinuxDriver

at_once = LinuxDriver.process_message
def process_message(driver, message):
    at_once(driver, message)
    time.sleep(0.25)
LinuxDriver.process_message = process_message
"""


def test_a_key_that_is_understood_late_is_no_answer(recorded: Path, tmp_path_factory: pytest.TempPathFactory):
    """As on a machine so busy that the first key of a packet is done before the second is looked at."""
    run = write_live(recorded)
    path = tmp_path_factory.mktemp("path")
    (path / "sitecustomize.py").write_text(SLOW)
    with workbench(recorded, PYTHONPATH=without_torch(path)) as terminal:
        read_until(terminal, "next  ")
        press(terminal, "3")
        read_until(terminal, "s Stop")
        press(terminal, "sy")
        read_until_shown(terminal, "Stop this job?")
        read_until_quiet(terminal, 1.0)  # the second key has been looked at
        assert "Stop this job?" in shown(terminal)
        assert not run.stop_file.exists()
        press(terminal, "y")  # a key of its own
        read_until_hidden(terminal, "Stop this job?")
        leave_its_jobs(terminal)
    assert run.stop_file.exists()


# What is written at once after a screen was opened, and what the terminal shows then.
WRITES = {
    "3": (
        ("fstopped", "note:smoothing stopped"), ("/nq", "metrics matching nq"), ("lP", "lr batch best test P"),
        ("oP", "sorted by, as -best P"), ("Fs", "log matching s"), ("asP", "sP"), ("n\t\t77", "77"),
        ("\rsP", "1 settings"), ("esP", "Export a model"), ("PsP", "Publish this run?"), ("sP", "Stop this job?"),
        ("UsP", "Stop this job?"), ("?sP", "Training: keys"), ("\x10sP", "sP"),
        ("system", "Stop this job?"), ("Py", "Publish this run?"), ("n\ry", "Start another training?"),
        ("jdsP", "Delete this run?"), ("dynamic", "Delete this run?"),
    ),
    "2": (
        ("nsP", "Make a synthetic sample"), ("psP", "sP"),
        ("n\ry", "Replace the record files?"), ("p\ry", "Replace the dataset?"),
    ),
    "4": (("nsP", "sP"),),
    "5": (("/3036", "3036"), ("fs", "no class found")),
}  # fmt: skip

OPENED = {"2": "digest", "3": "start run", "4": "ONNX files", "5": "あ"}


def test_no_key_of_a_single_write_becomes_another_command(
    recorded: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A training runs, which `s` would stop, and its model could be published."""
    run = write_live(recorded)
    before = {path: path.read_bytes() for path in (recorded / "models").glob("*.*")}
    runs = sorted(path.name for path in (recorded / "models" / "runs").iterdir())
    with workbench(recorded, PYTHONPATH=without_torch(tmp_path_factory.mktemp("path"))) as terminal:
        read_until(terminal, "next  ")
        for screen, writes in WRITES.items():
            press(terminal, screen)
            read_until(terminal, OPENED[screen])
            read_until_silent(terminal, 0.1)
            for keys, shown_then in writes:
                always = shown_then in shown(terminal)
                press(terminal, keys)
                read_until_shown(terminal, shown_then)
                press(terminal, "\x1b")
                if not always:  # a key right behind an escape would be one with alt
                    read_until_hidden(terminal, shown_then)
                read_until_silent(terminal, 0.4 if always else 0.1)
        press(terminal, "3")  # no dialog is open, or it would not be shown
        read_until(terminal, "start run")
        leave_its_jobs(terminal)
    assert not run.stop_file.exists()
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(path.name for path in (recorded / "models" / "runs").iterdir()) == runs


@pytest.mark.usefixtures("recorded", "no_recogniser")
async def test_a_paste_without_a_field_does_nothing() -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.state.workspace is not None)
        in_one_packet(app, "3")
        app.post_message(events.Paste("nsqP6"))
        in_one_packet(app, "f")
        app.post_message(events.Paste("stopped"))
        await until(pilot, lambda: any(field.value == "stopped" for field in app.screen.query(Input)))
        assert app.current_mode == "training"
        assert len(app.screen_stack) == 1
