"""A small form: a line for each field, the help of the one in focus, and what is wrong with it while one types."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Static

from kanji_tui.errors import KanjiError
from kanji_tui.tui.widgets.choice import Choice
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.line_input import LineInput

Parse = Callable[[str], Any]
Words = Callable[[dict[str, str]], str]


@dataclass(frozen=True)
class Field:
    """`parse` turns the text into the value, raising ValueError or KanjiError with a sentence.

    With `choices` the text is one of them, and `help` may be one sentence for each. A `placeholder` may depend on
    the texts of the other fields. Where `only` says no to those texts, the field is neither shown nor read.
    """

    name: str
    label: str
    value: str
    help: str | dict[str, str] | Words
    parse: Parse = str
    choices: tuple[str, ...] = ()
    placeholder: str | Words = ""
    group: str = ""
    only: Callable[[dict[str, str]], bool] | None = None


class FormScreen(ModalScreen[dict[str, Any] | None]):
    """Gives the values by field name, or None when it was cancelled. `check` looks at all values together."""

    AROUND: ClassVar[int] = 13  # rows of a form that are no fields
    DEFAULT_CSS = """
    FormScreen .group { color: $primary; text-style: bold; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("enter", "submit", "Start"),
        Binding("down", "app.focus_next", "Next field", show=False),
        Binding("up", "app.focus_previous", "Previous field", show=False),
    ]

    def __init__(
        self,
        title: str,
        note: str,
        fields: tuple[Field, ...],
        submit: str,
        check: Callable[[dict[str, Any]], str] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._note, self._fields, self._submit = title, note, fields, submit
        self._check = check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = "tab next field   enter starts   esc cancels"
            if self._note:
                yield Static(self._note, markup=False, classes="note")
            with VerticalScroll(classes="fields", can_focus=False):
                group = ""
                for field in self._fields:
                    if field.group != group:
                        group = field.group
                        yield Label(group, classes="group")
                    with Horizontal(classes="field"):
                        yield Label(field.label)
                        if field.choices:
                            yield Choice(field.choices, field.value, id=field.name)
                        else:
                            yield LineInput(field.value, id=field.name)
            yield KeyValues(id="help")
            yield KeyValues(id="wrong")
            yield from self.below()
            with Horizontal(classes="buttons"):
                yield Button(self._submit, id="submit", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def below(self) -> ComposeResult:
        """What a form of its own kind has between its fields and its buttons."""
        yield from ()

    def on_mount(self) -> None:
        self.query_one(f"#{self._fields[0].name}").focus()
        self._review()

    def on_resize(self) -> None:
        self.query_one(".fields").styles.max_height = max(3, self.size.height - self.AROUND)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._review()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._review()

    def on_choice_changed(self, event: Choice.Changed) -> None:
        self._review()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.action_submit()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "submit":
            self.action_submit()
        else:
            self.action_cancel()

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_submit(self) -> None:
        values, wrong = self._read()
        if wrong:
            name = next(iter(wrong))
            if name:
                self.query_one(f"#{name}").focus()
            self._say(wrong[name])
            return
        self.dismiss(values)

    def _text(self, field: Field) -> str:
        widget: Widget = self.query_one(f"#{field.name}")
        return str(widget.value if isinstance(widget, Choice | Input) else "").strip()

    def _texts(self) -> dict[str, str]:
        return {field.name: self._text(field) for field in self._fields}

    def _asked(self) -> list[Field]:
        """The fields that the others' texts leave in place."""
        texts = self._texts()
        return [field for field in self._fields if field.only is None or field.only(texts)]

    def _read(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The values that could be read, and what is wrong by field name ("" for all together)."""
        values: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for field in self._asked():
            try:
                values[field.name] = field.parse(self._text(field))
            except KanjiError as error:
                wrong[field.name] = f"{field.label}: {error.message}"
            except ValueError as error:
                wrong[field.name] = f"{field.label}: {error}"
        if not wrong and self._check:
            problem = self._check(values)
            if problem:
                wrong[self._meant(problem)] = problem
        return values, wrong

    def _meant(self, problem: str) -> str:
        """The field whose name the sentence begins with; "" where it is about several."""
        return next((field.name for field in self._fields if problem.startswith(f"{field.label} ")), "")

    def _review(self) -> None:
        """Say the help of the field in focus, and the first thing that is wrong."""
        _, wrong = self._read()
        texts, asked = self._texts(), self._asked()
        for field in self._fields:
            widget = self.query_one(f"#{field.name}")
            if widget.parent is not None:
                widget.parent.display = field in asked
            widget.set_class(field.name in wrong, "-invalid")
            if isinstance(widget, Input):
                hint = field.placeholder
                widget.placeholder = hint if isinstance(hint, str) else hint(texts)
        focused = self.focused.id if self.focused else ""
        for field in self._fields:
            if field.name == focused:
                self.query_one("#help", KeyValues).say(Content.styled(_said(field, texts), "$quiet"))
        self._say(wrong.get(focused or "") or next(iter(wrong.values()), ""))

    def _say(self, wrong: str) -> None:
        self.query_one("#wrong", KeyValues).say(Content.styled(wrong, "$error"))


def _said(field: Field, texts: dict[str, str]) -> str:
    if isinstance(field.help, str):
        return field.help
    return field.help.get(texts[field.name], "") if isinstance(field.help, dict) else field.help(texts)


def whole(least: int, most: int | None = None, empty: bool = False) -> Parse:
    """A parser for whole numbers from `least` to `most`; with `empty` no text means None."""

    def parse(text: str) -> int | None:
        if empty and not text:
            return None
        try:
            value = int(text.replace(",", "").replace("_", ""))
        except ValueError:
            raise ValueError(f"'{text}' is no whole number") from None
        if value < least or (most is not None and value > most):
            raise ValueError(
                f"{value} is not {least} or more" if most is None else f"{value} is not {least} to {most}"
            )
        return value

    return parse
