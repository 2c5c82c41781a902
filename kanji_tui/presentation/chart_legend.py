"""What the lines of charts are: in the title of each chart, or once for all where the titles have no room."""

from collections.abc import Sequence

from kanji_tui.presentation.curve_data import Chart, Series, value_at
from kanji_tui.presentation.document import Line, Styled, cells_of, join, quiet, text_of

GAP = "  "
FRAME = 4  # cells of a pane beside its title


def legend(chart: Chart) -> Line:
    """The chart's title and the names of its curves in their colours; with a cursor, the value of each there."""
    named = [(series, series.name or series.mark) for series in chart.curves]
    return join(GAP, [_title(chart), *(_named(*each, chart) for each in named if each[1]), *line_kinds(chart)])


def brief_legend(chart: Chart) -> Line:
    """The chart's title; with a cursor, short values there behind the letters of the curves."""
    if chart.cursor is None:
        return chart.title
    values = [_named(series, series.mark, chart, short=True) for series in chart.curves]
    return join(" ", [chart.title, *(value for value in values if text_of(value))])


def too_long(charts: Sequence[Chart], width: int) -> bool:
    """Whether the legend of one of the charts does not fit into a pane of this width."""
    return any(cells_of(text_of(legend(chart))) > width - FRAME for chart in charts)


def common_legend(charts: Sequence[Chart]) -> list[Line]:
    """The scale of all these charts, and what their lines are that no letter says."""
    scales: dict[str, Line] = {chart.scale: chart.scale for chart in charts if chart.scale != "linear"}
    names = {
        series.name: Styled(series.name, series.style)
        for chart in reversed(charts)
        for series in chart.curves
        if series.name and series.name != chart.title
    }
    order = [series.name for chart in charts for series in chart.curves]
    kinds = {text_of(kind): kind for chart in charts for kind in line_kinds(chart)}
    return [*scales.values(), *(names[name] for name in dict.fromkeys(order) if name in names), *kinds.values()]


def line_kinds(chart: Chart) -> list[Line]:
    """What the kinds of lines mean that no curve's name says."""
    kinds: list[Line] = [Styled("┊ best", "accent")] if chart.best is not None else []
    if any(series.line == "dotted" for series in chart.series):
        kinds.append(quiet("dotted: train"))
    dashed = [series.mark for series in chart.series if series.line == "dashed"]
    if dashed:
        kinds.append(quiet(f"dashed: {' '.join(dashed)}"))
    if chart.scale == "smoothed":
        kinds.append(quiet("faint: measured"))
    return kinds


def _title(chart: Chart) -> Line:
    return chart.title if chart.scale == "linear" else (chart.title, quiet(f" {chart.scale}"))


def _named(series: Series, name: str, chart: Chart, short: bool = False) -> Line:
    """A curve's name; with a cursor the value there. What was measured between the epochs has none at an epoch."""
    named = Styled(name, series.style)
    value = None if chart.cursor is None else value_at(series.points, chart.cursor)
    if chart.cursor is None or (value is None and not series.mark):
        return named
    return named, f"{' ' if name else ''}{value_text(value, chart.percent, 1 if short else 2)}"


def value_text(value: float | None, percent: bool, decimals: int = 2) -> str:
    """A value as text: `97.31%`, `0.0412`, `12,300`; `-` for None. `decimals`: of percentages."""
    if value is None:
        return "-"
    if percent:
        return f"{100 * value:.{decimals}f}%"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 0.1 else f"{value:.3f}"
