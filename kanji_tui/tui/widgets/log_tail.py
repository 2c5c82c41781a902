"""A run's log: its end followed, or any place of it looked at and searched."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget

from kanji_tui.presentation.charts import fits
from kanji_tui.tui.widgets.pane_title import set_pane_title

KNOWN_BY = 20  # lines that tell where in a log one is


class LogTail(Widget, can_focus=True):
    """Shows the last lines that fit until one goes up or looks for something; the end is followed again once one
    is back there.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "top", "First", show=False),
        Binding("end", "follow", "Follow", show=False),
    ]
    DEFAULT_CSS = """
    LogTail { height: 1fr; color: $quiet; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.border_title = "log"
        self._of = ""
        self._lines: tuple[str, ...] = ()
        self._top: int | None = None  # the first line seen; None follows the end
        self._pattern = ""
        self._found: list[int] = []  # the lines that have the pattern in them
        self._match: int | None = None

    def show(self, lines: tuple[str, ...], of: str = "") -> None:
        """Take all lines known `of` a run. A log whose first lines are dropped is kept at the lines one looks at;
        another log, or one cut short, is followed from its end.
        """
        if (lines, of) == (self._lines, self._of):
            return
        gone = lines_gone(self._lines, lines) if of == self._of else None
        self._top, self._match = _moved(self._top, gone), _moved(self._match, gone)
        self._lines, self._of = lines, of
        self._find()
        if self._match not in self._found:
            self._match = None
        self._say()

    def _find(self) -> None:
        pattern = self._pattern
        self._found = [n for n, line in enumerate(self._lines) if pattern and fits(pattern, line)]

    def search(self, pattern: str) -> None:
        """Go to the last line that has the pattern in it; an empty one ends the search and follows the end."""
        self._pattern = pattern
        self._find()
        self._match = self._found[-1] if self._found else None
        self._look_at_match()

    def go_to_match(self, step: int) -> None:
        """Go to the next (1) or the previous (-1) match, from the last one to the first and back."""
        found = self._found
        if found:
            at = found.index(self._match) if self._match in found else -1 if step > 0 else 0
            self._match = found[(at + step) % len(found)]
        self._look_at_match()

    def _look_at_match(self) -> None:
        if self._match is None:
            self._top = None
        else:
            self._look_from(self._match - self._room // 2)
        self._say()

    @property
    def _room(self) -> int:
        return max(1, self.content_size.height)

    def _look_from(self, line: int) -> None:
        last = len(self._lines) - self._room
        self._top = None if line >= last else max(0, line)

    def action_move(self, step: int) -> None:
        top = max(0, len(self._lines) - self._room) if self._top is None else self._top
        self._look_from(top + step)
        self._say()

    def action_page(self, direction: int) -> None:
        self.action_move(direction * max(1, self._room - 1))

    def action_top(self) -> None:
        self._look_from(0)
        self._say()

    def action_follow(self) -> None:
        self._top = None
        self._say()

    def _say(self) -> None:
        """Name what is seen in the title, and paint."""
        parts = ["log"]
        if self._pattern:
            found = self._found
            at = found.index(self._match) + 1 if self._match in found else 0
            parts.append(f"/{self._pattern}/ {at} of {len(found)}" if found else f"/{self._pattern}/ not found")
        if self._top is not None:
            parts.append(f"line {self._top + 1} of {len(self._lines)}, end follows")
        set_pane_title(self, "  ".join(parts))
        self.refresh()

    def render(self) -> Content:
        width, height = self.content_size
        if not height:
            return Content()
        if not self._lines:
            return Content("nothing was printed yet")
        top = max(0, len(self._lines) - height) if self._top is None else self._top
        return Content("\n").join(
            [self._line(number, width) for number in range(top, min(len(self._lines), top + height))]
        )

    def _line(self, number: int, width: int) -> Content:
        line = Content(self._lines[number].expandtabs(4)).truncate(width, ellipsis=True)
        if number == self._match:
            return line.stylize("bold $foreground on $cursor")
        return line.stylize("$foreground") if self._pattern and fits(self._pattern, line.plain) else line


def lines_gone(old: tuple[str, ...], new: tuple[str, ...]) -> int | None:
    """How many lines went from the front of a log while others came behind; None where it is another log.

    The last lines of `old` are looked for in `new`, as near as they can be to where they were.
    """
    tail = old[-KNOWN_BY:]
    before = len(old) - len(tail)
    places = [n for n in range(len(new) - len(tail) + 1) if new[n : n + len(tail)] == tail]
    nearest = min(places, key=lambda place: abs(place - before), default=None)
    return None if nearest is None else before - nearest


def _moved(line: int | None, gone: int | None) -> int | None:
    """The line's number after so many went from the front; the first one for a line that went itself."""
    return None if line is None or gone is None else max(0, line - gone)
