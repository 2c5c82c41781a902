"""The pane of the Browser where one chooses: all classes as a grid or a list, searched, or the confused pairs."""

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from kanji_tui.presentation.document import Column, Row
from kanji_tui.tui.browser.sample_format import class_row, class_tile, class_words, confusion_row, pair_query
from kanji_tui.tui.widgets import formatting
from kanji_tui.tui.widgets.character_grid import CharacterGrid, Tile
from kanji_tui.tui.widgets.line_input import LineInput
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.workspace.class_search import matches
from kanji_tui.workspace.sample_browser import Catalogue, ClassLine
from kanji_tui.workspace.sample_list import Query

GRID, LIST, PAIRS = "grid", "classes", "confusions"


class ClassPane(Vertical):
    """Tells by Turned what the cursor stands on: the samples of a class, or of a pair."""

    class Turned(Message):
        """`query` finds the samples; `opened`: by enter or a second click."""

        def __init__(self, query: Query, opened: bool) -> None:
            super().__init__()
            self.query = query
            self.opened = opened

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._catalogue: Catalogue | None = None
        self._tiles: tuple[Tile, ...] = ()
        self._rows: dict[str, Row] = {}  # of the list, those that were ever shown
        self._found: dict[str, ClassLine] = {}
        self.view = GRID

    def compose(self) -> ComposeResult:
        yield LineInput(placeholder="character, JIS, U+, reading, strokes", id="search")
        grid = CharacterGrid(id=GRID, title="classes")
        grid.add_class("pane")
        yield grid
        yield Static(id="class")
        classes = ListTable(
            Column("", 2),
            Column("JIS", 4),
            Column("reading", 0),
            Column("str", 3, right=True),
            Column("n", 5, right=True),
            Column("top-1", 6, right=True),
            id=LIST,
            title="classes",
        )
        classes.add_class("pane")
        yield classes
        pairs = ListTable(
            Column("is", 7),
            Column("read as", 7),
            Column("times", 0, right=True),
            id=PAIRS,
            title="confusions",
            empty="no sample is read wrong",
        )
        pairs.add_class("pane")
        yield pairs

    def on_mount(self) -> None:
        self.query_one("#search", LineInput).display = False

    @property
    def chooser(self) -> Widget:
        """The grid, the list or the pairs: what is seen of them."""
        return self.query_one(f"#{self.view}")

    @property
    def chosen(self) -> Query | None:
        """The samples of what the cursor stands on."""
        chooser = self.chooser
        if isinstance(chooser, CharacterGrid):
            return _of_class(chooser.current.key) if chooser.current else None
        assert isinstance(chooser, ListTable), "there are only these"
        if chooser.current is None:
            return None
        return pair_query(chooser.current.key) if self.view == PAIRS else _of_class(chooser.current.key)

    def show(self, catalogue: Catalogue | None) -> None:
        """Show these classes and pairs, as far as they fit the search."""
        self._catalogue = catalogue
        self._tiles = tuple(map(class_tile, catalogue.classes)) if catalogue else ()
        self._rows.clear()
        pairs = catalogue.confusions if catalogue else ()
        self.query_one(f"#{PAIRS}", ListTable).show([confusion_row(*pair) for pair in pairs])
        self._search()

    def turn(self, view: str) -> None:
        """Show the grid, the list or the pairs; the cursor stays on its class."""
        grid, classes = self.query_one(CharacterGrid), self.query_one(f"#{LIST}", ListTable)
        before, self.view = self.view, view
        for name in (LIST, PAIRS):
            self.set_class(view == name, f"-{name}")
        self._fill()
        if view == LIST and grid.current is not None:
            classes.select(grid.current.key)
        elif view == GRID and before == LIST and classes.current is not None:
            grid.select(classes.current.key)

    # search

    @property
    def searching(self) -> bool:
        """Whether the field is open."""
        return bool(self.query_one("#search", LineInput).display)

    def open_search(self) -> None:
        field = self.query_one("#search", LineInput)
        field.display = True
        field.focus()

    def close_search(self) -> None:
        """Close the field and show all classes again."""
        field = self.query_one("#search", LineInput)
        field.value = ""
        field.display = False

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._search()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.chooser.focus()

    def on_key(self, event: events.Key) -> None:
        if event.key == "down" and self.query_one("#search", LineInput).has_focus:
            self.chooser.focus()

    def _search(self) -> None:
        text = self.query_one("#search", LineInput).value.strip()
        classes = self._catalogue.classes if self._catalogue else ()
        found = [pair for pair in zip(self._tiles, classes, strict=True) if matches(pair[1], text)]
        self._found = {tile.key: known for tile, known in found}
        note = f"{len(found):,} of {len(classes):,}" if text else f"{len(classes):,}"
        if self._catalogue and self._catalogue.accuracy is not None:
            note += f"  top-1 {formatting.percent(self._catalogue.accuracy)}"
        rows, grid = self.query_one(f"#{LIST}", ListTable), self.query_one(CharacterGrid)
        rows.set_title("classes", note)
        set_pane_title(grid, "classes", note)
        grid.show(tuple(tile for tile, _ in found), "no class fits" if text else "no dataset yet: press 2")
        self._fill()
        self._show_class()

    def _fill(self) -> None:
        """The list has its rows only where it is seen: thousands take a while to make."""
        if self.view == LIST:
            for key in self._found.keys() - self._rows.keys():
                self._rows[key] = class_row(self._found[key])
            rows = [self._rows[key] for key in self._found]
            self.query_one(f"#{LIST}", ListTable).show(rows, self.query_one(CharacterGrid).empty)

    def _show_class(self) -> None:
        tile = self.query_one(CharacterGrid).current
        self.query_one("#class", Static).update(
            class_words(self._found.get(tile.key) if tile else None), layout=False
        )

    # the cursor

    def on_character_grid_highlighted(self, message: CharacterGrid.Highlighted) -> None:
        message.stop()
        self._show_class()
        self._tell(GRID, opened=False)

    def on_character_grid_chosen(self, message: CharacterGrid.Chosen) -> None:
        message.stop()
        self._tell(GRID, opened=True)

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        message.stop()
        self._tell(message.table.id, opened=False)

    def on_list_table_chosen(self, message: ListTable.Chosen) -> None:
        message.stop()
        self._tell(message.table.id, opened=True)

    def _tell(self, chooser: str | None, opened: bool) -> None:
        if chooser == self.view and self.chosen is not None:
            self.post_message(self.Turned(self.chosen, opened))


def _of_class(key: str) -> Query:
    return Query(jis=int(key, 16))
