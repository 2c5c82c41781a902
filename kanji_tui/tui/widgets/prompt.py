"""A one-line input for a pattern, hidden when it is not used."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

from kanji_tui.tui.widgets.line_input import LineInput


class Prompt(Horizontal):
    """Posts Changed at every key; enter keeps the pattern, escape clears it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "Clear", show=False)]
    DEFAULT_CSS = """
    Prompt { height: 1; display: none; dock: bottom; }
    Prompt.-open { display: block; }
    Prompt Label { color: $accent; text-style: bold; margin-right: 1; }
    """

    class Changed(Message):
        """The current pattern for `topic`."""

        def __init__(self, topic: str, text: str) -> None:
            super().__init__()
            self.topic = topic
            self.text = text

    class Closed(Message):
        """The prompt was hidden."""

    topic = ""

    def compose(self) -> ComposeResult:
        yield Label("")
        yield LineInput(id="pattern")

    def ask(self, topic: str, label: str, text: str) -> None:
        """Ask for the pattern of `topic`; `text` is the current one."""
        self.topic = topic
        self.query_one(Label).update(label)
        field = self.query_one(LineInput)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        self.add_class("-open")
        self.screen.set_focus(field)  # now: `focus` would wait, and the next key go elsewhere

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self.topic, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._close()

    def action_clear(self) -> None:
        self.post_message(self.Changed(self.topic, ""))
        self._close()

    def _close(self) -> None:
        self.remove_class("-open")
        self.post_message(self.Closed())
