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
        parts = [Content.styled(" 漢字", "bold $accent"), Content.styled("tui  ", "$quiet")]
        for digit, mode, title in TABS:
            if mode == current:
                parts.append(Content.styled(f" {digit} {title} ", "bold $foreground on $cursor"))
            else:
                parts.append(Content.from_markup(f"[@click=app.go('{mode}')][$quiet] {digit} {title} [/][/]"))
        super().__init__(Content().join(parts))
