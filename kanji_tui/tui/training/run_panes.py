"""The panes of a training: head, curves, epochs, GPUs, log."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kanji_tui.presentation import charts
from kanji_tui.presentation.curve_data import SCALES, X_AXES, Chart, Window, follow, zoom
from kanji_tui.presentation.document import Styled, join
from kanji_tui.presentation.run_page import load_charts
from kanji_tui.presentation.training import run_head, without_gpu
from kanji_tui.system.numbers import moment
from kanji_tui.tui.training.epoch_table import EpochTable
from kanji_tui.tui.training.gpu_pane import GpuPane
from kanji_tui.tui.training.run_page import has_points
from kanji_tui.tui.widgets.curves import Curves
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.log_tail import LogTail
from kanji_tui.workspace.run_views import RunView

PANES = ("curves", "epochs", "gpu", "log")
MOST_CHARTS = 4
CHART_WIDTH = 38  # of each chart, at least, if there are more than two
TALL = 48  # lines of a screen with room for more than curves, epochs and log
MORE = (
    "learning rate",
    "samples/s",
    "GPU",
    "CPU",
    "memory",
)  # titles of the charts that may stand in the second row, in this order


class RunPanes(Vertical):
    """Shows one run, and the curves of up to four. The user's choices of panes and scale stay from run to run."""

    DEFAULT_CSS = """
    RunPanes { width: 1fr; }
    RunPanes #head { min-height: 2; max-height: 6; text-wrap: nowrap; text-overflow: ellipsis; }
    RunPanes #head.-reason { text-wrap: wrap; }
    RunPanes #legend { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    RunPanes #curves { height: 6fr; min-height: 6; }
    RunPanes Curves { margin-right: 1; }
    RunPanes #more { height: 4fr; }
    RunPanes #epochs { height: 5fr; min-height: 4; }
    RunPanes #log { height: 3fr; min-height: 4; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pattern = ""
        self._scale = SCALES[0]
        self._axis = X_AXES[0]
        self._window: Window | None = None  # None: all epochs
        self._cursor: float | None = None
        self._toggled: dict[str, bool] = {}  # panes that the user showed or hid
        self._run: RunView | None = None
        self._compared: list[RunView] = []

    def compose(self) -> ComposeResult:
        yield KeyValues(id="head")
        yield KeyValues(id="legend")
        with Horizontal(id="curves"):
            for number in range(MOST_CHARTS):
                yield Curves(id=f"chart-{number}").add_class("pane")
        with Horizontal(id="more"):
            for number in range(MOST_CHARTS):
                yield Curves(id=f"more-{number}").add_class("pane")
        yield EpochTable(id="epochs").add_class("pane")
        yield GpuPane(id="gpu").add_class("pane")
        yield LogTail(id="log").add_class("pane")

    def show(self, run: RunView | None, compared: list[RunView], published: bool, ready: bool) -> None:
        """Show `run`, and the curves of `compared`: of this run alone, or of several."""
        if [view.name for view in compared] != [view.name for view in self._compared]:
            self._window = self._cursor = None
        self._run, self._compared = run, compared
        if self._window is not None and self._cursor is None and self._last_epoch is not None:
            self._window = follow(self._window, self._whole, self._last_epoch)  # keep new epochs in sight
        head = self.query_one("#head", KeyValues)
        head.set_class(bool(run and (run.failure or run.problem)), "-reason")
        head.show_line(run_head(run, published, ready))
        self.query_one(EpochTable).show_epochs(run.epochs if run else ())
        self.query_one(GpuPane).show(run.gpus if run else (), without_gpu(run))
        for name in PANES:
            self.query_one(f"#{name}").display = self.shows(name)
        self._show_curves()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_curves)

    def shows(self, pane: str) -> bool:
        """Whether the pane is visible: as the user chose, else as the height allows."""
        high = self.screen.has_class("-high")
        has_gpus = bool(self._run and self._run.gpus)
        usual = {"curves": True, "epochs": True, "gpu": high and has_gpus, "log": high}
        return self._toggled.get(pane, usual[pane])

    def toggle_pane(self, pane: str) -> None:
        """Show a hidden pane, hide a visible one."""
        self._toggled[pane] = not self.shows(pane)
        self.query_one(f"#{pane}").display = self._toggled[pane]
        self._show_curves()

    def _show_curves(self) -> None:
        compared, window = self._compared, self._visible
        self.query_one("#legend", KeyValues).display = len(compared) > 1
        named = [
            Styled(f"{letter} {view.label} {moment(view.started)}", style)
            for letter, style, view in charts.legend(compared)
        ]
        self.query_one("#legend", KeyValues).show_line(join("   ", named))
        axis = charts.usable_axis(compared, self._axis)
        drawn = charts.charts(compared, self.pattern, self._scale, window, self._cursor, axis)
        room = min(MOST_CHARTS, max(2, self.content_size.width // CHART_WIDTH))
        omitted = len(drawn) - room
        choices = (*(view.name for view in compared), self.pattern, self._scale, self._window, self._cursor, axis)
        for number in range(MOST_CHARTS):
            pane = self.query_one(f"#chart-{number}", Curves)
            pane.display = number < min(room, len(drawn))
            if pane.display:
                pane.show(drawn[number], choices, f"+{omitted} more" if number == room - 1 and omitted > 0 else "")
        more = self._more([chart.title for chart in drawn[:room]], axis)[:room]
        self.query_one("#more").display = bool(more)
        for number in range(MOST_CHARTS):
            pane = self.query_one(f"#more-{number}", Curves)
            pane.display = number < len(more)
            if pane.display:
                pane.show(more[number], choices)

    def _more(self, above: list[str], axis: str) -> list[Chart]:
        """The second row of charts, on a tall screen: metrics that are not above, and the load of the machine."""
        run, compared = self._run, self._compared
        if run is None or self.screen.size.height < TALL or not self.shows("curves"):
            return []
        every = charts.charts(compared, ".", self._scale, self._visible, self._cursor, axis)
        by_title = {chart.title: chart for chart in (*every, *load_charts(run)) if has_points(chart)}
        return [by_title[title] for title in MORE if title in by_title and title not in above]

    @property
    def _whole(self) -> Window:
        return charts.whole_window(self._compared)

    @property
    def _visible(self) -> Window:
        return self._whole if self._window is None else self._window

    def filter_metrics(self, pattern: str) -> None:
        """Draw the metrics whose name matches the pattern; without a pattern the usual ones."""
        self.pattern = pattern
        self._show_curves()

    def cycle_scale(self) -> None:
        """The next of linear, logarithmic, smoothed."""
        self._scale = SCALES[(SCALES.index(self._scale) + 1) % len(SCALES)]
        self._show_curves()

    def cycle_axis(self) -> str:
        """The next x axis of epochs, steps, time; returns the one that is drawn."""
        self._axis = X_AXES[(X_AXES.index(self._axis) + 1) % len(X_AXES)]
        self._show_curves()
        return charts.usable_axis(self._compared, self._axis)

    def zoom(self, factor: float) -> None:
        """Show `factor` times as many epochs, around the cursor, or up to the last epoch."""
        visible, whole = self._visible, self._whole
        centre = self._cursor
        if centre is None and self._last_epoch is not None:
            centre = self._last_epoch - (visible[1] - visible[0]) * factor / 2
        window = zoom(visible, whole, factor, centre)
        self._window = None if window == whole else window
        self._show_curves()

    def show_all(self) -> None:
        """Show all epochs, and no cursor."""
        self._window = self._cursor = None
        self._show_curves()

    def move_cursor(self, step: int) -> None:
        """Move the cursor by `step` epochs; the first step puts it on the last epoch."""
        last = self._last_epoch
        if last is None:
            return
        self._cursor = last if self._cursor is None else max(1.0, min(last, self._cursor + step))
        if self._window is not None:
            self._window = follow(self._window, self._whole, self._cursor)
        self._show_curves()

    @property
    def _last_epoch(self) -> float | None:
        """The last epoch that any of the runs has finished."""
        return max((float(view.epochs[-1].epoch) for view in self._compared if view.epochs), default=None)
