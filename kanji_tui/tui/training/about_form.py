"""The form for what a person says of a run."""

from collections.abc import Callable

from kanji_tui.errors import KanjiError
from kanji_tui.runs.about import About, about_from
from kanji_tui.training.settings import MAIN
from kanji_tui.tui.shell.form import Field, FormScreen
from kanji_tui.workspace.run_views import RunView


def about_form(view: RunView) -> FormScreen:
    """The run's name and note, with what they are now."""
    return FormScreen("About this run", view.name, about_fields(view.about), "Save")


def about_fields(about: About) -> tuple[Field, Field]:
    """A line for the name and one for the note."""
    name = "A short name. Lists show it instead of the network."
    note = "What the run is for, or what came of it. Filter by it: note:smoothing"
    return (
        Field("name", "name", about.name, name, _named, placeholder="none", group=MAIN),
        Field("note", "note", about.note, note, _noted, placeholder="none", group=MAIN),
    )


def _named(text: str) -> str:
    return _checked(lambda: about_from(text, None).name)


def _noted(text: str) -> str:
    return _checked(lambda: about_from(None, text).note)


def _checked(read: Callable[[], str]) -> str:
    """What `read` gives; a ValueError with the reason, without the field's name, where it refuses."""
    try:
        return read()
    except KanjiError as error:
        raise ValueError(error.message.partition("it must be ")[2] or error.message) from None
