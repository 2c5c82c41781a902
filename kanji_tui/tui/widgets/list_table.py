"""A list in columns with a cursor: one line a row, drawn only where it is seen.

Rows may be any sequence, also one that makes its rows when asked: thousands cost nothing until they are shown.
Textual's DataTable takes 1.2 s to lay out 10,000 rows and 8.2 s for 50,000, and a dataset has 607,200 samples.
Widths are counted in terminal cells, so Japanese text lines up.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual

from kanji_tui.presentation.document import Column, Line, Row
from kanji_tui.tui.widgets.content import content_of
from kanji_tui.tui.widgets.pane_title import set_pane_title

GAP = 1
FLEXIBLE_AT_LEAST = 8
WALK: tuple[BindingType, ...] = (  # the keys of everything one walks through
    Binding("pageup", "page(-1)", "Page up", show=False),
    Binding("pagedown", "page(1)", "Page down", show=False),
    Binding("home", "end(-1)", "First", show=False),
    Binding("end", "end(1)", "Last", show=False),
    Binding("enter", "choose", "Open", show=False),
)


class ListTable(ScrollView, can_focus=True):
    """Set `rows` with show(); listen to ListTable.Highlighted (cursor moved) and ListTable.Chosen (enter)."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--title", "rows--heading", "rows--cursor", "rows--empty"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        *WALK,
    ]
    DEFAULT_CSS = """
    ListTable {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .rows--title { color: $quiet; }
        & > .rows--heading { color: $primary; text-style: bold; }
        & > .rows--cursor { background: $cursor-rest; }
        & > .rows--empty { color: $quiet; }
        &:focus > .rows--cursor { background: $cursor; text-style: bold; }
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False)

    class Highlighted(Message):
        """The cursor stands on another row, or on a row with new contents."""

        def __init__(self, table: "ListTable", row: Row) -> None:
            super().__init__()
            self.table = table
            self.row = row

        @property
        def control(self) -> "ListTable":
            return self.table

    class Chosen(Highlighted):
        """Enter, or a second click, on a row."""

    def __init__(self, *columns: Column, empty: str = "", id: str | None = None, title: str = "") -> None:
        super().__init__(id=id)
        self.columns = columns
        self.empty = empty
        self.rows: Sequence[Row] = ()
        self._titled = any(column.title for column in columns)
        self.set_title(title)

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[Row], empty: str | None = None, keep: bool = True) -> None:
        """Show other rows; the cursor stays on the row with the same key where there is one."""
        if empty is not None and empty != self.empty:
            self.empty = empty
            self.refresh()
        if isinstance(rows, tuple | list) and rows == self.rows:
            return
        before = self.current
        self.rows = rows
        self.virtual_size = Size(0, len(rows) + self._titled)
        place = self._place_of(before.key) if before and keep else None
        if place is None:
            place = min(self.cursor, max(0, len(rows) - 1)) if keep else 0
        self.set_reactive(ListTable.cursor, self._selectable(place, 1))
        self._scroll_to_cursor()
        self.refresh()
        if self.current is not None and self.current != before:
            self.post_message(self.Highlighted(self, self.current))

    def set_title(self, title: str, note: str | Content = "") -> None:
        """Name the pane, with a quiet note after it."""
        set_pane_title(self, title, note)

    def select(self, key: str) -> None:
        """Put the cursor on the row with this key, where it is."""
        place = self._place_of(key)
        if place is not None:
            self.cursor = place

    def _place_of(self, key: str) -> int | None:
        if not isinstance(self.rows, tuple | list):
            return None
        return next((number for number, row in enumerate(self.rows) if row.key == key), None)

    def _selectable(self, place: int, direction: int) -> int:
        """The first row that is no heading from `place` on in `direction`, else in the other."""
        for step in (direction, -direction):
            number = place
            while 0 <= number < len(self.rows):
                if not self.rows[number].heading:
                    return number
                number += step
        return max(0, min(place, len(self.rows) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        for place in (before, now):
            self.refresh_line(place + self._titled)
        self._scroll_to_cursor()
        if self.current is not None:
            self.post_message(self.Highlighted(self, self.current))

    def on_resize(self) -> None:
        self._scroll_to_cursor()

    def _scroll_to_cursor(self) -> None:
        seen = self.scrollable_content_region.height - self._titled
        if seen <= 0:
            return
        top = round(self.scroll_y)
        first = self.cursor
        while first > 0 and self.rows[first - 1].heading:  # keep a group's heading in sight
            first -= 1
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif self.cursor >= top + seen:
            self.scroll_to(y=self.cursor - seen + 1, animate=False, immediate=True)

    def action_move(self, step: int) -> None:
        place = self.cursor + step
        if 0 <= place < len(self.rows):
            self.cursor = self._selectable(place, step)

    def action_page(self, direction: int) -> None:
        step = max(1, self.scrollable_content_region.height - self._titled - 1)
        place = max(0, min(len(self.rows) - 1, self.cursor + direction * step))
        self.cursor = self._selectable(place, direction)

    def action_end(self, direction: int) -> None:
        self.cursor = self._selectable(0 if direction < 0 else len(self.rows) - 1, -direction)

    def action_choose(self) -> None:
        if self.current is not None and not self.current.heading:
            self.post_message(self.Chosen(self, self.current))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        place = offset.y - self._titled + round(self.scroll_y)
        if offset.y >= self._titled and 0 <= place < len(self.rows) and not self.rows[place].heading:
            if place == self.cursor:
                self.action_choose()
            self.cursor = place

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.visual_style
        if self._titled and y == 0:
            titles = tuple(column.title for column in self.columns)
            return self._strip(self._line(titles, width), width, self._style("rows--title"))
        place = y - self._titled + round(self.scroll_y)
        if not self.rows and place == 0:
            return self._strip(
                Content(self.empty).truncate(width, ellipsis=True), width, self._style("rows--empty")
            )
        if not 0 <= place < len(self.rows):
            return Strip.blank(width, base.rich_style)
        row = self.rows[place]
        if row.heading:
            return self._strip(content_of(row.cells[0]).truncate(width), width, self._style("rows--heading"))
        style = self._style("rows--cursor") if place == self.cursor else base
        return self._strip(self._line(row.cells, width), width, style)

    def _style(self, name: str) -> Style:
        return self.get_visual_style(name)

    def _strip(self, content: Content, width: int, style: Style) -> Strip:
        strips = Visual.to_strips(self, content, width, 1, style, apply_selection=False)
        return strips[0].adjust_cell_length(width, style.rich_style) if strips else Strip.blank(width)

    def _line(self, cells: tuple[Line, ...], width: int) -> Content:
        parts: list[Content] = []
        for column, room, cell in zip(self.columns, self._widths(width), cells, strict=False):
            text = content_of(cell)
            if column.tail and text.cell_length > room:
                text = _tail(text, room)
            text = text.truncate(room, ellipsis=True)
            spare = max(0, room - text.cell_length)
            parts.append(text.pad_left(spare) if column.right else text.pad_right(spare))
        return Content(" " * GAP).join(parts).truncate(width)

    def _widths(self, width: int) -> list[int]:
        """The width of each column that is shown: a column that does not fit is left out, not cut."""
        shown = list(self.columns)
        while (
            len(shown) > 1
            and sum(column.width or FLEXIBLE_AT_LEAST for column in shown) + GAP * (len(shown) - 1) > width
        ):
            shown.pop()
        fixed = sum(column.width for column in shown) + GAP * (len(shown) - 1)
        return [column.width or width - fixed for column in shown]


def _tail(text: Content, room: int) -> Content:
    """The end of a text, where its beginning tells less."""
    plain = text.plain
    while len(plain) > 1 and Content(plain).cell_length > room - 1:
        plain = plain[1:]
    return Content.styled("…" + plain, text.spans[0].style if text.spans else "")
