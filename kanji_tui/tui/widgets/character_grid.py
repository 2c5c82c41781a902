"""Thousands of characters at once, coloured by the accuracy of each; without colour a mark shows it.

Only the lines in sight are drawn, and moving the cursor paints two of them.
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from kanji_tui.tui.widgets.cursor_view import CursorView

CELL = 3  # a character of two cells and its mark
# As marks.grade counts them, then one for classes that a model has no output for.
GRADES = (("unknown", " "), ("good", " "), ("fair", "."), ("poor", ":"), ("bad", "!"), ("not-known", " "))
NOT_KNOWN = 5
LEGEND = "Behind a character: . below 99 %  : below 95 %  ! below 80 % of its samples correct."


@dataclass(frozen=True)
class Tile:
    """A character of one or two cells; `key` names it, `grade` is an index into GRADES."""

    key: str
    character: str
    grade: int


class CharacterGrid(CursorView[Tile]):
    """Set tiles with show(); listen to CharacterGrid.Highlighted (another tile) and .Chosen (enter)."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"grid--{name}" for name, _ in GRADES),
        "grid--cursor",
        "grid--empty",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Left", show=False),
        Binding("right", "step(1)", "Right", show=False),
    ]
    DEFAULT_CSS = """
    CharacterGrid {
        scrollbar-gutter: stable;  /* as many tiles in a line with a scroll bar as without */
        & > .grid--unknown { color: $foreground; }
        & > .grid--not-known { color: $faint; }
        & > .grid--good { color: $success; }
        & > .grid--fair { color: $warning; }
        & > .grid--poor { color: $error; }
        & > .grid--bad { color: $error; text-style: bold underline; }
        & > .grid--cursor { text-style: bold; background: $cursor; }
        & > .grid--empty { color: $quiet; }
        &:focus > .grid--cursor { text-style: bold reverse; }
    }
    """

    class Highlighted(Message):
        """The cursor is on another tile."""

        def __init__(self, grid: "CharacterGrid", tile: Tile) -> None:
            super().__init__()
            self.grid = grid
            self.tile = tile

        @property
        def control(self) -> "CharacterGrid":
            return self.grid

    class Chosen(Highlighted):
        """Enter, or a second click, on a tile."""

    def __init__(self, id: str | None = None, title: str = "") -> None:
        super().__init__(id=id)
        self.border_title = title

    def highlighted(self, item: Tile) -> Message:
        return self.Highlighted(self, item)

    def chosen(self, item: Tile) -> Message:
        return self.Chosen(self, item)

    @property
    def per_line(self) -> int:
        return max(1, self.scrollable_content_region.width // CELL)

    def column_at(self, x: int) -> int:
        return x // CELL

    def show(self, tiles: tuple[Tile, ...], empty: str = "") -> None:
        """Show other tiles; the cursor stays on the one with the same key where there is one."""
        if (tiles, empty) == (self.items, self.empty):
            return
        before = self.current
        self.items, self.empty = tiles, empty
        self.renew(before, self._index_of(before.key, 0) if before else 0)

    def select(self, key: str) -> None:
        """Put the cursor on the tile with this key if there is one."""
        self.cursor = self._index_of(key, self.cursor)

    def _index_of(self, key: str, default: int) -> int:
        return next((index for index, tile in enumerate(self.items) if tile.key == key), default)

    def action_step(self, step: int) -> None:
        self.cursor = max(0, min(len(self.items) - 1, self.cursor + step))

    def render_line(self, y: int) -> Strip:
        width, base = self.scrollable_content_region.width, self.rich_style
        if not self.items and y == 0:
            style = self.get_component_rich_style("grid--empty")
            return Strip([Segment(self.empty, style)]).adjust_cell_length(width, base)
        first = (y + round(self.scroll_y)) * self.per_line
        segments = []
        for index, tile in enumerate(self.items[first : first + self.per_line], start=first):
            name, mark = GRADES[tile.grade]
            style = self.get_component_rich_style(f"grid--{name}")
            text = tile.character + " " * (CELL - 1 - cell_len(tile.character))
            if index == self.cursor:
                style = style + self.get_component_rich_style("grid--cursor", partial=True)
            segments.append(Segment(text + mark, style))
        return Strip(segments).adjust_cell_length(width, base)
