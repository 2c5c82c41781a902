"""The page of one run: settings and environment, all metrics, the machine, its errors, its log."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen

from kanji_tui.presentation import charts
from kanji_tui.presentation.curve_data import Chart
from kanji_tui.presentation.document import Line, Styled, join, quiet
from kanji_tui.presentation.run_page import (
    environment_pairs,
    error_tables,
    load_charts,
    page_head,
    setting_table,
    whole_note,
)
from kanji_tui.tui.shell.help import HelpScreen
from kanji_tui.tui.widgets.content import content_of, lines_content
from kanji_tui.tui.widgets.curves import Curves
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.log_text import LogText
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.workspace.lineage import Link
from kanji_tui.workspace.run_details import RunDetails
from kanji_tui.workspace.run_views import RunView

SECTIONS = ("settings", "metrics", "machine", "errors", "log")
MOST_CHARTS, MOST_LOADS = 12, 5
CHART_WIDTH, CHART_HEIGHT = 48, 9  # cells of a chart, at least
NO_LOAD = "this run did not report the load of the machine"
ABOUT = "All of one run: settings beside those of the marked runs, every metric, its machine, errors and log."
NO_ERRORS = "known when the training has finished"


class RunPage(ModalScreen[None]):
    """Follows its run; left, right and digits choose the section."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "app.pop_screen", "Close", key_display="esc"),
        Binding("left", "step(-1)", "Section before"),
        Binding("right", "step(1)", "Next section"),
        Binding("tab,shift+tab", "other_list", "The other list beside it", show=False, key_display="tab"),
        *[Binding(str(n), f"section('{name}')", name.title()) for n, name in enumerate(SECTIONS, start=1)],
        Binding("up,pageup", "move(-1)", "Charts or lines above", show=False, key_display="up"),
        Binding("down,pagedown", "move(1)", "Charts or lines below", show=False, key_display="down"),
        Binding("y", "copy_log", "Copy the log"),
        Binding("question_mark", "help", "This help", show=False, key_display="?"),
    ]
    DEFAULT_CSS = """
    RunPage #head { height: auto; max-height: 8; }
    RunPage #sections { height: 1; margin-top: 1; }
    RunPage .section { display: none; height: 1fr; margin-top: 1; }
    RunPage .section.-shown { display: block; }
    RunPage #settings.-shown { layout: horizontal; }
    RunPage #setting-list { width: 3fr; height: 1fr; }
    RunPage #environment { width: 2fr; margin-left: 2; }
    RunPage Curves { margin-right: 1; }
    RunPage #confusions { width: 2fr; }
    RunPage #weakest { width: 1fr; margin-right: 2; }
    RunPage #errors.-shown { layout: horizontal; }
    """

    def __init__(self, run: str, section: str = SECTIONS[0]) -> None:
        super().__init__()
        self.run_name = run
        self.shown = section
        self._arranged: dict[str, tuple[int, int, int]] = {}  # columns, rows and height of a row, by section

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog whole") as dialog:
            dialog.border_subtitle = "left, right: section   tab: other list   y copies the log   esc closes"
            yield KeyValues(id="head")
            yield KeyValues(id="sections")
            with Horizontal(id="settings", classes="section"):
                yield ListTable(id="setting-list", title="settings").add_class("pane")
                with VerticalScroll(id="environment", classes="pane"):
                    yield KeyValues(id="whole-note")
                    yield KeyValues(id="environment-pairs", name_width=11)
            with Grid(id="metrics", classes="section"):
                for number in range(MOST_CHARTS):
                    yield Curves(id=f"metric-{number}").add_class("pane")
            with Grid(id="machine", classes="section"):
                yield KeyValues(id="no-load")
                for number in range(MOST_LOADS):
                    yield Curves(id=f"load-{number}").add_class("pane")
            with Horizontal(id="errors", classes="section"):
                yield ListTable(id="weakest", empty=NO_ERRORS).add_class("pane")
                yield ListTable(id="confusions", empty=NO_ERRORS).add_class("pane")
            with VerticalScroll(id="log-section", classes="section pane"):
                yield LogText(id="whole-log")

    def on_mount(self) -> None:
        self.action_section(self.shown)

    def on_resize(self) -> None:
        self.call_after_refresh(self._arrange)

    # what is shown

    def show(self, compared: Sequence[RunView], parts: Sequence[RunView], lineage: Sequence[Link]) -> None:
        """Show the first of the `compared` runs beside the others; `parts`: those of its training."""
        view = compared[0]
        set_pane_title(self.query_one(".dialog"), view.label)
        self.query_one("#head", KeyValues).show_line(lines_content(page_head(view, parts, lineage)))
        self._show_note(whole_note(view))
        table, settings = setting_table(compared), self.query_one("#setting-list", ListTable)
        settings.show_columns(table.columns)
        settings.show(table.rows)
        settings.set_title(table.title, table.about)
        whole = charts.whole_window(compared)
        metrics = [chart for chart in charts.charts(compared, ".", "linear", whole, None) if not chart.empty]
        self._show_charts("metric", metrics, MOST_CHARTS)
        loads = [chart for chart in load_charts(view) if not chart.empty]
        self._show_charts("load", loads, MOST_LOADS)
        self.query_one("#no-load", KeyValues).show_line("" if loads else quiet(NO_LOAD))
        for table, id in zip(error_tables(view), ("weakest", "confusions"), strict=False):
            rows = self.query_one(f"#{id}", ListTable)
            rows.show_columns(table.columns)
            rows.show(table.rows, empty="none")
            rows.set_title(table.title)
        self._arrange()

    def _show_note(self, note: str) -> None:
        """Show a note that is too long for the head above the environment, where it can be scrolled."""
        self.query_one("#whole-note").display = bool(note)
        self.query_one("#whole-note", KeyValues).show_line(lines_content([*note.splitlines(), ""]))
        set_pane_title(self.query_one("#environment"), "note and environment" if note else "environment")

    def show_details(self, details: RunDetails) -> None:
        """Show what was read from the run's directory."""
        self.query_one("#environment-pairs", KeyValues).show(environment_pairs(details.environment).pairs)
        if self.query_one(LogText).show(details.log):
            self.query_one("#log-section").scroll_end(animate=False)

    def _show_charts(self, name: str, drawn: Sequence[Chart], most: int) -> None:
        for number in range(most):
            pane = self.query_one(f"#{name}-{number}", Curves)
            pane.display = number < len(drawn)
            if pane.display:
                pane.show(drawn[number], (self.run_name, drawn[number].title))

    def _arrange(self) -> None:
        """As many charts side by side as the width allows, the rows as high as the height allows."""
        self.query_one("#no-load").display = not any(chart.display for chart in self.query("#machine Curves"))
        for id in ("metrics", "machine"):
            grid = self.query_one(f"#{id}", Grid)
            count = sum(bool(chart.display) for chart in grid.query(Curves)) or 1
            columns = max(1, min(count, grid.size.width // CHART_WIDTH or 1))
            rows = -(-count // columns)
            room = grid.size.height // rows if grid.size.height else CHART_HEIGHT
            if self._arranged.get(id) == (columns, rows, room):
                continue  # a style is laid out again also where it stays the same
            self._arranged[id] = columns, rows, room
            grid.styles.grid_size_columns, grid.styles.grid_size_rows = columns, rows
            grid.styles.overflow_y = "auto" if room < CHART_HEIGHT else "hidden"
            grid.styles.grid_rows = f"{max(CHART_HEIGHT, room)}"

    # keys

    def action_step(self, step: int) -> None:
        self.action_section(SECTIONS[(SECTIONS.index(self.shown) + step) % len(SECTIONS)])

    def action_section(self, name: str) -> None:
        """Show another section."""
        self.shown = name
        for section in SECTIONS:
            self.query_one(f"#{_id_of(section)}").set_class(section == name, "-shown")
        titles: list[Line] = [
            Styled(f"{n} {section}", "accent strong") if section == name else quiet(f"{n} {section}")
            for n, section in enumerate(SECTIONS, start=1)
        ]
        self.query_one("#sections", KeyValues).show_line(content_of(join("   ", titles)))
        focused = {"settings": "#setting-list", "errors": "#confusions", "log": "#log-section"}.get(name)
        self.set_focus(self.query_one(focused) if focused else None)
        self.call_after_refresh(self._arrange)

    def action_other_list(self) -> None:
        """Move the focus to the other list of a section that has two."""
        self.focus_next(f"#{_id_of(self.shown)} .pane")

    def action_move(self, rows: int) -> None:
        """Scroll by so many rows of charts."""
        section = self.query_one(f"#{_id_of(self.shown)}")
        height = self._arranged.get(self.shown, (1, 1, CHART_HEIGHT))[2]
        section.scroll_relative(y=rows * max(CHART_HEIGHT, height), animate=False, immediate=True)

    def action_help(self) -> None:
        keys = [binding for binding in self.BINDINGS if isinstance(binding, Binding)]
        self.app.push_screen(HelpScreen("Run", ABOUT, keys))

    def action_copy_log(self) -> None:
        log = self.query_one(LogText).text
        if log:
            self.app.copy_to_clipboard(log)
        copied = "the log is in the terminal's clipboard, if the terminal supports that"
        self.notify(copied if log else "the log is empty: nothing was copied", timeout=4)


def _id_of(section: str) -> str:
    return "log-section" if section == "log" else section
