"""What the model on this screen was made from, in one line at the foot of the screen."""

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from kanji_tui.presentation.lineage import fitted_line
from kanji_tui.tui.widgets.content import content_of
from kanji_tui.workspace.lineage import Link


class LineageLine(Widget):
    """Takes no room where nothing is known."""

    DEFAULT_CSS = """
    LineageLine { height: 1; dock: bottom; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._links: tuple[Link, ...] = ()

    def show(self, links: Sequence[Link]) -> None:
        if tuple(links) != self._links:
            self._links = tuple(links)
            self.display = bool(links)
            self.refresh()

    def render(self) -> Content:
        width = self.content_size.width
        return content_of(fitted_line(self._links, width)).truncate(width, ellipsis=True)
