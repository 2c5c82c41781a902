"""Tables over the screen: a row under the cursor is told in full below; left and right turn to others."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from kanji_tui.tui.inspector.result_tables import Table
from kanji_tui.tui.widgets.list_table import ListTable


class ResultsScreen(ModalScreen[None]):
    """Shows the first of `tables`; the others, older ones, are a key away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,r", "app.pop_screen", "Close"),
        Binding("left", "turn(1)", "Older"),
        Binding("right", "turn(-1)", "Newer"),
    ]
    DEFAULT_CSS = """
    ResultsScreen #table { height: 1fr; }
    ResultsScreen #about { color: $quiet; height: auto; max-height: 2; }
    ResultsScreen #told { height: 35%; border-top: solid $rule; }
    """

    def __init__(self, tables: list[Table]) -> None:
        super().__init__()
        self._tables = tables
        self._place = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog whole"):
            yield Static(id="about", markup=False)
            yield Container(id="table")
            yield Static(id="told")

    async def on_mount(self) -> None:
        await self._show()

    async def action_turn(self, step: int) -> None:
        self._place = max(0, min(len(self._tables) - 1, self._place + step))
        await self._show()

    async def _show(self) -> None:
        table = self._tables[self._place]
        dialog = self.query_one(".dialog")
        dialog.border_title = table.title
        turns = (
            f"{self._place + 1} of {len(self._tables)}   left older   right newer   " if self._tables[1:] else ""
        )
        dialog.border_subtitle = f"{turns}esc closes"
        self.query_one("#about", Static).update(table.about)
        self.query_one("#told", Static).update("")
        holder = self.query_one("#table", Container)
        await holder.remove_children()
        rows = ListTable(*table.columns, empty="nothing")
        await holder.mount(rows)
        rows.show(table.rows)
        rows.focus()

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        told = self._tables[self._place].told
        self.query_one("#told", Static).update(told.get(message.row.key, Content()))
