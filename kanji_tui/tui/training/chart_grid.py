"""Charts in rows and columns, on pages where they do not all fit."""

from collections.abc import Hashable, Sequence

from textual.app import ComposeResult
from textual.containers import Grid
from textual.geometry import Size

from kanji_tui.presentation.chart_grid import LEAST_HEIGHT, MOST_CHARTS, Arrangement, Shape, arrange
from kanji_tui.presentation.chart_legend import common_legend, too_long
from kanji_tui.presentation.curve_data import Chart
from kanji_tui.presentation.document import Line
from kanji_tui.tui.widgets.curves import Curves

GAP = 1  # cells between two charts


class ChartGrid(Grid):
    """Draws the charts of one page only."""

    DEFAULT_CSS = """
    ChartGrid { height: 6fr; min-height: 6; }
    ChartGrid Curves { margin-right: 1; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.shape = Shape()
        self._page = 0  # the wanted one; a run with fewer charts may not have it
        self._place = Arrangement(1, 1, 1, 0)
        self._laid_out = (0, 0)  # rows, columns
        self.unnamed: list[Line] = []  # what the lines of the shown charts are, if it is not in their titles

    def compose(self) -> ComposeResult:
        for number in range(MOST_CHARTS):
            yield Curves(id=f"chart-{number}").add_class("pane")

    def show(self, charts: Sequence[Chart], choices: Hashable, room: Size) -> Arrangement:
        """Show those of the page that fit into `room`, that of this grid and the panes above and below it."""
        place = self._place = arrange(len(charts), *room, self.shape, self._page)
        self._lay_out(place)
        shown = [charts[number] for number in place.shown if number < len(charts)]
        brief = too_long(shown, room.width // place.columns - GAP)
        self.unnamed = common_legend(shown) if brief else []
        for number, pane in enumerate(self.query(Curves)):
            pane.display = number < len(shown)
            if pane.display:
                pane.show(shown[number], (choices, place.page, place.rows, place.columns), brief)
        return place

    def _lay_out(self, place: Arrangement) -> None:
        if self._laid_out == (place.rows, place.columns):
            return  # a style is laid out again also where it stays the same
        self._laid_out = place.rows, place.columns
        self.styles.grid_size_rows, self.styles.grid_size_columns = place.rows, place.columns
        self.styles.height = f"{2 + 4 * place.rows}fr"
        self.styles.min_height = LEAST_HEIGHT * place.rows

    def change_page(self, step: int) -> None:
        """At the next `show` the page after the shown one (1), or the one before (-1), if there is one."""
        self._page = max(0, min(self._place.page + step, self._place.pages - 1))

    def begin(self) -> None:
        """At the next `show` the first page."""
        self._page = 0
