"""A form says what is wrong once the person has typed something or pressed enter, not before."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.dataset.forms import prepare_form, sample_form
from kanji_tui.tui.inspector.screen import open_form
from kanji_tui.tui.shell.form import Field, FormScreen
from kanji_tui.tui.training.form import FIRST, TrainForm
from kanji_tui.tui.widgets.path_input import completed
from tests.tui.conftest import settled, shows, text_of, until


def two_folders() -> FormScreen:
    """A wrong value and an empty one that is wrong too; together they must differ."""

    def folder(text: str) -> str:
        if text in ("", "gone"):
            raise ValueError(f"there is no folder '{text}'")
        return text

    fields = (Field("from", "from", "gone", "", folder), Field("to", "to", "", "", folder))
    return FormScreen("Copy", "", fields, "Copy", lambda values: "the same" * (values["from"] == values["to"]))


FORMS = {
    "open": lambda: open_form(""),
    "prepare": lambda: prepare_form("nowhere", 64),
    "sample": sample_form,
    "two folders": two_folders,
}


@pytest.mark.parametrize("name", FORMS)
async def test_an_untouched_form_complains_about_nothing(name: str, home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.push_screen(FORMS[name]())
        await shows(pilot, "esc cancels")
        await settled(pilot)
        await pilot.press("tab", "shift+tab")
        await settled(pilot)
        assert "there is no" not in text_of(pilot)
        assert not app.screen.query(".-invalid")


async def test_only_the_changed_field_complains_until_enter(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.push_screen(two_folders())
        await pilot.press("tab", "x", "backspace")
        await shows(pilot, "to: there is no folder ''")
        assert [field.id for field in app.screen.query(".-invalid")] == ["to"]
        await pilot.press("y")
        await settled(pilot)
        assert "there is no" not in text_of(pilot)
        await pilot.press("enter")
        await shows(pilot, "from: there is no folder 'gone'")
        assert app.screen.query_one("#from", Input).has_focus


async def test_a_sample_has_no_more_characters_than_its_set(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(100, 30)) as pilot:
        answers: list[dict[str, Any] | None] = []
        await app.push_screen(sample_form(), answers.append)
        await pilot.press("ctrl+u", *"200", "tab", "right")
        await shows(pilot, "characters must be from 2 to 148, all of the set")
        await pilot.press("right")
        await settled(pilot)
        assert "all of the set" not in text_of(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: bool(answers))
    assert answers[0] is not None
    assert (answers[0]["characters"], answers[0]["classes"]) == ("all", 200)


async def test_what_is_wrong_with_fields_together_is_shown_once_one_has_changed(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(100, 30)) as pilot:
        await app.push_screen(two_folders())
        await pilot.press("ctrl+u", "a", "tab", "a")
        await shows(pilot, "the same")


def in_sight(form: FormScreen) -> list[str]:
    """The names of the fields that are shown."""
    return [field.name for field in form._fields if form.query_one(f"#{field.name}").parent.display]


async def test_a_training_asks_six_things_first_and_has_the_rest_behind_a_filter(home: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(100, 40)) as pilot:
        form = TrainForm(app.worker, None)
        await app.push_screen(form)
        await shows(pilot, "(network)")
        assert in_sight(form) == list(FIRST)
        assert len(FIRST) == 6
        await pilot.press(*["tab"] * 6, *"optimiser")
        await shows(pilot, "muon (recipe)")
        assert "noise" not in in_sight(form)
        await pilot.press("enter")
        assert isinstance(app.screen, TrainForm)  # enter went to what was found, and started nothing
        form.query_one("#optimiser").focus()
        await pilot.press("right", "right")
        form.query_one("#more").focus()
        await pilot.press("ctrl+u", *"noise")
        await until(pilot, lambda: "noise" in in_sight(form))
        assert "optimiser" in in_sight(form)  # what was changed stays in sight
        await pilot.press("ctrl+u", "asterisk")
        await until(pilot, lambda: len(in_sight(form)) > 35)


async def test_a_path_is_completed_and_the_home_folder_has_a_short_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home))
    (home / "handwriting" / "scans").mkdir(parents=True)
    (home / "model.onnx").touch()
    (home / "model.txt").touch()
    assert completed("~/hand") == "~/handwriting/"
    assert completed("mo") is None
    assert completed("mo", (".onnx",)) == "model.onnx"
    assert completed("model.onnx", (".onnx",)) is None
    assert completed("~nobody-of-this-name/x") is None
    app = Workbench()
    async with app.run_test(size=(100, 30)) as pilot:
        form = prepare_form("ETL9G", 64)
        await app.push_screen(form)
        await pilot.press(*"~/ha")
        await shows(pilot, "~/handwriting/")
        await pilot.press("tab")
        field = form.query_one("#etl_dir", Input)
        await until(pilot, lambda: field.value == "~/handwriting/")
        await pilot.press("s", "tab")
        await until(pilot, lambda: field.value == "~/handwriting/scans/")
        await pilot.press("tab")
        await until(pilot, lambda: form.query_one("#size").has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen_stack) == 1)  # `~` is understood
