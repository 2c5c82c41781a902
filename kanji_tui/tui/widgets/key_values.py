"""A key-value list: a quiet name and a value, one pair a line."""

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from kanji_tui.presentation.document import Line
from kanji_tui.tui.widgets.content import content_of

KeyValue = tuple[str, Line | Content]


class KeyValues(Static):
    """show() takes (name, value) pairs, show_line() a line without a name."""

    DEFAULT_CSS = """
    KeyValues { height: auto; }
    """

    def __init__(self, id: str | None = None, name_width: int = 10) -> None:
        super().__init__(id=id)
        self._name_width = name_width
        self._shown = Content()

    def show(self, pairs: Sequence[KeyValue]) -> None:
        lines = [
            Content.styled(name.ljust(self._name_width) if name else "", "$quiet") + content_of(value)
            for name, value in pairs
        ]
        self.show_line(Content("\n").join(lines))

    def show_line(self, line: Line | Content) -> None:
        """Show a line; paint only when it changes, lay out only when its height changes or is not known yet."""
        content = content_of(line)
        if not content.is_same(self._shown):
            before, self._shown = self._shown, content
            width, rules = self.content_size.width, self.styles.get_rules()
            same = width and before.get_height(rules, width) == content.get_height(rules, width)
            self.update(content, layout=not same)
