"""The end of a run's log, as many lines as fit."""

from textual.content import Content
from textual.widget import Widget


class LogTail(Widget):
    """show() takes all lines known; the last ones that fit are drawn."""

    DEFAULT_CSS = """
    LogTail { height: 1fr; color: $quiet; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[str, ...] = ()

    def show(self, lines: tuple[str, ...]) -> None:
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def render(self) -> Content:
        width, height = self.content_size
        if not height:
            return Content()
        lines = self._lines[-height:] or ("nothing was printed yet",)
        return Content("\n").join([Content(line.expandtabs(4)).truncate(width, ellipsis=True) for line in lines])
