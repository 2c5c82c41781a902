"""`?`: the keys of the current screen, and those of every screen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from kanji_tui.presentation.tabs import TABS

EVERYWHERE = (
    (f"1 ... {len(TABS)}", "go to a screen"),
    ("tab, shift+tab", "next and previous pane or field"),
    ("arrows, j k", "move in a list or a grid; pgup, pgdn, home, end too"),
    ("enter", "open the item under the cursor"),
    ("ctrl+p", "every action by name"),
    ("?", "this help"),
    ("f2", "next theme: dark, light, the terminal's own colours"),
    ("f3", "screenshot, as an SVG file"),
    ("q", "leave; running jobs continue"),
)


class HelpScreen(ModalScreen[None]):
    """Shows keys only; any of its own keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "app.pop_screen", "Close")]

    def __init__(self, title: str, about: str, bindings: list[Binding]) -> None:
        super().__init__()
        self._title = title
        self._about = about
        self._bindings_shown = bindings

    def compose(self) -> ComposeResult:
        own = [
            (binding.key_display or binding.key, binding.tooltip or binding.description)
            for binding in self._bindings_shown
        ]
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = f"{self._title}: keys"
            dialog.border_subtitle = "esc closes"
            with VerticalScroll():
                yield Static(Content.styled(self._about + "\n", "$quiet"), markup=False)
                yield Static(_table(own, 8))
                yield Static(Content.styled("\neverywhere", "bold $primary"))
                yield Static(_table(list(EVERYWHERE), 16))


def _table(pairs: list[tuple[str, str]], width: int) -> Content:
    return Content("\n").join([Content.assemble((f"{key:<{width}}", "bold $accent"), text) for key, text in pairs])
