"""The form that starts a training, and the command it stands for."""

from pathlib import Path

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.training.form import TrainForm
from kanji_tui.tui.training.shown_command import ShownCommand
from tests.tui.conftest import shows, text_of, until
from tests.tui.test_training_screen import WIDE, opened


async def test_the_command_of_a_run_is_copied_and_shown(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, ShownCommand))
        assert app.clipboard == "kanji-tui train --network kanjinet --epochs 12"
        assert app.clipboard in text_of(pilot)
        await pilot.press("escape")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TrainForm))
        app.screen.query_one("#noise").focus()
        await pilot.press(*"0.25", "ctrl+y")
        assert app.clipboard == "kanji-tui train --network kanjinet --set noise=0.25"


async def test_the_form_scrolls_and_refuses_with_the_message_of_the_config(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TrainForm))
        assert "split" not in text_of(pilot)
        app.screen.query_one("#more").focus()
        await pilot.press("asterisk")
        await shows(pilot, "split")
        app.screen.query_one("#fade").focus()
        await shows(pilot, "fade")
        await pilot.press("2")
        await shows(pilot, "fade cannot be 2.0: it must be from 0 to less than 1")
        assert app.screen.query_one("#fade").has_class("-invalid")
        app.screen.query_one("#fold").focus()
        await pilot.press("9", "enter")
        assert isinstance(app.screen, TrainForm)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)


async def test_a_recipe_fills_the_empty_fields(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TrainForm))
        recipe = app.screen.query_one("#recipe")
        recipe.focus()
        while recipe.value != "original":
            await pilot.press("right")
        await shows(pilot, "30 (recipe)")
        await pilot.press("ctrl+y")
        assert app.clipboard == "kanji-tui train --network kanjinet --recipe original"


async def test_time_and_memory_are_measured_before_one_starts(
    home: Path, recorded_once: Path, forked_children: None
) -> None:
    (home / "dataset").symlink_to(recorded_once / "dataset")
    app = Workbench()
    async with app.run_test(size=WIDE) as pilot:
        await shows(pilot, "press 3, then n to train one")
        await pilot.press("3", "n")
        await until(pilot, lambda: isinstance(app.screen, TrainForm))
        app.screen.query_one("#batch_size").focus()
        await pilot.press("2", "ctrl+t")
        await shows(pilot, "measuring")
        await shows(pilot, "samples/s on")
        assert "per epoch" in text_of(pilot)
        await pilot.press("0")
        await shows(pilot, "changed since it was measured")
    assert not Path("models").exists()


async def test_a_training_begins_from_a_file_that_the_form_completes(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, TrainForm))
        app.screen.query_one("#more").focus()
        await pilot.press(*"begin", "enter")
        assert app.focused is not None
        assert app.focused.id == "init"
        assert not app.screen.query_one("#init_file").region
        await pilot.press("left")  # round to the last
        await shows(pilot, "model file")
        await pilot.press("down", *"models/best", "tab", "ctrl+y")  # a thread looks for the file
        begins = "kanji-tui train --network kanjinet --init models/best_kanji_model.pth"
        await until(pilot, lambda: app.clipboard == begins)
        await pilot.press("X", "ctrl+y")
        await shows(pilot, "there is no file 'models/best_kanji_model.pthX'")
        app.screen.query_one("#init").focus()
        await pilot.press("right", "ctrl+y")  # random again: the file is not asked for
        assert app.clipboard == "kanji-tui train --network kanjinet"
