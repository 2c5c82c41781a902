"""A form: a line for each field, help for the focused one, and what is wrong, checked at every key.

A field is not said to be wrong before the person has changed it or pressed enter. Fields that few need are hidden
until words of the line `more` find them; one that was changed stays in sight.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
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
from kanji_tui.tui.widgets.path_input import PathInput

Parse = Callable[[str], Any]
MORE, ALL = "more", "*"
HELP_OF_MORE = (
    f"Words that settings have in their name or help, such as: rate, noise, memory. {ALL} shows all of them."
)
TextOf = Callable[[dict[str, str]], str]  # a text that depends on the texts of all fields, by field name


@dataclass(frozen=True)
class Field:
    """`parse` converts the text to the value; it raises ValueError or KanjiError with a sentence.

    With `choices` the text is one of them, and `help` may be one sentence for each. A `placeholder`, what an empty
    text stands for, may depend on the texts of the other fields. Where `only` returns False for those texts, the
    field is neither shown nor read. `path`: the text is a path of a folder, or of a file with one of these endings.
    `more`: shown where its words are typed.
    """

    name: str
    label: str
    value: str
    help: str | dict[str, str] | TextOf
    parse: Parse = str
    choices: tuple[str, ...] = ()
    placeholder: str | TextOf = ""
    group: str = ""
    only: Callable[[dict[str, str]], bool] | None = None
    path: tuple[str, ...] | None = None
    more: bool = False

    @property
    def words(self) -> str:
        """What it is found by."""
        help = self.help if isinstance(self.help, str) else ""
        return f"{self.label} {self.name} {self.group} {help}".lower()


class FormScreen(ModalScreen[dict[str, Any] | None]):
    """Gives the values by field name, or None when cancelled. `check` examines all values together."""

    AROUND: ClassVar[int] = 13  # rows of a form besides its fields
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
        self._changed: set[str] = set()  # the fields that the person has changed
        self._submitted = False  # enter was pressed at least once

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = "tab next field   enter starts   esc cancels"
            if self._note:
                yield Static(self._note, markup=False, classes="note")
            with VerticalScroll(classes="fields", can_focus=False):
                group, more = "", False
                for field in self._fields:
                    if field.more and not more:
                        more = True
                        yield from self._line_of_more()
                    if field.group != group:
                        group = field.group
                        yield Label(group, classes="group")
                    with Horizontal(classes="field"):
                        yield Label(field.label)
                        yield _input_of(field)
            yield KeyValues(id="help")
            yield KeyValues(id="wrong")
            yield from self.below()
            with Horizontal(classes="buttons"):
                yield Button(self._submit, id="submit", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def _line_of_more(self) -> ComposeResult:
        count = sum(field.more for field in self._fields)
        with Horizontal(classes="field"):
            yield Label(MORE)
            yield LineInput(placeholder=f"{count} more: type a word of them, or {ALL} for all", id=MORE)

    def below(self) -> ComposeResult:
        """Further widgets of a subclass, between the fields and the buttons."""
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
        if event.input.id == MORE:
            self.app.action_focus_next()  # to the first that was found
        else:
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
            self.show_all_problems()
            name = next(iter(wrong))
            if name:
                self.set_focus(self.query_one(f"#{name}"))
            self._show_problem(wrong[name])
            return
        self.dismiss(values)

    def show_all_problems(self) -> None:
        """Show the problems of all fields, from now on."""
        self._submitted = True
        self._review()

    def _text(self, field: Field) -> str:
        widget: Widget = self.query_one(f"#{field.name}")
        return str(widget.value if isinstance(widget, Choice | Input) else "").strip()

    def _texts(self) -> dict[str, str]:
        return {field.name: self._text(field) for field in self._fields}

    def _active(self) -> list[Field]:
        """The fields that apply, given the texts of the others."""
        texts = self._texts()
        return [field for field in self._fields if field.only is None or field.only(texts)]

    def _read(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The values that could be read, and the problems by field name ("" for all fields together)."""
        values: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for field in self._active():
            try:
                values[field.name] = field.parse(self._text(field))
            except KanjiError as error:
                wrong[field.name] = f"{field.label}: {error.message}"
            except ValueError as error:
                wrong[field.name] = f"{field.label}: {error}"
        if not wrong and self._check:
            problem = self._check(values)
            if problem:
                wrong[self._field_of(problem)] = problem
        return values, wrong

    def _field_of(self, problem: str) -> str:
        """The field whose name begins the sentence; "" for a sentence about several."""
        return next((field.name for field in self._fields if problem.startswith(f"{field.label} ")), "")

    def _shown_problems(self) -> dict[str, str]:
        """The problems by field name, without those of fields that the person has left as they were.

        A problem of several fields together is shown as soon as one of them has been changed.
        """
        texts = self._texts()
        self._changed |= {field.name for field in self._fields if texts[field.name] != field.value}
        values, wrong = self._read()
        if self._submitted:
            return wrong
        together = {"", *values} if self._changed else set()
        return {name: problem for name, problem in wrong.items() if name in self._changed | together}

    def _review(self) -> None:
        """Show the help of the focused field, and the first problem."""
        wrong = self._shown_problems()
        texts, active = self._texts(), self._active()
        focused = self.focused.id if self.focused else ""
        asked = self._wanted()
        groups: set[str] = set()
        for field in self._fields:
            widget = self.query_one(f"#{field.name}")
            own = field.name in wrong or field.name in self._changed or field.name == focused
            shown = field in active and (own or not field.more or asked(field.words))
            groups |= {field.group} if shown else set()
            if widget.parent is not None:
                widget.parent.display = shown
            widget.set_class(field.name in wrong, "-invalid")
            hint = field.placeholder if isinstance(field.placeholder, str) else field.placeholder(texts)
            if isinstance(widget, Input):
                widget.placeholder = hint
            elif isinstance(widget, Choice):
                widget.meant = hint
        for label in self.query(".group").results(Label):
            label.display = str(label.content) in groups
        if focused == MORE:
            self.query_one("#help", KeyValues).show_line(Content.styled(HELP_OF_MORE, "$quiet"))
        for field in self._fields:
            if field.name == focused:
                self.query_one("#help", KeyValues).show_line(Content.styled(_help_of(field, texts), "$quiet"))
        self._show_problem(wrong.get(focused or "") or next(iter(wrong.values()), ""))

    def _wanted(self) -> Callable[[str], bool]:
        """Whether a hidden field with these words is wanted."""
        found = self.query(f"#{MORE}").results(LineInput)
        words = [word for field in found for word in field.value.lower().split()]
        return lambda text: words == [ALL] or (bool(words) and all(word in text for word in words))

    def _show_problem(self, wrong: str) -> None:
        self.query_one("#wrong", KeyValues).show_line(Content.styled(wrong, "$error"))


def _input_of(field: Field) -> Widget:
    if field.choices:
        return Choice(field.choices, field.value, id=field.name)
    if field.path is not None:
        return PathInput(field.value, field.path, id=field.name)
    return LineInput(field.value, id=field.name, select_on_focus=True)


def _help_of(field: Field, texts: dict[str, str]) -> str:
    if isinstance(field.help, str):
        return field.help
    return field.help.get(texts[field.name], "") if isinstance(field.help, dict) else field.help(texts)


def existing_file(text: str) -> Path:
    """An existing file; `~` is the home folder."""
    if not text:
        raise ValueError("type the path of a file")
    path = Path(text).expanduser()
    if not path.is_file():
        raise ValueError(f"'{text}' is a folder" if path.is_dir() else f"there is no file '{text}'")
    return path


def optional_file(text: str) -> Path | None:
    """An existing file, or None for an empty text."""
    return existing_file(text) if text else None


def whole(least: int, most: int | None = None, empty: bool = False) -> Parse:
    """A parser for whole numbers from `least` to `most`; with `empty` no text means None."""

    def parse(text: str) -> int | None:
        if empty and not text:
            return None
        try:
            value = int(text.replace(",", "").replace("_", ""))
        except ValueError:
            raise ValueError(f"'{text}' is not a whole number") from None
        if value < least or (most is not None and value > most):
            raise ValueError(
                f"{value} is less than {least}" if most is None else f"{value} is not between {least} and {most}"
            )
        return value

    return parse
