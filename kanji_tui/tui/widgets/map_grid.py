"""Small maps of one size side by side, each on its own scale, below a title: as many as fit."""

from dataclasses import dataclass

from textual.color import Color
from textual.content import Content
from textual.widget import Widget

from kanji_tui.tui.widgets.heat_map import shaded
from kanji_tui.tui.widgets.image_view import even_side, half_blocks, mixes_colours, resample

GAP = 1
DETAILED = (8, 16)  # columns that a map shall have at least: as many as it has values, within these


@dataclass(frozen=True)
class SmallMap:
    """`levels`: bytes, rows from the top, 0 lowest to 255 highest."""

    caption: str
    levels: bytes


@dataclass(frozen=True)
class Maps:
    """`size` x `size` values a map, the most important one first; `about` follows `title`: how many are shown."""

    title: str
    about: tuple[str, ...]  # by the number of maps shown, from 0
    size: int
    maps: tuple[SmallMap, ...]


class MapGrid(Widget):
    """Shows maps with a caption each."""

    DEFAULT_CSS = """
    MapGrid { width: 1fr; height: 1fr; content-align: left top; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: Maps | None = None

    def show(self, maps: Maps | None) -> None:
        """Show these maps; None shows nothing."""
        if maps != self._shown:
            self._shown = maps
            self.refresh()

    def render(self) -> Content:
        shown = self._shown
        width, height = self.content_size
        if shown is None or height < 1:
            return Content()
        across, number, side = arrange(len(shown.maps), shown.size, width, height - 2)
        lines = [Content.styled(shown.title, "bold"), Content.styled(shown.about[number], "$quiet")]
        for start in range(0, number, across or 1):
            lines += self._row(shown.maps[start : min(number, start + across)], shown.size, side)
        return Content("\n").join([line.truncate(width, ellipsis=True) for line in lines])

    def _row(self, maps: tuple[SmallMap, ...], size: int, side: int) -> list[Content]:
        """The lines of maps beside each other, the captions last."""
        drawn = [self._draw(one.levels, size, side) for one in maps]
        captions = [Content.styled(one.caption.center(side), "$quiet") for one in maps]
        gap = Content(" " * GAP)
        return [gap.join(line) for line in (*zip(*drawn, strict=True), captions)]

    def _draw(self, levels: bytes, size: int, side: int) -> list[Content]:
        if not mixes_colours(self.app):
            shares = [[level / 255 for level in row] for row in resample(levels, size, side)]
            return [Content(line) for line in shaded(shares, 1)]
        variables = self.app.theme_variables
        paper, warm = Color.parse(variables["panel"]), Color.parse(variables["accent"])
        return half_blocks(levels, size, side, side // 2, paper, warm).split("\n")


def arrange(count: int, size: int, width: int, height: int) -> tuple[int, int, int]:
    """How to show `count` maps of `size` x `size` values in `width` x `height` cells, two values a cell.

    Gives how many are beside each other, how many there are in all, and their side in columns.

    As many as fit with enough columns each; if not even one does, one as large as possible. 0, 0, 0 without room.
    """
    least = min(max(size, DETAILED[0]), DETAILED[1], _largest(1, 1, size, width, height))
    for number in range(count, 0, -1):
        fits = [
            (_largest(across, -(-number // across), size, width, height), across) for across in range(1, number + 1)
        ]
        side, across = max(fits)
        if side >= max(least, 2):
            return across, number, side
    return 0, 0, 0


def _largest(across: int, down: int, size: int, width: int, height: int) -> int:
    """The side in columns, even, of each of `across` x `down` maps with a line for the caption below each."""
    return even_side(size, max(0, min((width + GAP) // across - GAP, 2 * (height // down - 1))))
