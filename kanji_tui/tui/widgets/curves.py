"""A pane of curves in braille, with a faint grid, ASCII labels and the values at the cursor."""

import math
from collections.abc import Hashable
from time import monotonic

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from kanji_tui.presentation.curve_data import Chart, Series, value_at, within
from kanji_tui.tui.widgets.axes import axis
from kanji_tui.tui.widgets.braille_canvas import BrailleCanvas
from kanji_tui.tui.widgets.content import style_of

REDRAW_SECONDS = 1.0
GAP = Content("  ")


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
        self._note = ""
        self._drawn = 0.0
        self._timer: Timer | None = None
        self._lines: list[Content] = []
        self._lines_of: tuple[Chart, int, int] | None = None  # the chart, width and height of _lines

    def show(self, chart: Chart, choices: Hashable, note: str = "") -> None:
        """Show the chart; if the user's `choices` (run, scale, window ...) have changed, it is drawn at once."""
        if (chart, choices, note) == (self._chart, self._choices, self._note):
            return
        if choices != self._choices:
            self._drawn = 0.0
        self._choices, self._chart, self._note = choices, chart, note
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
        self.border_title = legend(self._chart)
        self.border_subtitle = self._note
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
    return [*lines, _epochs(chart, canvas, gutter)]


def _paint(canvas: BrailleCanvas, chart: Chart) -> None:
    """Best epoch and cursor behind, the curves, then their letters; raw values faint behind smoothed ones."""
    if chart.best is not None:
        canvas.vertical(chart.best, "┊", "$accent 60%")
    if chart.cursor is not None:
        canvas.vertical(chart.cursor, "│", "$foreground")
    if chart.scale == "smoothed":
        for series in chart.series:
            canvas.curve(series.points, "$faint", dotted=True)
    for series in chart.curves:
        canvas.curve(series.points, style_of(series.style), series.dotted)
    for series in chart.curves:
        canvas.letter(series.points, series.mark, style_of(series.style))


def _epochs(chart: Chart, canvas: BrailleCanvas, gutter: int) -> Content:
    """The line below: the first and the last epoch, and the cursor's epoch below the cursor."""
    marks = {0: f"{math.ceil(chart.window[0] - 1e-9)}"}
    last = f"{math.floor(chart.window[1] + 1e-9)}"
    marks[canvas.width - len(last)] = last
    if chart.cursor is not None and chart.window[0] <= chart.cursor <= chart.window[1]:
        text = f"{chart.cursor:.0f}"
        start = max(0, min(canvas.width - len(text), canvas.column(chart.cursor) - len(text) // 2))
        marks = {at: mark for at, mark in marks.items() if at + len(mark) < start or start + len(text) < at}
        marks[start] = text
    line = ""
    for at in sorted(marks):
        line = line.ljust(at) + marks[at]
    return Content(" " * gutter) + Content.styled(line, "$quiet")


def legend(chart: Chart) -> Content:
    """The chart's title and the names of its curves in their colours; with a cursor, the value of each there."""
    scale = "" if chart.scale == "linear" else f" {chart.scale}"
    parts = [Content.assemble(chart.title, (scale, "$quiet"))]
    return GAP.join(parts + [_named(series, chart) for series in chart.curves if series.name or series.mark])


def _named(series: Series, chart: Chart) -> Content:
    name = Content.styled(series.name or series.mark, style_of(series.style))
    if chart.cursor is None:
        return name
    return name + " " + value_text(value_at(series.points, chart.cursor), chart.percent)


def value_text(value: float | None, percent: bool) -> str:
    """A value as text: `97.31%`, `0.0412`, `12,300`; `-` for None."""
    if value is None:
        return "-"
    if percent:
        return f"{100 * value:.2f}%"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 0.1 else f"{value:.3f}"
