"""Thousands of characters at once, coloured by the accuracy of each; a mark says it without colour.

Only the lines that are seen are drawn, and moving the cursor paints two of them.
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kanji_tui.tui.widgets.list_table import WALK

CELL = 3  # a character of two cells and its mark
GRADES = (("unknown", " "), ("good", " "), ("fair", "."), ("poor", ":"), ("bad", "!"))  # as marks.grade counts them
LEGEND = "Behind a character: . below 99 %  : below 95 %  ! below 80 % of its samples correct."


@dataclass(frozen=True)
class Tile:
    """A character of one or two cells; `key` names it, `grade` is a place in GRADES."""

    key: str
    character: str
    grade: int


class CharacterGrid(ScrollView, can_focus=True):
    """Set tiles with show(); listen to CharacterGrid.Highlighted (cursor moved) and .Chosen (enter)."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"grid--{name}" for name, _ in GRADES),
        "grid--cursor",
        "grid--empty",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "Left", show=False),
        Binding("right,l", "move(1)", "Right", show=False),
        Binding("up,k", "lines(-1)", "Up", show=False),
        Binding("down,j", "lines(1)", "Down", show=False),
        *WALK,
    ]
    DEFAULT_CSS = """
    CharacterGrid {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;  /* as many tiles in a line with a scroll bar as without */
        & > .grid--unknown { color: $foreground; }
        & > .grid--good { color: $success; }
        & > .grid--fair { color: $warning; }
        & > .grid--poor { color: $error; }
        & > .grid--bad { color: $error; text-style: bold underline; }
        & > .grid--cursor { text-style: bold; background: $cursor; }
        & > .grid--empty { color: $quiet; }
        &:focus > .grid--cursor { text-style: bold reverse; }
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False)

    class Highlighted(Message):
        """The cursor stands on another tile."""

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
        self.tiles: tuple[Tile, ...] = ()
        self.empty = ""
        self.border_title = title

    @property
    def current(self) -> Tile | None:
        """The tile under the cursor."""
        return self.tiles[self.cursor] if self.cursor < len(self.tiles) else None

    @property
    def across(self) -> int:
        """Tiles in a line."""
        return max(1, self.scrollable_content_region.width // CELL)

    def show(self, tiles: tuple[Tile, ...], empty: str = "") -> None:
        """Show other tiles; the cursor stays on the one with the same key where there is one."""
        if (tiles, empty) == (self.tiles, self.empty):
            return
        before = self.current
        self.tiles, self.empty = tiles, empty
        places = (number for number, tile in enumerate(tiles) if before and tile.key == before.key)
        self.set_reactive(CharacterGrid.cursor, next(places, 0))
        self._measure()
        self.refresh()
        if self.current is not None and (before is None or self.current.key != before.key):
            self.post_message(self.Highlighted(self, self.current))

    def select(self, key: str) -> None:
        """Put the cursor on the tile with this key, where it is."""
        self.cursor = next((number for number, tile in enumerate(self.tiles) if tile.key == key), self.cursor)

    def _measure(self) -> None:
        self.virtual_size = Size(0, -(-len(self.tiles) // self.across))
        self._scroll_to_cursor()

    def on_resize(self) -> None:
        self._measure()
        self.refresh()

    def watch_cursor(self, before: int, now: int) -> None:
        for place in {before // self.across, now // self.across}:
            self.refresh_line(place)
        self._scroll_to_cursor()
        if self.current is not None:
            self.post_message(self.Highlighted(self, self.current))

    def _scroll_to_cursor(self) -> None:
        seen, line, top = self.scrollable_content_region.height, self.cursor // self.across, round(self.scroll_y)
        if line < top or seen <= 0:
            self.scroll_to(y=line, animate=False, immediate=True)
        elif line >= top + seen:
            self.scroll_to(y=line - seen + 1, animate=False, immediate=True)

    def action_move(self, step: int) -> None:
        self.cursor = max(0, min(len(self.tiles) - 1, self.cursor + step))

    def action_lines(self, step: int) -> None:
        place = self.cursor + step * self.across
        if (
            step > 0
            and place >= len(self.tiles)
            and self.cursor // self.across < (len(self.tiles) - 1) // self.across
        ):
            place = len(self.tiles) - 1
        if 0 <= place < len(self.tiles):
            self.cursor = place

    def action_page(self, direction: int) -> None:
        step = max(1, self.scrollable_content_region.height - 1) * self.across
        self.cursor = max(0, min(len(self.tiles) - 1, self.cursor + direction * step))

    def action_end(self, direction: int) -> None:
        self.cursor = 0 if direction < 0 else max(0, len(self.tiles) - 1)

    def action_choose(self) -> None:
        if self.current is not None:
            self.post_message(self.Chosen(self, self.current))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.x // CELL >= self.across:
            return
        place = (offset.y + round(self.scroll_y)) * self.across + offset.x // CELL
        if place < len(self.tiles):
            if place == self.cursor:
                self.action_choose()
            self.cursor = place

    def render_line(self, y: int) -> Strip:
        width, base = self.scrollable_content_region.width, self.rich_style
        if not self.tiles and y == 0:
            style = self.get_component_rich_style("grid--empty")
            return Strip([Segment(self.empty, style)]).adjust_cell_length(width, base)
        first = (y + round(self.scroll_y)) * self.across
        segments = []
        for place, tile in enumerate(self.tiles[first : first + self.across], start=first):
            name, mark = GRADES[tile.grade]
            style = self.get_component_rich_style(f"grid--{name}")
            text = tile.character + " " * (CELL - 1 - cell_len(tile.character))
            if place == self.cursor:
                style = style + self.get_component_rich_style("grid--cursor", partial=True)
            segments.append(Segment(text + mark, style))
        return Strip(segments).adjust_cell_length(width, base)
