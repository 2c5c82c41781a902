"""Curves in braille: two by four dots a cell, with a quiet grid and plain ASCII labels."""

import math
from dataclasses import dataclass
from time import monotonic

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

REDRAW_SECONDS = 1.0
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True)
class Series:
    """A named curve; `points` are (x, y) with ascending x; a point with a y that is no number breaks it."""

    name: str
    style: str
    points: tuple[tuple[float, float], ...]


class Curves(Widget):
    """Draws the same run at most once a second, however often show() is called."""

    DEFAULT_CSS = """
    Curves { height: 1fr; width: 1fr; }
    """

    def __init__(self, title: str, percent: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = title
        self._percent = percent
        self._series: tuple[Series, ...] = ()
        self._mark: float | None = None
        self._span = (1.0, 2.0)
        self._of = ""
        self._drawn = 0.0
        self._timer: Timer | None = None
        self.border_title = title

    def show(self, of: str, series: tuple[Series, ...], last: float, mark: float | None = None) -> None:
        """Show the curves of run `of` from 1 to `last`; `mark` draws a vertical line at an x (the best epoch)."""
        if (of, series, mark, max(2.0, last)) == (self._of, self._series, self._mark, self._span[1]):
            return
        if of != self._of:
            self._drawn = 0.0  # another run is shown at once
        self._of = of
        self._series, self._mark, self._span = series, mark, (1.0, max(2.0, last))
        wait = self._drawn + REDRAW_SECONDS - monotonic()
        if wait <= 0:
            self._draw()
        elif self._timer is None:
            self._timer = self.set_timer(wait, self._draw)

    def _draw(self) -> None:
        self._timer = None
        self._drawn = monotonic()
        named = [Content.styled(series.name, series.style) for series in self._series]
        self.border_title = Content("  ").join([Content(self._title), *named]) if named else self._title
        self.refresh()

    def render(self) -> Content:
        width, height = self.content_size
        if width < 12 or height < 4:
            return Content()
        seen = [y for series in self._series for _, y in series.points if math.isfinite(y)]
        if not seen:
            return Content("\n" * (height // 2)) + Content.styled("no epoch yet".center(width), "$faint")
        bottom, top, ticks = scale(min(seen), max(seen), max(2, height // 3), self._percent)
        labels = {tick: label(tick, top - bottom, self._percent) for tick in ticks}
        gutter = max(len(text) for text in labels.values()) + 1
        canvas = Canvas(width - gutter, height - 1, self._span, (bottom, top))
        if self._mark is not None:
            canvas.vertical(self._mark, "$accent 60%")
        for series in self._series:
            canvas.curve(series.points, series.style)
        rows = {canvas.row(tick): text for tick, text in labels.items()}
        lines = [
            Content.styled(rows.get(y, "").rjust(gutter - 1) + " ", "$quiet") + canvas.line(y, grid=y in rows)
            for y in range(height - 1)
        ]
        first, last = f"{self._span[0]:.0f}", f"{self._span[1]:.0f}"
        axis = " " * gutter + first + last.rjust(width - gutter - len(first))
        return Content("\n").join([*lines, Content.styled(axis, "$quiet")])


class Canvas:
    """Cells of braille dots, each cell in the colour of what was drawn there last."""

    def __init__(self, width: int, height: int, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.width, self.height = width, height
        self._x, self._y = x, y
        self._dots = [[0] * width for _ in range(height)]
        self._styles = [[""] * width for _ in range(height)]
        self._marked: dict[int, str] = {}

    def row(self, y: float) -> int:
        """The row of cells that the value y lies in."""
        return self._place(0.0, y)[1] // 4

    def _place(self, x: float, y: float) -> tuple[int, int]:
        across = (x - self._x[0]) / ((self._x[1] - self._x[0]) or 1.0)
        up = (y - self._y[0]) / ((self._y[1] - self._y[0]) or 1.0)
        columns, rows = self.width * 2 - 1, self.height * 4 - 1
        return round(max(0.0, min(1.0, across)) * columns), round((1 - max(0.0, min(1.0, up))) * rows)

    def vertical(self, x: float, style: str) -> None:
        self._marked[self._place(x, self._y[0])[0] // 2] = style

    def curve(self, points: tuple[tuple[float, float], ...], style: str) -> None:
        before: tuple[int, int] | None = None
        for x, y in points:
            if not math.isfinite(y):
                before = None
                continue
            here = self._place(x, y)
            self._line(before or here, here, style)
            before = here

    def _line(self, start: tuple[int, int], end: tuple[int, int], style: str) -> None:
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for step in range(steps + 1):
            x = round(start[0] + (end[0] - start[0]) * step / steps)
            y = round(start[1] + (end[1] - start[1]) * step / steps)
            self._dots[y // 4][x // 2] |= DOTS[y % 4][x % 2]
            self._styles[y // 4][x // 2] = style

    def line(self, y: int, grid: bool) -> Content:
        """One row of cells; with `grid` empty cells show a faint line."""
        parts: list[tuple[str, str]] = []
        for x in range(self.width):
            if self._dots[y][x]:
                sign, style = chr(0x2800 + self._dots[y][x]), self._styles[y][x]
            elif x in self._marked:
                sign, style = "┊", self._marked[x]
            else:
                sign, style = ("┈" if grid else " "), "$rule"
            if parts and parts[-1][1] == style:
                parts[-1] = (parts[-1][0] + sign, style)
            else:
                parts.append((sign, style))
        return Content.assemble(*parts)


def scale(low: float, high: float, wanted: int, percent: bool) -> tuple[float, float, list[float]]:
    """Bottom, top and about `wanted` round ticks between, for values low...high."""
    if high - low < 1e-9:
        low, high = low - 0.05 * (abs(low) or 1.0), high + 0.05 * (abs(high) or 1.0)
    if percent:
        low, high = max(0.0, low), min(1.0, high) if high <= 1.0 else high
    raw = (high - low) / max(1, wanted - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    bottom, top = math.floor(low / step + 1e-6) * step, math.ceil(high / step - 1e-6) * step
    count = round((top - bottom) / step)
    return bottom, top, [bottom + step * number for number in range(count + 1)]


def label(value: float, span: float, percent: bool) -> str:
    """A tick in as few digits as tell it from its neighbours."""
    if percent:
        return f"{100 * value:.0f}%" if span >= 0.04 else f"{100 * value:.1f}%"
    return (
        f"{value:.0f}"
        if span >= 8
        else f"{value:.1f}"
        if span >= 0.8
        else f"{value:.2f}"
        if span >= 0.08
        else f"{value:.3f}"
    )
