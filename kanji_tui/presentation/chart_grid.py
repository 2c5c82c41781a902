"""Which charts stand beside a run, and in how many rows and columns, on pages where they do not all fit."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from kanji_tui.epoch_metrics import METRICS
from kanji_tui.errors import UsageError
from kanji_tui.presentation.curve_data import Chart
from kanji_tui.presentation.run_page import load_charts
from kanji_tui.workspace.run_curves import LOADS
from kanji_tui.workspace.run_query import fits
from kanji_tui.workspace.run_views import RunView

MOST_CHARTS = len({metric.chart for metric in METRICS}) + len(LOADS) + 1  # every metric, every load, and the GPU's
MORE = ("learning rate", "samples/s", "GPU", "CPU", "memory")  # beside the usual ones where there is room, in order
USUAL_WIDTH, USUAL_LINES = 38, 22  # cells of a chart, lines of the panes for each row of charts, if nobody chose
LEAST_WIDTH, LEAST_HEIGHT = 20, 6  # cells of a chart, whatever was chosen
OTHER_LINES = 8  # of the panes above and below the charts, at least
SHAPE = re.compile(r"\s*(\d{0,2})(?:\s*[x×*, ]\s*(\d{0,2}))?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Shape:
    """The rows and columns that a person chose; 0: as many as the room and the charts ask for."""

    rows: int = 0
    columns: int = 0


@dataclass(frozen=True)
class Arrangement:
    """The place of `count` charts: those of one page, from 0, in rows and columns."""

    count: int
    rows: int
    columns: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // (self.rows * self.columns)))

    @property
    def shown(self) -> range:
        """The charts of this page."""
        first = self.page * self.rows * self.columns
        return range(first, min(self.count, first + self.rows * self.columns))

    @property
    def note(self) -> str:
        """Which charts these are, where there are others."""
        if self.pages == 1:
            return ""
        first, last = self.shown[0] + 1, self.shown[-1] + 1
        return f"charts {first}-{last} of {self.count}" if last > first else f"chart {first} of {self.count}"


def read_shape(text: str) -> Shape:
    """The shape that `2x3`, `2` (rows) or `x3` (columns) means; UsageError for anything else."""
    found = SHAPE.fullmatch(text)
    if found is None:
        raise UsageError(f"'{text}' is not rows x columns", "type for example 2x3, 2 for rows, x3 for columns")
    rows, columns = (int(number or 0) for number in found.groups())
    return Shape(rows, columns)


def arrange(count: int, width: int, height: int, shape: Shape, page: int) -> Arrangement:
    """The charts in panes of `width` x `height` cells: as chosen, but none too small to be read, and no empty rows.

    `page` beyond the last means the last, below 0 the first.
    """
    count = max(1, count)
    widest, highest = max(1, width // LEAST_WIDTH), max(1, (height - OTHER_LINES) // LEAST_HEIGHT)
    usual_columns, usual_rows = max(2, width // USUAL_WIDTH), max(1, height // USUAL_LINES)
    most_columns = min(shape.columns or usual_columns, widest, count)
    rows = min(shape.rows or usual_rows, highest, -(-count // most_columns))
    columns = most_columns if shape.columns else min(most_columns, -(-count // rows))
    pages = Arrangement(count, rows, columns, 0).pages
    return Arrangement(count, rows, columns, max(0, min(page, pages - 1)))


def chosen_charts(
    run: RunView | None, pattern: str, draw: Callable[[str], tuple[Chart, ...]], roomy: bool
) -> tuple[Chart, ...]:
    """The metrics, and the load of the machine of `run`, that match the pattern and were measured.

    Without a pattern the usual metrics, and in a `roomy` place those of MORE. `draw` gives the charts of the
    metrics that match a pattern.
    """
    usual = draw(pattern)
    loads = load_charts(run) if run else ()
    if pattern:
        matching = (*usual, *(chart for chart in loads if fits(pattern, chart.title)))
        return tuple(chart for chart in matching if not chart.empty) or usual
    if not roomy:
        return usual
    measured = {chart.title: chart for chart in (*draw("."), *loads) if not chart.empty}
    above = {chart.title for chart in usual}
    return (*usual, *(measured[title] for title in MORE if title in measured and title not in above))
