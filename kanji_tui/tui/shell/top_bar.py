"""The top line: the program's name and the screens with their digits, the current one highlighted."""

from textual.content import Content
from textual.widgets import Static

from kanji_tui.presentation.tabs import TABS


class TopBar(Static):
    """One line; a click on a name goes there."""

    DEFAULT_CSS = """
    TopBar {
        height: 1; background: $panel;
        link-color: $quiet; link-style: none; link-background: $panel;
        link-color-hover: $foreground; link-style-hover: bold; link-background-hover: $cursor;
    }
    """

    def __init__(self, current: str) -> None:
        super().__init__(_tabs(current, short=False))
        self._current = current
        self._short = False

    def on_resize(self) -> None:
        """On a narrow terminal only the current screen keeps its name; the digits of the others stay."""
        short = _tabs(self._current, short=False).cell_length > self.size.width
        if short != self._short:
            self._short = short
            self.update(_tabs(self._current, short), layout=False)


def _tabs(current: str, short: bool) -> Content:
    parts = [Content.styled(" 漢字", "bold $accent"), Content.styled("tui  ", "$quiet")]
    for digit, mode, title in TABS:
        if mode == current:
            parts.append(Content.styled(f" {digit} {title} ", "bold $foreground on $cursor"))
        else:
            text = str(digit) if short else f"{digit} {title}"
            parts.append(Content.from_markup(f"[@click=app.go('{mode}')][$quiet] {text} [/][/]"))
    return Content().join(parts)
