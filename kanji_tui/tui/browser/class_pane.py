"""The left pane of the Browser: the classes as a grid or a list, with a search, or the confused pairs."""

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from kanji_tui.characters.jis import name_jis
from kanji_tui.presentation.document import Row
from kanji_tui.presentation.marks import grade
from kanji_tui.presentation.recognition import CONFUSION_COLUMNS, confusion_table
from kanji_tui.presentation.samples import CLASS_COLUMNS, class_lines, class_row, mixed_splits, pair_query
from kanji_tui.system import numbers
from kanji_tui.tui.widgets.character_grid import NOT_KNOWN, CharacterGrid, Tile
from kanji_tui.tui.widgets.content import lines_content
from kanji_tui.tui.widgets.line_input import LineInput
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.workspace.class_search import matches
from kanji_tui.workspace.sample_browser import Catalogue, ClassLine
from kanji_tui.workspace.sample_list import Query

GRID, LIST, PAIRS = "grid", "classes", "confusions"


class ClassPane(Vertical):
    """Posts Selected when the cursor moves to another class or pair."""

    class Selected(Message):
        """`query` finds its samples; `opened`: with enter or a second click."""

        def __init__(self, query: Query, opened: bool) -> None:
            super().__init__()
            self.query = query
            self.opened = opened

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._catalogue: Catalogue | None = None
        self._tiles: tuple[Tile, ...] = ()
        self._rows: dict[str, Row] = {}  # of the list, as far as they were shown
        self._found: dict[str, ClassLine] = {}
        self.view = GRID

    def compose(self) -> ComposeResult:
        yield LineInput(placeholder="田 にち nichi, JIS, U+, strokes", id="search")
        grid = CharacterGrid(id=GRID, title="classes")
        grid.add_class("pane")
        yield grid
        yield Static(id="class")
        classes = ListTable(*CLASS_COLUMNS, id=LIST, title="classes")
        classes.add_class("pane")
        yield classes
        pairs = ListTable(*CONFUSION_COLUMNS, id=PAIRS, title="confusions", empty="every prediction is correct")
        pairs.add_class("pane")
        yield pairs

    def on_mount(self) -> None:
        self.query_one("#search", LineInput).display = False

    @property
    def chooser(self) -> Widget:
        """The visible one of grid, list and pairs."""
        return self.query_one(f"#{self.view}")

    @property
    def chosen(self) -> Query | None:
        """The query for the class or pair under the cursor."""
        chooser = self.chooser
        if isinstance(chooser, CharacterGrid):
            return _of_class(chooser.current.key) if chooser.current else None
        assert isinstance(chooser, ListTable)
        if chooser.current is None:
            return None
        return pair_query(chooser.current.key) if self.view == PAIRS else _of_class(chooser.current.key)

    def show(self, catalogue: Catalogue | None) -> None:
        """Show these classes, filtered by the search, and these pairs."""
        self._catalogue = catalogue
        self._tiles = tuple(map(_tile, catalogue.classes)) if catalogue else ()
        self._rows.clear()
        pairs = catalogue.confusions if catalogue else ()
        self.query_one(f"#{PAIRS}", ListTable).show(confusion_table(pairs).rows)
        self._search()

    def switch(self, view: str) -> None:
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
        """Whether the search field is open."""
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
            # In the room of `top-1`: the list is narrow.
            split = mixed_splits(self._catalogue) or "top-1"
            note += f"  {split} {numbers.percent(self._catalogue.accuracy, 1)}"
        rows, grid = self.query_one(f"#{LIST}", ListTable), self.query_one(CharacterGrid)
        rows.set_title("classes", note)
        set_pane_title(grid, "classes", note)
        grid.show(tuple(tile for tile, _ in found), "no class found" if text else "no dataset yet: press 2")
        self._fill()
        self._show_class()

    def _fill(self) -> None:
        """Fill the list only while it is visible: making thousands of rows takes a while."""
        if self.view == LIST:
            for key in self._found.keys() - self._rows.keys():
                self._rows[key] = class_row(self._found[key])
            rows = [self._rows[key] for key in self._found]
            self.query_one(f"#{LIST}", ListTable).show(rows, self.query_one(CharacterGrid).empty)

    def _show_class(self) -> None:
        tile = self.query_one(CharacterGrid).current
        known = self._found.get(tile.key) if tile else None
        self.query_one("#class", Static).update(lines_content(class_lines(known) if known else ()), layout=False)

    # the cursor

    def on_character_grid_highlighted(self, message: CharacterGrid.Highlighted) -> None:
        message.stop()
        self._show_class()
        self._post(GRID, opened=False)

    def on_character_grid_chosen(self, message: CharacterGrid.Chosen) -> None:
        message.stop()
        self._post(GRID, opened=True)

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        message.stop()
        self._post(message.table.id, opened=False)

    def on_list_table_chosen(self, message: ListTable.Chosen) -> None:
        message.stop()
        self._post(message.table.id, opened=True)

    def _post(self, chooser: str | None, opened: bool) -> None:
        if chooser == self.view and self.chosen is not None:
            self.post_message(self.Selected(self.chosen, opened))


def _tile(known: ClassLine) -> Tile:
    return Tile(name_jis(known.jis), known.character, grade(known.accuracy) if known.known else NOT_KNOWN)


def _of_class(key: str) -> Query:
    return Query(jis=int(key, 16))
