"""The frame: text in inputs, dialogs, the palette, leaving, and runs that fail or disappear."""

from contextvars import copy_context
from pathlib import Path

from textual.widgets import Input

from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.shell.confirm import ConfirmScreen
from kanji_tui.tui.shell.form import FormScreen
from tests.tui.conftest import press_and_say_yes, shows, text_of, until
from tests.tui.recorded import LIVE, write_failed, write_live


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


async def test_a_run_whose_events_cannot_be_read_is_shown_with_the_reason(recorded: Path) -> None:
    run = write_live(recorded)
    run.events.unlink()
    run.events.mkdir()
    app = Workbench()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("3")
        await shows(pilot, "events.jsonl cannot be read", 20)
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
        await press_and_say_yes(pilot, "q")
        await until(pilot, lambda: not app.is_running)
    assert RunDirectory(Path("models/runs") / LIVE).state() == "running"


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


async def test_news_that_arrive_while_the_workbench_ends_are_harmless(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)):
        front, context = app.front, copy_context()
    assert front is not None
    context.run(front.refresh_state)
