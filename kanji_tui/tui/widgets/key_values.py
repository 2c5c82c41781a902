"""A few facts, one a line: a quiet name and a value."""

from textual.content import Content
from textual.widgets import Static

Fact = tuple[str, str | Content]


class Facts(Static):
    """show() takes (name, value) pairs, or a bare sentence."""

    DEFAULT_CSS = """
    Facts { height: auto; }
    """

    def __init__(self, id: str | None = None, name_width: int = 10) -> None:
        super().__init__(id=id)
        self._name_width = name_width
        self._shown = Content()

    def show(self, facts: list[Fact]) -> None:
        lines = [
            Content.styled(name.ljust(self._name_width) if name else "", "$quiet")
            + (value if isinstance(value, Content) else Content(value))
            for name, value in facts
        ]
        self.say(Content("\n").join(lines))

    def say(self, content: Content) -> None:
        """Show `content`, painting only when it is another, and laying out only when it is higher or lower."""
        if not content.is_same(self._shown):
            before, self._shown = self._shown, content
            self.update(content, layout=self._height(before) != self._height(content))

    def _height(self, content: Content) -> int:
        width = self.content_size.width
        return content.get_height(self.styles.get_rules(), width) if width else 0
