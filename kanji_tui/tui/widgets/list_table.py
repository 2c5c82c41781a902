"""A list in columns with a cursor: one line per row, drawn only where it is in sight.

Rows may be any sequence, also one that makes its rows on demand: thousands cost nothing until they are shown.
Textual's DataTable takes 1.2 s to lay out 10,000 rows and 8.2 s for 50,000, and a dataset has 607,200 samples.
Widths are counted in terminal cells, so Japanese text lines up.
"""

from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.style import Style
from textual.visual import Visual

from kanji_tui.presentation.document import Column, Line, Row
from kanji_tui.tui.widgets.content import content_of
from kanji_tui.tui.widgets.cursor_view import CursorView
from kanji_tui.tui.widgets.pane_title import set_pane_title

GAP = 1
FLEXIBLE_AT_LEAST = 7  # cells: a long list at 80 columns keeps its last column beside the scroll bar


class ListTable(CursorView[Row]):
    """Set `rows` with show(); listen to ListTable.Highlighted (another row) and ListTable.Chosen (enter)."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--title", "table--heading", "table--cursor", "table--empty"}
    DEFAULT_CSS = """
    ListTable {
        & > .table--title { color: $quiet; }
        & > .table--heading { color: $primary; text-style: bold; }
        & > .table--cursor { background: $cursor-rest; }
        & > .table--empty { color: $quiet; }
        &:focus > .table--cursor { background: $cursor; text-style: bold; }
    }
    """

    class Highlighted(Message):
        """The cursor is on another row, or on a row with new contents."""

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
        self.header = int(any(column.title for column in columns))
        self.set_title(title)

    @property
    def rows(self) -> Sequence[Row]:
        return self.items

    def highlighted(self, item: Row) -> Message:
        return self.Highlighted(self, item)

    def chosen(self, item: Row) -> Message:
        return self.Chosen(self, item)

    def show(self, rows: Sequence[Row], empty: str | None = None, keep: bool = True) -> None:
        """Show other rows; with `keep` the cursor stays on the row with the same key, or on the same line."""
        if empty is not None and empty != self.empty:
            self.empty = empty
            self.refresh()
        if isinstance(rows, tuple | list) and rows == self.rows:
            return
        before = self.current
        self.items = rows
        index = self._index_of(before.key) if before and keep else None
        if index is None:
            index = min(self.cursor, max(0, len(rows) - 1)) if keep else 0
        self.renew(before, self.selectable(index, 1))

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns; the rows that follow must have their cells."""
        if tuple(columns) != self.columns:
            self.columns = tuple(columns)
            self.header = int(any(column.title for column in columns))
            self.items = ()
            self.refresh()

    def set_title(self, title: str, note: str | Content = "") -> None:
        """Name the pane, with a quiet note after it."""
        set_pane_title(self, title, note)

    def select(self, key: str) -> None:
        """Put the cursor on the row with this key if there is one."""
        index = self._index_of(key)
        if index is not None:
            self.cursor = index

    def _index_of(self, key: str) -> int | None:
        if not isinstance(self.rows, tuple | list):
            return None
        return next((index for index, row in enumerate(self.rows) if row.key == key), None)

    def selectable(self, index: int, direction: int) -> int:
        """The first row that is no heading from `index` on in `direction`, else in the other."""
        for step in (direction, -direction):
            found = index
            while 0 <= found < len(self.rows):
                if not self.rows[found].heading:
                    return found
                found += step
        return max(0, min(index, len(self.rows) - 1))

    def first_line(self) -> int:
        """The line of the cursor, or that of the heading right above it."""
        first = self.cursor
        while first > 0 and self.rows[first - 1].heading:
            first -= 1
        return first

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base = self.visual_style
        if self.header and y == 0:
            titles = tuple(column.title for column in self.columns)
            return self._strip(self._line(titles, width), width, self._style("table--title"))
        index = y - self.header + round(self.scroll_y)
        if not self.rows and index == 0:
            return self._strip(
                Content(self.empty).truncate(width, ellipsis=True), width, self._style("table--empty")
            )
        if not 0 <= index < len(self.rows):
            return Strip.blank(width, base.rich_style)
        row = self.rows[index]
        if row.heading:
            return self._strip(content_of(row.cells[0]).truncate(width), width, self._style("table--heading"))
        style = self._style("table--cursor") if index == self.cursor else base
        return self._strip(self._line(row.cells, width), width, style)

    def _style(self, name: str) -> Style:
        style = self.get_visual_style(name)
        if self.get_component_styles(name).text_style.reverse:  # Textual swaps the colours, were there any
            style += Style(reverse=True)
        return style

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
        """The width of each column that is shown: a column that does not fit is omitted, not cut."""
        shown = list(self.columns)
        while (
            len(shown) > 1
            and sum(column.width or FLEXIBLE_AT_LEAST for column in shown) + GAP * (len(shown) - 1) > width
        ):
            shown.pop()
        fixed = sum(column.width for column in shown) + GAP * (len(shown) - 1)
        return [column.width or width - fixed for column in shown]


def _tail(text: Content, room: int) -> Content:
    """The end of a text; its beginning matters less."""
    plain = text.plain
    while len(plain) > 1 and Content(plain).cell_length > room - 1:
        plain = plain[1:]
    return Content.styled("…" + plain, text.spans[0].style if text.spans else "")
