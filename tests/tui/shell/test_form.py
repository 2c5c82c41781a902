"""A form says what is wrong once the person has typed something or pressed enter, not before."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.dataset.forms import prepare_form, sample_form
from kanji_tui.tui.inspector.screen import open_form
from kanji_tui.tui.shell.form import Field, FormScreen
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
