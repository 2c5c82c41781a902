"""A canvas of braille dots, two by four a cell; each cell has the colour of what was drawn there last."""

import math
from collections.abc import Callable

from textual.content import Content

from kanji_tui.presentation.curve_data import LineKind, Points, Window
from kanji_tui.tui.widgets.pen import DOTS

DOTTED_EVERY = 4
DASH, DASH_DOTS = 12, 7  # dots from dash to dash, and of a dash


class BrailleCanvas:
    """`x` is the visible window; `height_of` gives the height of a value, 0 at the bottom, 1 at the top."""

    def __init__(self, width: int, height: int, x: Window, height_of: Callable[[float], float]) -> None:
        self.width, self.height = width, height
        self._x, self._height_of = x, height_of
        self._dots = [[0] * width for _ in range(height)]
        self._styles = [[""] * width for _ in range(height)]
        self._letters: dict[tuple[int, int], tuple[str, str]] = {}
        self._verticals: dict[int, tuple[str, str]] = {}

    def row(self, y: float) -> int:
        """The row of cells of the value y."""
        return self._dot(self._x[0], y)[1] // 4

    def column(self, x: float) -> int:
        """The column of cells of x, or the nearest one if x is outside."""
        return max(0, min(self.width - 1, self._dot(x, 0.0)[0] // 2))

    def _dot(self, x: float, y: float) -> tuple[int, int]:
        across = (x - self._x[0]) / ((self._x[1] - self._x[0]) or 1.0)
        up = self._height_of(y)
        return round(across * (self.width * 2 - 1)), round((1 - up) * (self.height * 4 - 1))

    def vertical(self, x: float, sign: str, style: str) -> None:
        """A line from bottom to top at x, behind the curves; nothing if x is outside the window."""
        if self._x[0] <= x <= self._x[1]:
            self._verticals[self.column(x)] = (sign, style)

    def curve(self, points: Points, style: str, line: LineKind = "solid") -> None:
        """Lines from point to point, cut at the window's edges."""
        before: tuple[int, int] | None = None
        drawn = 0  # dots of the line so far: dashes go on from point to point
        for x, y in points:
            if not math.isfinite(y):
                before = None
                continue
            here = self._dot(x, y)
            drawn += self._line(before or here, here, style, line, drawn)
            before = here

    def _line(self, start: tuple[int, int], end: tuple[int, int], style: str, line: LineKind, drawn: int) -> int:
        """A straight line, and of how many dots it is."""
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for step in range(steps + 1):
            x = round(start[0] + (end[0] - start[0]) * step / steps)
            y = round(start[1] + (end[1] - start[1]) * step / steps)
            if 0 <= x < self.width * 2 and has_dot(line, x + y, drawn + step):
                self._dots[y // 4][x // 2] |= DOTS[y % 4][x % 2]
                self._styles[y // 4][x // 2] = style
        return steps

    def letter(self, points: Points, mark: str, style: str) -> None:
        """Write `mark` at the end of the curve in the window, in the nearest cell without a letter beside it."""
        visible = [(x, y) for x, y in points if self._x[0] <= x <= self._x[1] and math.isfinite(y)]
        if not visible or not mark:
            return
        x, y = visible[-1]
        end, row = min(self.width - 1, self.column(x) + 1), self.row(y)
        for column in range(end, max(-1, end - 6), -2):
            for away in (0, 1, -1, 2, -2, 3, -3):
                if 0 <= row + away < self.height and (column, row + away) not in self._letters:
                    self._letters[column, row + away] = (mark, style)
                    return

    def line(self, y: int, grid: bool = False) -> Content:
        """One row of cells; with `grid` empty cells show a faint line."""
        parts: list[tuple[str, str]] = []
        for x in range(self.width):
            if (x, y) in self._letters:
                sign, style = self._letters[x, y]
            elif self._dots[y][x]:
                sign, style = chr(0x2800 + self._dots[y][x]), self._styles[y][x]
            elif x in self._verticals:
                sign, style = self._verticals[x]
            else:
                sign, style = ("┈" if grid else " "), "$rule"
            if parts and parts[-1][1] == style:
                parts[-1] = (parts[-1][0] + sign, style)
            else:
                parts.append((sign, style))
        return Content.assemble(*parts)


def has_dot(line: LineKind, diagonal: int, along: int) -> bool:
    """Whether the line has a dot on this diagonal of the canvas, `along` dots from its beginning."""
    match line:
        case "dotted":
            return diagonal % DOTTED_EVERY == 0
        case "dashed":
            return along % DASH < DASH_DOTS
    return True
