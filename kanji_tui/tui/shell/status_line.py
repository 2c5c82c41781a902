"""The status line of every screen: the running job with its progress and time left, and the GPU."""

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from kanji_tui.presentation.status import gpu_line, idle_line, running_line
from kanji_tui.tui.widgets.content import content_of

if TYPE_CHECKING:
    from kanji_tui.events import Gpu
    from kanji_tui.workspace.run_views import RunView
    from kanji_tui.workspace.snapshot import WorkspaceSnapshot


class StatusLine(Widget):
    """Shows the running job; without one, the dataset, the model and the exports."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; background: $panel; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._content = Content()
        self._left, self._right = Content(), Content()

    def show(self, runs: "list[RunView]", gpus: "tuple[Gpu, ...]", workspace: "WorkspaceSnapshot | None") -> None:
        """`runs` are the active ones, newest first; repaints only when the line changes."""
        self._left = content_of(running_line(runs) if runs else idle_line(workspace))
        self._right = content_of(gpu_line(gpus))
        self._compose_line()

    def on_resize(self) -> None:
        self._compose_line()

    def _compose_line(self) -> None:
        width = max(0, self.content_size.width)
        right = self._right if self._right.cell_length < width // 2 else Content()
        room = max(0, width - right.cell_length - (2 if right.cell_length else 0))
        left = self._left.truncate(room, ellipsis=True)
        line = left.pad_right(width - left.cell_length - right.cell_length) + right
        if not line.is_same(self._content):
            self._content = line
            self.refresh()

    def render(self) -> Content:
        return self._content
