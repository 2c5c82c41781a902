"""Screen 3: the training runs, and everything about one of them while it trains and afterwards."""

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from kanji_tui.errors import KanjiError
from kanji_tui.jobs import train
from kanji_tui.paths import DATA_DIR, MODELS_DIR, WEIGHTS
from kanji_tui.presentation.charts import MOST_RUNS
from kanji_tui.presentation.questions import delete_question, publish_question, resume_question, undo_question
from kanji_tui.presentation.run_list import RUN_COLUMNS, run_table, width_of
from kanji_tui.runs.about import About, write_about
from kanji_tui.runs.publish import Published, publish, undo_publish
from kanji_tui.system.plain_data import from_plain
from kanji_tui.tui.export.form import ask_export
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered, JobStarted
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.training.about_form import about_form
from kanji_tui.tui.training.form import TrainForm, read_about, read_spec
from kanji_tui.tui.training.run_panes import RunPanes
from kanji_tui.tui.training.shown_command import ShownCommand
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.log_tail import LogTail
from kanji_tui.tui.widgets.prompt import Prompt
from kanji_tui.workspace.command_line import train_command
from kanji_tui.workspace.run_choice import COLUMNS, ORDER, RUNS, RunChoice
from kanji_tui.workspace.run_log import read_log
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.snapshot import PublishedModel
from kanji_tui.workspace.state import State

METRICS, LOG = "metrics", "log"  # what is typed into the prompt, beside what a RunChoice reads
LABELS = {
    RUNS: "runs with, as lr>0.004 state:finished note:smoothing",
    COLUMNS: "columns, as lr batch best test",
    ORDER: "sorted by, as -best",
}
ZOOM = 0.5


class LogRead(Answered[tuple[str, ...]]):
    """The lines of a run's log; the key is the run's name."""


class RunPublished(Answered[Published]):
    """A run's model was published in models/."""


class RunDescribed(Answered[None]):
    """A run's name and note were written."""


class RunDeleted(Answered[str]):
    """The run with this name was deleted."""


class TrainingScreen(WorkbenchScreen):
    """Shows the run under the cursor of the list."""

    MODE = "training"
    CSS_PATH = "training.tcss"
    ABOUT = "Trainings continue when the workbench is closed. The run under the cursor is shown."
    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", tooltip="Train a network on the dataset"),
        Binding("s", "stop", "Stop", tooltip="Stop the run at its next batch, with a checkpoint"),
        Binding("u", "resume", "Resume", tooltip="Resume the run from its last checkpoint"),
        Binding("e", "export", "Export", tooltip="Export the run's model as ONNX or SafeTensors"),
        Binding("m", "mark", "Compare", tooltip="Compare this run's curves with up to three others"),
        Binding("v", "cycle_scale", "Scale", tooltip="Curves linear, logarithmic or smoothed"),
        Binding("x", "cycle_axis", "X axis", tooltip="Curves over epochs, steps or time"),
        Binding("slash", "type('metrics')", "Metrics", key_display="/", tooltip="Choose curves by pattern"),
        Binding("f", "type('runs')", "Filter", tooltip="Filter runs: lr>0.004 state:finished note:smoothing"),
        Binding("w", "type('columns')", "Columns", tooltip="Which settings and metrics the list shows"),
        Binding("o", "type('order')", "Sort", tooltip="Sort the list by a field, - before it: largest first"),
        Binding("a", "describe", "About", tooltip="The run's name and note"),
        Binding("left", "move_cursor(-1)", "Left", key_display="left", tooltip="Values of the epoch before"),
        Binding("right", "move_cursor(1)", "Right", key_display="right", tooltip="Values of the epoch after"),
        Binding("plus", "zoom(True)", "Zoom in", key_display="+", tooltip="Show half as many epochs"),
        Binding("equals_sign", "zoom(True)", show=False),
        Binding("minus", "zoom(False)", "Zoom out", key_display="-", tooltip="Show twice as many epochs"),
        Binding("0", "show_all", "All epochs", tooltip="Show all epochs, without a cursor"),
        Binding("c", "toggle_pane('curves')", "Curves", tooltip="Show or hide the curves"),
        Binding("t", "toggle_pane('epochs')", "Table", tooltip="Show or hide the table of epochs"),
        Binding("g", "toggle_pane('gpu')", "GPU", tooltip="Show or hide the GPUs"),
        Binding("l", "toggle_pane('log')", "Log", tooltip="Show or hide the log"),
        Binding("L", "type('log')", "Find in log", tooltip="Find a pattern in the log"),
        Binding("right_square_bracket", "match(1)", "Next", key_display="]", tooltip="The next match in the log"),
        Binding("left_square_bracket", "match(-1)", "Previous", key_display="[", tooltip="The previous match"),
        Binding("y", "copy_command", "Command", tooltip="Copy the command line that starts this training"),
        Binding("P", "publish", "Publish", tooltip="Publish the run's model in models/ and pin it"),
        Binding("U", "undo_publish", "Undo publish", tooltip="Publish the model again that was published before"),
        Binding("d", "delete", "Delete", tooltip="Delete the run's directory"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._started_run = ""
        self._logged: tuple[str, float] = ("", 0.0)
        self._marked: list[str] = []
        self._patterns = {METRICS: "", LOG: ""}
        self._choice = RunChoice()
        self._list_width: int | None = None  # None: the usual one

    def body(self) -> ComposeResult:
        runs = ListTable(*RUN_COLUMNS, id="runs", empty="no run yet: press n", title="runs")
        runs.add_class("pane")
        yield runs
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
        return [self.state.runs[name] for name in names]

    def show_state(self) -> None:
        runs = self.query_one("#runs", ListTable)
        self._show_runs()
        if self._started_run in self.state.runs:
            runs.select(self._started_run)
            self._started_run = ""
        self._show_run()

    def _show_runs(self) -> None:
        choice = self._choice
        listed, every = choice.listed(self.state.of("train"))
        self._marked = [name for name in self._marked if name in self.state.runs]
        runs = self.query_one("#runs", ListTable)
        empty = "no match: press f, esc" if choice.query else "no run yet: press n"
        published = self.state.published if self.has_class("-wide") else ""
        table = run_table(listed, self._marked, published, choice.columns)
        runs.show_columns(table.columns)
        width = min(self.size.width * 6 // 10, width_of(table.columns) + 2) if choice.columns else None
        if width != self._list_width:
            runs.styles.width = self._list_width = width
        runs.show(table.rows, empty)
        runs.set_title("runs", choice.note(len(listed), every))

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        if message.table.id == "runs":
            self._show_run()
            self.refresh_bindings()

    def _show_run(self) -> None:
        view, workspace = self.chosen, self.state.workspace
        published = view is not None and view.name == self.state.published
        ready = bool(workspace and workspace.dataset and not workspace.dataset.problem)
        self.query_one(RunPanes).show(view, self.compared, published, ready)
        self._ask_log()

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

    def on_run_published(self, message: RunPublished) -> None:
        self.notify(f"published: {message.value.run}", timeout=4, markup=False)
        self.worker.poll_now()

    def on_run_deleted(self, message: RunDeleted) -> None:
        self.worker.poll_now()

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
        if action == "new":
            return bool(workspace and workspace.dataset and not workspace.dataset.problem)
        if action == "undo_publish":
            return bool(workspace and workspace.previous)
        if action == "stop":
            return bool(view and view.active)
        if action in ("resume", "delete"):
            return bool(view and not view.active and (action == "delete" or view.state != "finished"))
        if action in ("publish", "export"):
            return bool(view and view.epochs)
        if action in ("copy_command", "mark", "describe"):
            return view is not None
        return True

    # patterns

    def action_type(self, topic: str) -> None:
        if topic == LOG and not self.query_one(RunPanes).shows(LOG):
            self.action_toggle_pane(LOG)
        text = self._choice.text(topic) if topic in LABELS else self._patterns[topic]
        self.query_one(Prompt).ask(topic, LABELS.get(topic, f"{topic} matching"), text)

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        if message.topic in LABELS:
            self._choice = self._choice.typed(message.topic, message.text)
            self._show_runs()
            self._show_run()
            return
        self._patterns[message.topic] = message.text
        if message.topic == METRICS:
            self.query_one(RunPanes).filter_metrics(message.text)
        else:
            self.query_one(LogTail).search(message.text)

    def on_prompt_closed(self) -> None:
        self._choice = replace(self._choice, problem="")
        self._show_runs()
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

    def action_toggle_pane(self, pane: str) -> None:
        self.query_one(RunPanes).toggle_pane(pane)
        self._ask_log()

    def action_match(self, step: int) -> None:
        self.query_one(LogTail).go_to_match(step)

    # runs

    def action_new(self) -> None:
        self.app.push_screen(TrainForm(self.worker), self._start)

    def _start(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            self.worker.start_job(self, "train", read_spec(values), read_about(values))

    def action_describe(self) -> None:
        view = self.chosen
        if view is None:
            return

        def describe(values: dict[str, Any] | None) -> None:
            if values is not None:
                about = About(**values)
                self.worker.ask(self, RunDescribed, lambda: write_about(view.path, about), view.name)

        self.app.push_screen(about_form(view), describe)

    def on_run_described(self, message: RunDescribed) -> None:
        self.worker.poll_now()

    def action_stop(self) -> None:
        if self.chosen is not None:
            self.stop_run(self.chosen)

    def action_resume(self) -> None:
        view = self.chosen
        if view is None:
            return
        spec = replace(spec_of(view), resume=view.path)
        self.confirm(
            "Resume this training?",
            resume_question(view, self._published_model),
            "Resume",
            lambda: self.worker.start_job(self, "train", spec),
        )

    def action_copy_command(self) -> None:
        if self.chosen is not None:
            command = train_command(spec_of(self.chosen), self.chosen.about)
            self.app.copy_to_clipboard(command)
            self.app.push_screen(ShownCommand(command))

    def action_publish(self) -> None:
        view = self.chosen
        if view is None:
            return
        self.confirm(
            "Publish this run?",
            publish_question(view, self._published_model),
            "Publish",
            lambda: self.worker.ask(self, RunPublished, lambda: publish(view.path, MODELS_DIR), "publish"),
        )

    def action_undo_publish(self) -> None:
        previous = self.state.workspace.previous if self.state.workspace else None
        if previous is not None:
            self.confirm(
                "Publish the model before again?",
                undo_question(previous, self._published_model),
                "Publish",
                lambda: self.worker.ask(self, RunPublished, lambda: undo_publish(MODELS_DIR), "publish"),
            )

    @property
    def _published_model(self) -> PublishedModel | None:
        return self.state.workspace.model if self.state.workspace else None

    def action_export(self) -> None:
        view = self.chosen
        if view is not None:
            published = self.state.published == view.name  # its exports go to models/
            folder = MODELS_DIR if published else view.path
            name = "the published model" if published else "this run's model"
            ask_export(self, {name: folder / WEIGHTS}, DATA_DIR)

    def action_delete(self) -> None:
        from kanji_tui.runs.run_directory import RunDirectory

        view = self.chosen
        if view is None:
            return

        def remove() -> str:
            RunDirectory(view.path).delete()
            return view.name

        def delete() -> None:
            self.worker.ask(self, RunDeleted, remove, view.name)

        text = delete_question(view, self._published_model)
        self.confirm("Delete this run?", text, "Delete", delete)


def spec_of(view: RunView) -> train.Spec:
    """The spec the run was started with; a run of an older version can at least be resumed."""
    try:
        return from_plain(train.Spec, view.spec)
    except KanjiError:
        return train.Spec(DATA_DIR, MODELS_DIR, resume=view.path)
