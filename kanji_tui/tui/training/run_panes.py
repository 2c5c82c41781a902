"""The panes of a training: head, curves, settings, epochs, GPUs, log."""

from textual.app import ComposeResult
from textual.containers import Vertical

from kanji_tui.errors import UsageError
from kanji_tui.presentation import charts
from kanji_tui.presentation.chart_grid import Arrangement, chosen_charts, read_shape
from kanji_tui.presentation.curve_data import SCALES, X_AXES, Chart, Window, follow, zoom
from kanji_tui.presentation.document import Line, Styled, join, quiet
from kanji_tui.presentation.training import run_head, without_gpu
from kanji_tui.tui.training.chart_grid import ChartGrid
from kanji_tui.tui.training.epoch_table import EpochTable
from kanji_tui.tui.training.gpu_pane import GpuPane
from kanji_tui.tui.training.settings_pane import SettingsPane
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.log_tail import LogTail
from kanji_tui.workspace.run_views import RunView

PANES = ("curves", "epochs", "gpu", "log")
SETTINGS = "settings"  # a pane that stands beside the curves, in the screen's left column, or below them, here
ROOMY = 40  # lines of a wide screen with room for settings
TALL = 48  # lines of a screen with room for more than the usual charts


class RunPanes(Vertical):
    """Shows one run, and the curves of up to eight. The user's choices of panes and scale stay from run to run."""

    DEFAULT_CSS = """
    RunPanes { width: 1fr; }
    RunPanes #head { min-height: 2; max-height: 6; text-wrap: nowrap; text-overflow: ellipsis; }
    RunPanes #head.-reason { text-wrap: wrap; }
    RunPanes #legend { max-height: 5; text-wrap: nowrap; text-overflow: ellipsis; }
    RunPanes #pages { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    RunPanes #settings-below { height: 5fr; }
    RunPanes #epochs { height: 5fr; min-height: 4; }
    RunPanes #log { height: 3fr; min-height: 4; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pattern = ""
        self._problem = ""  # why the rows and columns that were typed cannot be read
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
        yield ChartGrid(id="curves")
        yield KeyValues(id="pages")
        yield SettingsPane(id="settings-below").add_class("pane")
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
        self._show_panes()
        self._show_curves()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_curves)

    def shows(self, pane: str) -> bool:
        """Whether the pane is visible: as the user chose, else as the size of the screen allows."""
        if pane in self._toggled:
            return self._toggled[pane]
        wide, high = self.screen.has_class("-wide"), self.screen.has_class("-high")
        match pane:
            case "settings":
                return wide and self.screen.size.height >= ROOMY
            case "epochs":
                return wide or high or not self.shows(SETTINGS)  # on a small screen settings take its place
            case "gpu":
                return high and bool(self._run and self._run.gpus)
            case "log":
                return high
        return True

    def toggle_pane(self, pane: str) -> None:
        """Show a hidden pane, hide a visible one."""
        self._toggled[pane] = not self.shows(pane)
        self._show_panes()
        self._show_curves()

    def _show_panes(self) -> None:
        for name in PANES:
            self.query_one(f"#{name}").display = self.shows(name)

    def _show_curves(self) -> None:
        compared = self._compared
        axis = charts.usable_axis(compared, self._axis)
        choices = (*(view.name for view in compared), self.pattern, self._scale, self._window, self._cursor, axis)

        def draw(pattern: str) -> tuple[Chart, ...]:
            return charts.charts(compared, pattern, self._scale, self._visible, self._cursor, axis)

        drawn = chosen_charts(self._run, self.pattern, draw, self.screen.size.height >= TALL)
        grid = self.query_one(ChartGrid)
        place = grid.show(drawn, choices, self.content_size)
        self._show_legend([*(charts.run_names(compared) if len(compared) > 1 else ()), *grid.unnamed])
        note = self._note(len(drawn), place)
        self.query_one("#pages", KeyValues).display = bool(note) and self.shows("curves")
        self.query_one("#pages", KeyValues).show_line(note)

    def _show_legend(self, names: list[Line]) -> None:
        legend = self.query_one("#legend", KeyValues)
        legend.display = bool(names) and self.shows("curves")
        width = self.content_size.width or self.screen.size.width  # before it is laid out
        legend.show_line(join("\n", charts.legend_lines(names, width)))

    def _note(self, drawn: int, place: Arrangement) -> Line:
        """What is to be said of the charts: that none matches, which page this is."""
        if self._problem:
            return Styled(self._problem, "warning")
        if not drawn:
            return quiet(f"no metric matches {self.pattern}: press /, esc")
        return quiet(f"{place.note}   < > pages   R rows and columns") if place.note else ""

    @property
    def _whole(self) -> Window:
        return charts.whole_window(self._compared)

    @property
    def _visible(self) -> Window:
        return self._whole if self._window is None else self._window

    def filter_metrics(self, pattern: str) -> None:
        """Draw the metrics whose name matches the pattern; without a pattern the usual ones."""
        self.pattern = pattern
        self.query_one(ChartGrid).begin()
        self._show_curves()

    def arrange_charts(self, text: str) -> None:
        """Draw the charts in the rows and columns that `text` says, as `2x3`; empty: as many as fit."""
        self._problem = ""
        try:
            self.query_one(ChartGrid).shape = read_shape(text)
        except UsageError as error:
            self._problem = error.message
        self._show_curves()

    def change_page(self, step: int) -> None:
        """Draw the charts of the next page (1) or of the one before (-1)."""
        self.query_one(ChartGrid).change_page(step)
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
