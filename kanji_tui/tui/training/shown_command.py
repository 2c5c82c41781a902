"""Shows a copied command line, to read it, and to select it where the terminal has no clipboard."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from kanji_tui.presentation.document import quiet
from kanji_tui.tui.widgets.content import content_of


class ShownCommand(ModalScreen[None]):
    """Any of its keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,y", "app.pop_screen", "Close")]

    def __init__(self, command: str) -> None:
        super().__init__()
        self._command = command

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = "The command line of this run"
            dialog.border_subtitle = "esc closes"
            yield Static(self._command, markup=False, id="command")
            yield Static(
                content_of(("\n", quiet("Copied to the terminal's clipboard, if the terminal supports that.")))
            )
