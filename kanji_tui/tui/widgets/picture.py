"""A character's picture in a terminal: grey half blocks, or braille dots where room or colours lack.

Pictures are `size` x `size` bytes, rows from the top, 0 paper to 255 ink.
"""

from itertools import groupby

from textual.color import Color
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

LEVELS = 16  # the record files have no more, and fewer levels make longer runs and fewer bytes
INK_FROM = 80
GREY_FROM = 28  # with fewer pixels a side, braille shows more than greys do
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


class Picture(Widget):
    """One picture as large as fits."""

    DEFAULT_CSS = """
    Picture { width: 1fr; height: 1fr; content-align: center middle; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pixels = b""
        self._side = 0

    def show(self, pixels: bytes, size: int) -> None:
        """Show a picture of `size` x `size` bytes; with size 0 nothing."""
        if (pixels, size) != (self._pixels, self._side):
            self._pixels, self._side = pixels, size
            self.refresh()

    def render(self) -> Content:
        width, height = self.content_size
        if not self._side or width < 4 or height < 2:
            return Content()
        colours = not self.app.no_color and self.app.console.color_system in ("truecolor", "256")
        if not colours or min(width, 2 * height) < GREY_FROM:
            return braille(self._pixels, self._side, width, height)
        variables = self.app.theme_variables
        paper, ink = Color.parse(variables["panel"]), Color.parse(variables["foreground"])
        return half_blocks(self._pixels, self._side, width, height, paper, ink)


def half_blocks(pixels: bytes, size: int, width: int, height: int, paper: Color, ink: Color) -> Content:
    """The picture in at most width x height cells, two pixels a cell, its darkest as ink."""
    side = min(width, 2 * height) // 2 * 2
    side = size * (side // size) if side >= size else side
    grey = resample(pixels, size, side)
    darkest = max(max(map(max, grey)), 1)  # thin strokes are pale once they are averaged
    shades = [paper.blend(ink, level / (LEVELS - 1)) for level in range(LEVELS)]
    levels = [[value * (LEVELS - 1) // darkest for value in row] for row in grey]
    lines = []
    for y in range(0, side, 2):
        runs = groupby(zip(levels[y], levels[y + 1], strict=True))
        parts = [(len(list(run)), pair) for pair, run in runs]
        lines.append(
            Content.assemble(
                *[
                    ("▀" * length, Style(foreground=shades[upper], background=shades[lower]))
                    for length, (upper, lower) in parts
                ]
            )
        )
    return Content("\n").join(lines)


def braille(pixels: bytes, size: int, width: int, height: int) -> Content:
    """The picture in at most width x height cells, eight dots a cell, a dot for each inked pixel."""
    side = min(2 * width, 4 * height) // 4 * 4
    side = min(side, size * max(1, side // size)) if side >= size else side
    grey = resample(pixels, size, side)
    lines = []
    for top in range(0, side, 4):
        line = ""
        for left in range(0, side, 2):
            dots = 0
            for y in range(4):
                for x in range(2):
                    if top + y < side and left + x < side and grey[top + y][left + x] >= INK_FROM:
                        dots |= DOTS[y][x]
            line += chr(0x2800 + dots)
        lines.append(line)
    return Content("\n".join(lines))


def resample(pixels: bytes, size: int, side: int) -> list[list[int]]:
    """The picture at `side` x `side` by area average; larger sides repeat pixels."""
    rows = [list(pixels[y * size : (y + 1) * size]) for y in range(size)]
    if side == size:
        return rows
    across = [_average(row, side) for row in rows]
    down = [_average(list(column), side) for column in zip(*across, strict=True)]
    return [[round(value) for value in row] for row in zip(*down, strict=True)]


def _average(values: list[int] | list[float], side: int) -> list[float]:
    """A line of values as `side` averages over equal shares of its length."""
    step = len(values) / side
    result = []
    for number in range(side):
        start, end = number * step, (number + 1) * step
        total, place = 0.0, int(start)
        while place < end - 1e-9 and place < len(values):
            total += values[place] * (min(end, place + 1) - max(start, place))
            place += 1
        result.append(total / step)
    return result
