"""Screen 3: the training runs, and everything about one of them while it trains and afterwards."""

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from kanji_tui.presentation.charts import MOST_RUNS
from kanji_tui.presentation.run_list import RUN_COLUMNS, run_table, width_of
from kanji_tui.tui.shell.messages import Answered, JobStarted
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.training.run_actions import RunActions
from kanji_tui.tui.training.run_page import SECTIONS, RunPage
from kanji_tui.tui.training.run_panes import SETTINGS, RunPanes
from kanji_tui.tui.training.settings_pane import SettingsPane
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.log_tail import LogTail
from kanji_tui.tui.widgets.prompt import Prompt
from kanji_tui.workspace.lineage import lineage_of
from kanji_tui.workspace.log_times import LogLine
from kanji_tui.workspace.run_choice import COLUMNS, ORDER, RUNS, RunChoice
from kanji_tui.workspace.run_details import RunDetails, read_details
from kanji_tui.workspace.run_log import read_log
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.state import State
from kanji_tui.workspace.trainings import trainings, with_steps_before

METRICS, GRID, LOG = "metrics", "grid", "log"  # what is typed into the prompt, beside what a RunChoice reads
LABELS = {
    RUNS: "runs with, as lr>0.004 state:finished note:smoothing",
    COLUMNS: "columns, as lr batch best test",
    ORDER: "sorted by, as -best",
    METRICS: "metrics matching",
    GRID: "rows x columns of charts, as 2x3",
    SETTINGS: "settings matching, * for those that differ",
    LOG: "log matching",
}
ZOOM = 0.5


class LogRead(Answered[tuple[LogLine, ...]]):
    """The lines of a run's log; the key is the run's name."""


class DetailsRead(Answered[RunDetails]):
    """What a run's directory says beside its events; the key is the run's name."""


class TrainingScreen(RunActions):
    """Shows the run under the cursor of the list."""

    MODE = "training"
    CSS_PATH = "training.tcss"
    ABOUT = "Trainings continue when the workbench is closed. The run under the cursor is shown."
    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=False, tooltip="The page of the run: settings, all metrics, log"),
        Binding("n", "new", "New", tooltip="Train a network on the dataset"),
        Binding("s", "stop", "Stop", tooltip="Stop the run at its next batch, with a checkpoint"),
        Binding("u", "resume", "Resume", tooltip="Resume the run from its last checkpoint"),
        Binding("e", "export", "Export", tooltip="Export the run's model as ONNX, SafeTensors or a web page"),
        Binding("P", "publish", "Publish", tooltip="Publish the run's model in models/ and pin it"),
        Binding("f", "filter", "Filter", tooltip="Filter runs: lr>0.004 state:finished; or settings in focus"),
        Binding("m", "mark", "Mark", tooltip="Compare this run's curves with up to seven others"),
        Binding("a", "describe", "About", tooltip="The run's name and note"),
        Binding("slash", "type('metrics')", "Metrics", key_display="/", tooltip="Curves by pattern, . for all"),
        Binding("R", "type('grid')", "Grid", tooltip="Rows and columns of the charts, as 2x3"),
        Binding("greater_than_sign", "change_page(1)", "Next charts", False, ">", tooltip="The next charts"),
        Binding("less_than_sign", "change_page(-1)", "Charts before", False, "<", tooltip="The charts before"),
        Binding("S", "cycle_scale", "Scale", tooltip="Curves linear, logarithmic or smoothed"),
        Binding("X", "cycle_axis", "X axis", tooltip="Curves over epochs, steps or time"),
        Binding("l", "type('columns')", "Columns", tooltip="Which settings and metrics the list shows"),
        Binding("o", "type('order')", "Sort", tooltip="Sort the list by a field, - before it: largest first"),
        Binding("left", "move_cursor(-1)", "Left", key_display="left", tooltip="Values of the epoch before"),
        Binding("right", "move_cursor(1)", "Right", key_display="right", tooltip="Values of the epoch after"),
        Binding("plus", "zoom(True)", "Zoom in", key_display="+", tooltip="Show half as many epochs"),
        Binding("equals_sign", "zoom(True)", show=False),
        Binding("minus", "zoom(False)", "Zoom out", key_display="-", tooltip="Show twice as many epochs"),
        Binding("0", "show_all", "All epochs", tooltip="Show all epochs, without a cursor"),
        Binding("C", "toggle_pane('curves')", "Curves", tooltip="Show or hide the curves"),
        Binding("E", "toggle_pane('settings')", "Settings", tooltip="Show or hide note and settings"),
        Binding("T", "toggle_pane('epochs')", "Table", tooltip="Show or hide the table of epochs"),
        Binding("G", "toggle_pane('gpu')", "GPU", tooltip="Show or hide the GPUs"),
        Binding("L", "toggle_pane('log')", "Log", tooltip="Show or hide the log"),
        Binding("F", "type('log')", "Find in log", tooltip="Find a pattern in the log"),
        Binding("right_square_bracket", "match(1)", "Next", key_display="]", tooltip="The next match in the log"),
        Binding("left_square_bracket", "match(-1)", "Previous", key_display="[", tooltip="The previous match"),
        Binding("y", "copy_command", "Copy", tooltip="Copy the command line that starts this training"),
        Binding("U", "undo_publish", "Undo publish", tooltip="Publish the model again that was published before"),
        Binding("W", "serve", "Serve", show=False, tooltip="Start or stop the web page and its service"),
        Binding("d", "delete", "Delete", tooltip="Delete the run's directory"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._started_run = ""
        self._logged: tuple[str, float] = ("", 0.0)
        self._marked: list[str] = []
        self._patterns = dict.fromkeys((METRICS, GRID, SETTINGS, LOG), "")
        self._choice = RunChoice()
        self._details: tuple[str, float, RunDetails | None] = ("", 0.0, None)  # run, its last event, what was read
        self._list_width: int | None = None  # None: the usual one

    def body(self) -> ComposeResult:
        runs = ListTable(*RUN_COLUMNS, id="runs", empty="no run yet: press n", title="runs")
        runs.add_class("pane")
        with Vertical(id="left"):
            yield runs
            yield SettingsPane(id="settings-beside").add_class("pane")
        yield RunPanes(id="run")
        yield Prompt()

    @property
    def chosen(self) -> RunView | None:
        """The run under the cursor."""
        row = self.query_one("#runs", ListTable).current
        return self.state.runs.get(row.key) if row else None

    @property
    def compared(self) -> list[RunView]:
        """The runs whose curves are drawn: the marked ones, and the chosen one if they are not too many."""
        names = [name for name in self._marked if name in self.state.runs]
        chosen = self.chosen
        if chosen is not None and chosen.name not in names and len(names) < MOST_RUNS:
            names.append(chosen.name)
        return [with_steps_before(self.state.runs[name], self.state.runs) for name in names]

    def show_state(self) -> None:
        runs = self.query_one("#runs", ListTable)
        self._show_runs()
        if self._started_run in self.state.runs:
            runs.select(self._started_run)
            self._started_run = ""
        self._show_run()
        self._show_page()

    def _show_runs(self) -> None:
        choice = self._choice
        listed, every = choice.listed(self.state.of("train"))
        self._marked = [name for name in self._marked if name in self.state.runs]
        runs = self.query_one("#runs", ListTable)
        start = "no run yet: press n" if self.dataset else "no dataset yet: press 2"
        empty = "no match: press f, esc" if choice.query else start
        published = self.state.published if self.has_class("-wide") else ""
        table = run_table(listed, self._marked, published, choice.columns)
        runs.show_columns(table.columns)
        width = min(self.size.width * 6 // 10, width_of(table.columns) + 2) if choice.columns else None
        if width != self._list_width:
            self.query_one("#left").styles.width = self._list_width = width
        runs.show(table.rows, empty)
        runs.set_title("runs", choice.note(len(listed), every))

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        if message.table.id == "runs":
            self._show_run()
            self.refresh_bindings()

    def _show_run(self) -> None:
        view = self.chosen
        published = view is not None and view.name == self.state.published
        self.query_one(RunPanes).show(view, self.compared, published, self.dataset is not None)
        self._show_settings()
        self._ask_log()

    def _show_settings(self) -> None:
        """Show the settings of the chosen run below the list on a wide screen, else below the curves."""
        view = self.chosen
        shown = view is not None and self.query_one(RunPanes).shows(SETTINGS)
        place = "settings-beside" if self.has_class("-wide") else "settings-below"
        for pane in self.query(SettingsPane):
            pane.display = shown and pane.id == place
            if pane.display and view is not None:
                pane.show(view, self.compared, self._patterns[SETTINGS])

    def on_list_table_chosen(self, message: ListTable.Chosen) -> None:
        if message.table.id == "runs":
            self.action_open()

    def on_log_tail_opened(self, message: LogTail.Opened) -> None:
        self._open_page(LOG)

    def action_open(self) -> None:
        """Open the page of the run under the cursor."""
        self._open_page(SECTIONS[0])

    def _open_page(self, section: str) -> None:
        view = self.chosen
        if view is not None:
            self._details = ("", 0.0, None)
            self.app.push_screen(RunPage(view.name, section))
            self.app.call_after_refresh(self._show_page)

    def _show_page(self) -> None:
        """Show the newest state on the open page, if there is one."""
        page = self.app.screen
        if not isinstance(page, RunPage) or not page.is_mounted:
            return
        view = self.state.runs.get(page.run_name)
        if view is None:
            page.dismiss()
            self.notify(f"{page.run_name} was deleted", timeout=8, markup=False)
            return
        others = [other for other in self.compared if other.name != view.name][: MOST_RUNS - 1]
        training = next((each for each in trainings(self.state.of("train")) if each.has(view.name)), None)
        name, event_at, details = self._details
        origin = details.lineage if details else None
        workspace = self.state.workspace
        lineage = lineage_of(workspace, origin, self.state.runs) if workspace and origin else ()
        page.show(
            [with_steps_before(view, self.state.runs), *others], training.parts if training else (view,), lineage
        )
        if (name, event_at) != (view.name, view.last_event_at):
            self._details = (view.name, view.last_event_at, details)
            self.worker.ask(self, DetailsRead, lambda: read_details(view), view.name)

    def on_details_read(self, message: DetailsRead) -> None:
        page = self.app.screen
        if isinstance(page, RunPage) and page.run_name == message.key:
            self._details = (*self._details[:2], message.value)
            page.show_details(message.value)
            self._show_page()

    def _ask_log(self) -> None:
        """Read the log of the chosen run if it is visible and may have grown."""
        view = self.chosen
        if view is None:
            self.query_one(LogTail).show(())
        elif self.query_one(RunPanes).shows(LOG) and self._logged != (view.name, view.last_event_at):
            self._logged = (view.name, view.last_event_at)
            self.worker.ask(self, LogRead, lambda: read_log(view), view.name)

    def on_log_read(self, message: LogRead) -> None:
        if self.chosen is not None and self.chosen.name == message.key:
            self.query_one(LogTail).show(message.value, of=message.key)

    def on_job_started(self, message: JobStarted) -> None:
        if message.job == "train":
            self._started_run = message.run
            self._choice = self._choice.typed(RUNS, "")
            self.show_state()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        view = self.chosen
        workspace = self.state.workspace
        if action == "undo_publish":
            return bool(workspace and workspace.previous)
        if action == "stop":
            return bool(view and view.active)
        if action == "resume":
            return bool(view and view.resumable)
        if action == "delete":
            return bool(view and not view.active)
        if action in ("publish", "export"):
            return bool(view and view.epochs)
        if action in ("copy_command", "mark", "describe"):
            return view is not None
        return True

    # patterns

    def action_filter(self) -> None:
        self.action_type(SETTINGS if self._reads_settings else RUNS)

    @property
    def _reads_settings(self) -> bool:
        """Whether the settings have the focus."""
        return any(pane.has_focus_within for pane in self.query(SettingsPane))

    def action_type(self, topic: str) -> None:
        if topic == LOG and not self.query_one(RunPanes).shows(LOG):
            self.action_toggle_pane(LOG)
        text = self._patterns[topic] if topic in self._patterns else self._choice.text(topic)
        self.query_one(Prompt).ask(topic, LABELS[topic], text)

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        if message.topic not in self._patterns:
            before, self._choice = self._choice, self._choice.typed(message.topic, message.text)
            self._show_runs()
            if self._choice.order != before.order:
                self.query_one("#runs", ListTable).cursor = 0  # who sorts wants to see what comes first
            self._show_run()
            return
        self._patterns[message.topic] = message.text
        match message.topic:
            case "metrics":
                self.query_one(RunPanes).filter_metrics(message.text)
            case "grid":
                self.query_one(RunPanes).arrange_charts(message.text)
            case "settings":
                self._show_settings()
            case "log":
                self.query_one(LogTail).search(message.text)

    def on_prompt_closed(self) -> None:
        self._choice = replace(self._choice, problem="")
        self._show_runs()
        read = [pane for pane in self.query(SettingsPane) if pane.display]
        if self.query_one(Prompt).topic == SETTINGS and read:
            read[0].query_one(ListTable).focus()
        else:
            self.query_one("#runs").focus()

    # curves and panes

    def action_mark(self) -> None:
        view = self.chosen
        if view is None:
            return
        if view.name in self._marked:
            self._marked.remove(view.name)
        elif len(self._marked) < MOST_RUNS:
            self._marked.append(view.name)
        else:
            self.notify(f"{MOST_RUNS} runs at most: press m on a marked run to remove it", timeout=4)
        self._show_runs()
        self._show_run()

    def action_cycle_scale(self) -> None:
        self.query_one(RunPanes).cycle_scale()

    def action_cycle_axis(self) -> None:
        self.query_one(RunPanes).cycle_axis()

    def action_zoom(self, nearer: bool) -> None:
        self.query_one(RunPanes).zoom(ZOOM if nearer else 1 / ZOOM)

    def action_show_all(self) -> None:
        self.query_one(RunPanes).show_all()

    def action_move_cursor(self, step: int) -> None:
        self.query_one(RunPanes).move_cursor(step)

    def action_change_page(self, step: int) -> None:
        self.query_one(RunPanes).change_page(step)

    def action_toggle_pane(self, pane: str) -> None:
        if pane == SETTINGS and self._reads_settings:
            self.query_one("#runs").focus()
        self.query_one(RunPanes).toggle_pane(pane)
        self._show_settings()
        self._ask_log()

    def action_match(self, step: int) -> None:
        self.query_one(LogTail).go_to_match(step)
