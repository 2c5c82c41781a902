"""A run's log, with times: follows its end, or shows and searches any part of it; long lines are wrapped."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from kanji_tui.presentation.log_lines import NARROWEST, texts, times
from kanji_tui.tui.widgets.log_rows import log_rows
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.workspace.log_times import LogLine
from kanji_tui.workspace.run_query import fits

COMPARED = 20  # last lines, which identify a position in the log


class LogTail(Widget, can_focus=True):
    """Shows the last lines until the user scrolls up or searches; follows the end again from the last line on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "top", "First", show=False),
        Binding("end", "follow", "Follow", show=False),
        Binding("enter", "open", "Open", show=False),
    ]
    DEFAULT_CSS = """
    LogTail { height: 1fr; color: $quiet; }
    """

    class Opened(Message):
        """Enter: the whole log is wanted."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "log"
        self._of = ""
        self._shown: tuple[LogLine, ...] = ()
        self._lines: tuple[str, ...] = ()
        self._times: tuple[str, ...] = ()
        self._top: int | None = None  # the first visible line; None follows the end
        self._pattern = ""
        self._found: list[int] = []  # the lines that match the pattern
        self._match: int | None = None

    def show(self, shown: tuple[LogLine, ...], of: str = "") -> None:
        """Show the lines `of` a run. Where the first lines of the log were removed, the same lines stay visible;
        another log, or a shorter one, is shown from its end.
        """
        if (shown, of) == (self._shown, self._of):
            return
        lines = texts(shown)
        gone = lines_gone(self._lines, lines) if of == self._of else None
        self._top, self._match = _after_removal(self._top, gone), _after_removal(self._match, gone)
        self._shown, self._lines, self._times, self._of = shown, lines, times(shown), of
        self._find()
        if self._match not in self._found:
            self._match = None
        self._update_title()

    def _find(self) -> None:
        pattern = self._pattern
        self._found = [n for n, line in enumerate(self._lines) if pattern and fits(pattern, line)]

    def search(self, pattern: str) -> None:
        """Go to the last line that matches the pattern; an empty pattern ends the search and follows the end."""
        self._pattern = pattern
        self._find()
        self._match = self._found[-1] if self._found else None
        self._show_match()

    def go_to_match(self, step: int) -> None:
        """Go to the next (1) or the previous (-1) match; after the last comes the first."""
        found = self._found
        if found:
            at = found.index(self._match) if self._match in found else -1 if step > 0 else 0
            self._match = found[(at + step) % len(found)]
        self._show_match()

    def _show_match(self) -> None:
        if self._match is None:
            self._top = None
        else:
            self._show_from(self._above(self._match))
        self._update_title()

    def _above(self, line: int) -> int:
        """The first line to show where this one is to stand in the middle."""
        rows, first = 0, line
        while first > 0 and (rows := rows + len(self._rows(first - 1, self.content_size.width))) <= self._room // 2:
            first -= 1
        return first

    @property
    def _room(self) -> int:
        return max(1, self.content_size.height)

    def _show_from(self, line: int) -> None:
        last = len(self._lines) - self._room
        self._top = None if line >= last else max(0, line)

    def action_move(self, step: int) -> None:
        top = max(0, len(self._lines) - self._room) if self._top is None else self._top
        self._show_from(top + step)
        self._update_title()

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(1, self._room - 1))

    def action_top(self) -> None:
        self._show_from(0)
        self._update_title()

    def action_open(self) -> None:
        self.post_message(self.Opened())

    def action_follow(self) -> None:
        self._top = None
        self._update_title()

    def _update_title(self) -> None:
        """Show the search and the position in the title, and paint."""
        parts = ["log"]
        if self._pattern:
            found = self._found
            at = found.index(self._match) + 1 if self._match in found else 0
            parts.append(f"/{self._pattern}/ {at} of {len(found)}" if found else f"/{self._pattern}/ not found")
        if self._top is not None:
            parts.append(f"line {self._top + 1} of {len(self._lines)}, press end to follow")
        set_pane_title(self, "  ".join(parts))
        self.refresh()

    def render(self) -> Content:
        width, height = self.content_size
        if not height:
            return Content()
        if not self._lines:
            return Content("empty")
        if self._top is None:
            last = [row for number in self._last(height) for row in self._rows(number, width)]
            return Content("\n").join(last[-height:])
        shown = range(self._top, min(len(self._lines), self._top + height))
        return Content("\n").join([row for number in shown for row in self._rows(number, width)][:height])

    def _last(self, count: int) -> range:
        return range(max(0, len(self._lines) - count), len(self._lines))

    def _rows(self, number: int, width: int) -> list[Content]:
        """The rows of one line of the log, with its time before the first where there is room."""
        line, time = self._lines[number], self._times[number] if width >= NARROWEST else ""
        style = "$foreground" if self._pattern and fits(self._pattern, line) else ""
        if number == self._match:
            style = "bold $foreground on $cursor"
        return log_rows(line, time, width, style)


def lines_gone(old: tuple[str, ...], new: tuple[str, ...]) -> int | None:
    """How many lines were removed from the front of a log while others were appended; None for another log.

    The last lines of `old` are searched in `new`, the match nearest to their old position counts.
    """
    tail = old[-COMPARED:]
    before = len(old) - len(tail)
    matches = [n for n in range(len(new) - len(tail) + 1) if new[n : n + len(tail)] == tail]
    nearest = min(matches, key=lambda match: abs(match - before), default=None)
    return None if nearest is None else before - nearest


def _after_removal(line: int | None, gone: int | None) -> int | None:
    """The line's number after `gone` lines were removed from the front; 0 for a removed line."""
    return None if line is None or gone is None else max(0, line - gone)
