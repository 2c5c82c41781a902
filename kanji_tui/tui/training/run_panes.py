"""One training in panes: its head, its curves, its epochs, its GPUs, its log."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kanji_tui.presentation import charts
from kanji_tui.presentation.curve_data import LOOKS, Window, follow, zoom
from kanji_tui.presentation.document import Styled, join
from kanji_tui.presentation.training import run_head, without_gpu
from kanji_tui.system.numbers import moment
from kanji_tui.tui.training.epoch_table import EpochTable
from kanji_tui.tui.training.gpu_pane import GpuPane
from kanji_tui.tui.widgets.curves import Curves
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.log_tail import LogTail
from kanji_tui.workspace.run_views import RunView

PANES = ("curves", "epochs", "gpu", "log")
MOST_CHARTS = 4
CHART_WIDTH = 38  # below this no third chart is set beside two


class RunPanes(Vertical):
    """Shows one run, and the curves of up to four. What a person chose here stays until they choose otherwise."""

    DEFAULT_CSS = """
    RunPanes { width: 1fr; }
    RunPanes #head { min-height: 2; text-wrap: nowrap; text-overflow: ellipsis; }
    RunPanes #legend { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    RunPanes #curves { height: 6fr; min-height: 6; }
    RunPanes Curves { margin-right: 1; }
    RunPanes #epochs { height: 5fr; min-height: 4; }
    RunPanes #log { height: 3fr; min-height: 4; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pattern = ""
        self._look = LOOKS[0]
        self._window: Window | None = None  # None: all epochs
        self._cursor: float | None = None
        self._turned: dict[str, bool] = {}  # panes a person showed or hid
        self._run: RunView | None = None
        self._laid: list[RunView] = []

    def compose(self) -> ComposeResult:
        yield KeyValues(id="head")
        yield KeyValues(id="legend")
        with Horizontal(id="curves"):
            for number in range(MOST_CHARTS):
                yield Curves(id=f"chart-{number}").add_class("pane")
        yield EpochTable(id="epochs").add_class("pane")
        yield GpuPane(id="gpu").add_class("pane")
        yield LogTail(id="log").add_class("pane")

    def show(self, run: RunView | None, laid: list[RunView], published: bool, ready: bool) -> None:
        """Show `run`, and the curves of `laid`: it alone, or the runs to be laid over each other."""
        if [view.name for view in laid] != [view.name for view in self._laid]:
            self._window = self._cursor = None
        self._run, self._laid = run, laid
        if self._window is not None and self._cursor is None and self._last_epoch is not None:
            self._window = follow(self._window, self._whole, self._last_epoch)  # new epochs come into sight
        self.query_one("#head", KeyValues).say(run_head(run, published, ready))
        self.query_one(EpochTable).show_epochs(run.epochs if run else ())
        self.query_one(GpuPane).show(run.gpus if run else (), without_gpu(run))
        for name in PANES:
            self.query_one(f"#{name}").display = self.shows(name)
        self._show_curves()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_curves)

    def shows(self, pane: str) -> bool:
        """Whether the pane is to be seen: as chosen, else as the height allows."""
        high = self.screen.has_class("-high")
        told = bool(self._run and self._run.gpus)
        usual = {"curves": True, "epochs": True, "gpu": high and told, "log": high}
        return self._turned.get(pane, usual[pane])

    def turn_pane(self, pane: str) -> None:
        """Show a hidden pane, hide a shown one."""
        self._turned[pane] = not self.shows(pane)
        self.query_one(f"#{pane}").display = self._turned[pane]

    def _show_curves(self) -> None:
        laid, window = self._laid, self._seen
        self.query_one("#legend", KeyValues).display = len(laid) > 1
        named = [
            Styled(f"{letter} {view.network} {moment(view.started)}", style)
            for letter, style, view in charts.legend(laid)
        ]
        self.query_one("#legend", KeyValues).say(join("   ", named))
        drawn = charts.charts(laid, self.pattern, self._look, window, self._cursor)
        room = min(MOST_CHARTS, max(2, self.content_size.width // CHART_WIDTH))
        left_out = len(drawn) - room
        asked = (*(view.name for view in laid), self.pattern, self._look, self._window, self._cursor)
        for number in range(MOST_CHARTS):
            pane = self.query_one(f"#chart-{number}", Curves)
            pane.display = number < min(room, len(drawn))
            if pane.display:
                pane.show(drawn[number], asked, f"+{left_out} more" if number == room - 1 and left_out > 0 else "")

    @property
    def _whole(self) -> Window:
        return charts.whole_window(self._laid)

    @property
    def _seen(self) -> Window:
        return self._whole if self._window is None else self._window

    def filter_metrics(self, pattern: str) -> None:
        """Draw the metrics that have the pattern in their name; the usual ones without one."""
        self.pattern = pattern
        self._show_curves()

    def turn_look(self) -> None:
        """Linear, logarithmic, smoothed, and linear again."""
        self._look = LOOKS[(LOOKS.index(self._look) + 1) % len(LOOKS)]
        self._show_curves()

    def zoom(self, factor: float) -> None:
        """See `factor` as many epochs as now, around the cursor, or up to the last epoch."""
        seen, whole = self._seen, self._whole
        centre = self._cursor
        if centre is None and self._last_epoch is not None:
            centre = self._last_epoch - (seen[1] - seen[0]) * factor / 2
        window = zoom(seen, whole, factor, centre)
        self._window = None if window == whole else window
        self._show_curves()

    def see_all(self) -> None:
        """All epochs, and no cursor."""
        self._window = self._cursor = None
        self._show_curves()

    def move_cursor(self, step: int) -> None:
        """Put the cursor `step` epochs on; the first step puts it on the last epoch there is."""
        last = self._last_epoch
        if last is None:
            return
        self._cursor = last if self._cursor is None else max(1.0, min(last, self._cursor + step))
        if self._window is not None:
            self._window = follow(self._window, self._whole, self._cursor)
        self._show_curves()

    @property
    def _last_epoch(self) -> float | None:
        """The last epoch that any of the runs has ended."""
        return max((float(view.epochs[-1].epoch) for view in self._laid if view.epochs), default=None)
