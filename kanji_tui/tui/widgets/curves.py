"""A pane of curves in braille, with a faint grid, ASCII labels and the values at the cursor."""

import math
from collections.abc import Hashable
from time import monotonic

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from kanji_tui.presentation.chart_legend import brief_legend, legend
from kanji_tui.presentation.curve_data import Chart, within
from kanji_tui.system.numbers import duration
from kanji_tui.tui.widgets.axes import axis
from kanji_tui.tui.widgets.braille_canvas import BrailleCanvas
from kanji_tui.tui.widgets.content import content_of, style_of

REDRAW_SECONDS = 1.0


class Curves(Widget):
    """Draws new values at most once a second, but draws what the user asked for at once."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Curves { height: 1fr; width: 1fr; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chart = Chart("", (), (1.0, 2.0))
        self._choices: Hashable = None
        self._brief = False
        self._drawn = -math.inf  # moment of the last drawing; the clock itself may have begun a second ago
        self._timer: Timer | None = None
        self._lines: list[Content] = []
        self._lines_of: tuple[Chart, int, int] | None = None  # the chart, width and height of _lines

    def show(self, chart: Chart, choices: Hashable, brief: bool = False) -> None:
        """Show the chart; if the user's `choices` (run, scale, window ...) have changed, it is drawn at once.

        `brief`: what the lines are stands elsewhere, not in its title.
        """
        if (chart, choices, brief) == (self._chart, self._choices, self._brief):
            return
        if choices != self._choices:
            self._drawn = -math.inf
        self._choices, self._chart, self._brief = choices, chart, brief
        wait = self._drawn + REDRAW_SECONDS - monotonic()
        if wait <= 0:
            self._draw()
        elif self._timer is None:
            self._timer = self.set_timer(wait, self._draw)

    def _draw(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = None
        self._drawn = monotonic()
        self.border_title = content_of(brief_legend(self._chart) if self._brief else legend(self._chart))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.content_size
        base = self.visual_style
        if (self._chart, width, height) != self._lines_of:
            self._lines, self._lines_of = chart_lines(self._chart, width, height), (self._chart, width, height)
        line = self._lines[y] if y < len(self._lines) else Content()
        parts = line.render(base, end="", parse_style=self.app.stylesheet.parse_style)
        return Strip([Segment(text, style.rich_style) for text, style in parts])


def chart_lines(chart: Chart, width: int, height: int) -> list[Content]:
    """The chart as lines of `width` cells; none where there is too little room."""
    if width < 12 or height < 4:
        return []
    shown = [within(series.points, chart.window) for series in chart.series]
    values = [y for points in shown for _, y in points if math.isfinite(y)]
    if not values:
        return [Content()] * (height // 2) + [Content.styled("no epoch yet".center(width), "$faint")]
    y_axis = axis(values, max(2, height // 3), chart.percent, log=chart.scale == "log")
    gutter = max(len(text) for _, text in y_axis.ticks) + 1
    canvas = BrailleCanvas(width - gutter, height - 1, chart.window, y_axis.height)
    _paint(canvas, chart)
    rows = {canvas.row(tick): text for tick, text in y_axis.ticks}
    lines = [
        Content.styled(rows.get(y, "").rjust(gutter - 1) + " ", "$quiet") + canvas.line(y, grid=y in rows)
        for y in range(height - 1)
    ]
    return [*lines, _x_labels(chart, canvas, gutter)]


def _paint(canvas: BrailleCanvas, chart: Chart) -> None:
    """Best epoch and cursor behind, the curves, then their letters; raw values faint behind smoothed ones."""
    if chart.best is not None:
        canvas.vertical(chart.best, "┊", "$accent 60%")
    if chart.cursor is not None:
        canvas.vertical(chart.cursor, "│", "$foreground")
    if chart.scale == "smoothed":
        for series in chart.series:
            canvas.curve(series.points, "$faint", "dotted")
    for series in chart.curves:
        canvas.curve(series.points, style_of(series.style), series.line)
    for series in chart.curves:
        canvas.letter(series.points, series.mark, style_of(series.style))


def _x_labels(chart: Chart, canvas: BrailleCanvas, gutter: int) -> Content:
    """The line below: the ends of the x axis, its name between them, and the cursor's place below the cursor."""
    low, high = chart.window
    ends = (math.ceil(low - 1e-9), math.floor(high + 1e-9)) if chart.x == "epoch" else (low, high)
    first, last = (x_text(chart.x, end) for end in ends)
    marks = {0: first, canvas.width - len(last): last}
    name = (canvas.width - len(chart.x)) // 2
    if len(first) < name and name + len(chart.x) < canvas.width - len(last):
        marks[name] = chart.x
    if chart.cursor is not None and low <= chart.cursor <= high:
        text = x_text(chart.x, chart.cursor)
        start = max(0, min(canvas.width - len(text), canvas.column(chart.cursor) - len(text) // 2))
        marks = {at: mark for at, mark in marks.items() if at + len(mark) < start or start + len(text) < at}
        marks[start] = text
    line = ""
    for at in sorted(marks):
        line = line.ljust(at) + marks[at]
    return Content(" " * gutter) + Content.styled(line, "$quiet")


def x_text(axis: str, value: float) -> str:
    """A place on the x axis: an epoch, `12,300` steps, `1:52`."""
    return duration(value) if axis == "time" else f"{value:,.0f}"
