"""A dialog of result tables: the details of the row under the cursor below, other tables with left and right."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from kanji_tui.presentation.document import Table
from kanji_tui.tui.widgets.content import lines_content
from kanji_tui.tui.widgets.list_table import ListTable


class ResultsScreen(ModalScreen[None]):
    """Shows the first of `tables`, the newest; left shows older ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,r", "app.pop_screen", "Close"),
        Binding("left", "show_other(1)", "Older"),
        Binding("right", "show_other(-1)", "Newer"),
    ]
    DEFAULT_CSS = """
    ResultsScreen #table { height: 1fr; }
    ResultsScreen #about { color: $quiet; height: auto; max-height: 2; }
    ResultsScreen #details { height: 35%; border-top: solid $rule; }
    """

    def __init__(self, tables: list[Table]) -> None:
        super().__init__()
        self._tables = tables
        self._index = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog whole"):
            yield Static(id="about", markup=False)
            yield Container(id="table")
            yield Static(id="details")

    async def on_mount(self) -> None:
        await self._show()

    async def action_show_other(self, step: int) -> None:
        self._index = max(0, min(len(self._tables) - 1, self._index + step))
        await self._show()

    async def _show(self) -> None:
        table = self._tables[self._index]
        dialog = self.query_one(".dialog")
        dialog.border_title = table.title
        others = f"{self._index + 1} of {len(self._tables)}   left older   right newer   "
        dialog.border_subtitle = f"{others if self._tables[1:] else ''}esc closes"
        self.query_one("#about", Static).update(table.about)
        self.query_one("#details", Static).update("")
        holder = self.query_one("#table", Container)
        await holder.remove_children()
        rows = ListTable(*table.columns, empty="nothing")
        await holder.mount(rows)
        rows.show(table.rows)
        rows.focus()

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        self.query_one("#details", Static).update(lines_content(message.row.details))
