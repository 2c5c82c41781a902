"""The last line: as many keys of the screen as fit, `?` shows them all; while one types, what ends that."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

GAP = Content("  ")
ALWAYS = (("?", "help"), ("^p", "actions"), ("q", "leave"))
TYPING = (("enter", "done"), ("esc", "back"), ("^p", "actions"))  # while all others are text


class KeyLine(Widget):
    """Follows the bindings of its screen and the focus; repaints only when the text changes."""

    DEFAULT_CSS = """
    KeyLine { height: 1; layout: horizontal; padding: 0 1; background: $background; }
    KeyLine #keys { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    KeyLine #always { width: auto; height: 1; margin-left: 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[tuple[str, str]] = []
        self._shown: list[tuple[str, str]] = []
        self._waiting = False
        self._typing = False  # a field has the focus

    def compose(self) -> ComposeResult:
        yield Static(id="keys")
        yield Static(_line(ALWAYS), id="always")

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._follow)
        self._read()

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def _follow(self, screen: Screen[object]) -> None:
        """Read the bindings once the screen is painted: a switch of screens announces them several times before."""
        if screen is self.screen and not self._waiting:
            self._waiting = True
            self.call_after_refresh(self._read)

    def _read(self) -> None:
        self._waiting = False
        typing = isinstance(self.screen.focused, Input)
        if typing != self._typing:
            self._typing = typing
            self.query_one("#always", Static).update(_line(TYPING if typing else ALWAYS))
        shown = [binding for binding in screen_bindings(self.screen) if binding.show and not typing]
        keys = [(binding.key_display or binding.key, binding.description) for binding in shown]
        if keys != self._keys:
            self._keys = keys
            self._fit()

    def _fit(self) -> None:
        """Show as many keys as fit, none of them cut."""
        field = self.query_one("#keys", Static)
        fitting: list[tuple[str, str]] = []
        line = Content()
        for key, text in self._keys:
            longer = GAP.join([line, key_content(key, text)]) if fitting else key_content(key, text)
            if longer.cell_length > field.size.width:
                break
            line = longer
            fitting.append((key, text))
        if fitting != self._shown:
            self._shown = fitting
            field.update(line)


def screen_bindings(screen: Screen[object]) -> list[Binding]:
    """The bindings of the screen itself that can be used now, in the order they were declared."""
    return [
        active.binding
        for active in screen.active_bindings.values()
        if active.node is screen and active.enabled and active.binding.description
    ]


def _line(keys: Iterable[tuple[str, str]]) -> Content:
    return GAP.join([key_content(key, text) for key, text in keys])


def key_content(key: str, text: str) -> Content:
    """`key text` with the key in the accent colour."""
    return Content.assemble((key, "bold $accent"), " ", (text, "$quiet"))
