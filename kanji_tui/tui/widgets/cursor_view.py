"""The base of list and grid: items with a cursor; only the lines in sight are drawn."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView

Item = TypeVar("Item")


class CursorView(ScrollView, Generic[Item], can_focus=True):
    """Subclasses set `items`, draw a line of them, and give the messages for the cursor and for enter."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "lines(-1)", "Up", show=False),
        Binding("down,j", "lines(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "end(-1)", "First", show=False),
        Binding("end", "end(1)", "Last", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]
    DEFAULT_CSS = """
    CursorView { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    cursor: reactive[int] = reactive(0, repaint=False)
    header = 0  # lines above the items that do not scroll

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.items: Sequence[Item] = ()
        self.empty = ""  # shown where there are no items

    def highlighted(self, item: Item) -> Message:
        """The message for another item under the cursor."""
        raise NotImplementedError

    def chosen(self, item: Item) -> Message:
        """The message for enter, or a second click, on an item."""
        raise NotImplementedError

    @property
    def per_line(self) -> int:
        """Items in a line."""
        return 1

    def column_at(self, x: int) -> int:
        """The item of a line at this cell."""
        return 0

    def selectable(self, index: int, direction: int) -> int:
        """`index`, or if its item cannot be selected, the nearest one in `direction`."""
        return index

    def first_line(self) -> int:
        """The first line that must be in sight together with the cursor."""
        return self.cursor // self.per_line

    @property
    def current(self) -> Item | None:
        """The item under the cursor."""
        return self.items[self.cursor] if 0 <= self.cursor < len(self.items) else None

    def renew(self, before: Item | None, cursor: int) -> None:
        """Draw other `items` with the cursor at `cursor`; `before` was under the cursor until now."""
        self.set_reactive(CursorView.cursor, cursor)
        self._measure()
        self.refresh()
        if self.current is not None and self.current != before:
            self.post_message(self.highlighted(self.current))

    def _measure(self) -> None:
        self.virtual_size = Size(0, -(-len(self.items) // self.per_line) + self.header)
        self._scroll_to_cursor()

    def _scroll_to_cursor(self) -> None:
        height = self.scrollable_content_region.height - self.header
        top, first, line = round(self.scroll_y), self.first_line(), self.cursor // self.per_line
        if height <= 0:
            return
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False, immediate=True)

    def on_resize(self) -> None:
        self._measure()
        self.refresh()

    def watch_cursor(self, before: int, now: int) -> None:
        for line in {before // self.per_line, now // self.per_line}:
            self.refresh_line(line + self.header)
        self._scroll_to_cursor()
        if self.current is not None:
            self.post_message(self.highlighted(self.current))

    def action_lines(self, step: int) -> None:
        index, last = self.cursor + step * self.per_line, len(self.items) - 1
        if step > 0 and index > last and self.cursor // self.per_line < last // self.per_line:
            index = last  # the last line is shorter
        if 0 <= index <= last:
            self.cursor = self.selectable(index, step)

    def action_page(self, direction: int) -> None:
        lines = max(1, self.scrollable_content_region.height - self.header - 1)
        index = max(0, min(len(self.items) - 1, self.cursor + direction * lines * self.per_line))
        self.cursor = self.selectable(index, direction)

    def action_end(self, direction: int) -> None:
        self.cursor = self.selectable(0 if direction < 0 else max(0, len(self.items) - 1), -direction)

    def action_choose(self) -> None:
        if self.current is not None and self.selectable(self.cursor, 1) == self.cursor:
            self.post_message(self.chosen(self.current))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self.header or self.column_at(offset.x) >= self.per_line:
            return
        line = offset.y - self.header + round(self.scroll_y)
        index = line * self.per_line + self.column_at(offset.x)
        if index < len(self.items) and self.selectable(index, 1) == index:
            if index == self.cursor:
                self.action_choose()
            self.cursor = index
