"""A run's log as text that is as high as it must be: lines are wrapped at words, behind their times."""

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from kanji_tui.presentation.log_lines import NARROWEST, texts, times
from kanji_tui.tui.widgets.log_rows import log_rows
from kanji_tui.workspace.log_times import LogLine


class LogText(Widget):
    """Scrolled by what it is in."""

    DEFAULT_CSS = """
    LogText { height: auto; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[LogLine, ...] = ()
        self._rows: list[Content] = []
        self._rows_for = 0  # cells

    @property
    def text(self) -> str:
        """The lines as they were printed, without times."""
        return "\n".join(texts(self._shown))

    def show(self, lines: tuple[LogLine, ...]) -> bool:
        """Show these lines; False if they are shown already."""
        if lines == self._shown:
            return False
        self._shown, self._rows_for = lines, 0
        self.refresh(layout=True)
        return True

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows_of(width))

    def render(self) -> Content:
        return Content("\n").join(self._rows_of(self.content_size.width))

    def _rows_of(self, width: int) -> list[Content]:
        if width != self._rows_for:
            self._rows_for = width
            before = times(self._shown) if width >= NARROWEST else [""] * len(self._shown)
            self._rows = [
                row
                for text, time in zip(texts(self._shown), before, strict=True)
                for row in log_rows(text, time, width)
            ] or [Content("empty")]
        return self._rows
