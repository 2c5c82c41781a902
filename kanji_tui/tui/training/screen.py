"""Screen 3: the runs, and everything one of them tells while it learns."""

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from kanji_tui.errors import KanjiError
from kanji_tui.jobs import train
from kanji_tui.paths import DATA_DIR, MODELS_DIR, WEIGHTS
from kanji_tui.presentation.charts import MOST_RUNS, fits
from kanji_tui.presentation.training import RUN_COLUMNS, run_table, run_text
from kanji_tui.runs.publish import Published, publish
from kanji_tui.system.plain_data import from_plain
from kanji_tui.tui.export.form import ask_export
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered, JobStarted
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.training.form import TrainForm, read_config
from kanji_tui.tui.training.run_panes import RunPanes
from kanji_tui.tui.training.shown_command import ShownCommand
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.log_tail import LogTail
from kanji_tui.tui.widgets.prompt import Prompt
from kanji_tui.workspace.command_line import train_command
from kanji_tui.workspace.run_log import read_log
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.state import State

RUNS, METRICS, LOG = "runs", "metrics", "log"  # what is typed into the prompt
ZOOM = 0.5


class LogRead(Answered[tuple[str, ...]]):
    """The lines of a run's log; the key is the run's name."""


class RunPublished(Answered[Published]):
    """A run's model is now the one in models/."""


class RunDeleted(Answered[str]):
    """The run with this name is gone."""


class TrainingScreen(WorkbenchScreen):
    """The run under the cursor of the list is the one shown."""

    MODE = "training"
    CSS_PATH = "training.tcss"
    ABOUT = (
        "Trainings run on their own, also when this workbench is closed. The cursor chooses the run that is shown."
    )
    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", tooltip="Train a network on the dataset"),
        Binding("s", "stop", "Stop", tooltip="Stop the run at its next batch, with a checkpoint"),
        Binding("u", "resume", "Resume", tooltip="Go on from the run's last checkpoint"),
        Binding("e", "export", "Export", tooltip="Write the run's model as ONNX or SafeTensors"),
        Binding("m", "mark", "Compare", tooltip="Lay this run's curves over others, up to four; again: not"),
        Binding("v", "turn_look", "Scale", tooltip="Curves linear, logarithmic, smoothed"),
        Binding("slash", "type('metrics')", "Metrics", key_display="/", tooltip="Choose curves by pattern"),
        Binding("f", "type('runs')", "Filter", tooltip="Choose runs by pattern: network, state, time"),
        Binding("left", "move_cursor(-1)", "Back", key_display="left", tooltip="Read the values an epoch before"),
        Binding("right", "move_cursor(1)", "On", key_display="right", tooltip="Read the values an epoch later"),
        Binding("plus", "zoom(True)", "Zoom in", key_display="+", tooltip="See half the epochs"),
        Binding("equals_sign", "zoom(True)", show=False),
        Binding("minus", "zoom(False)", "Zoom out", key_display="-", tooltip="See twice the epochs"),
        Binding("0", "see_all", "All epochs", tooltip="See all epochs, without a cursor"),
        Binding("c", "turn_pane('curves')", "Curves", tooltip="Show or hide the curves"),
        Binding("t", "turn_pane('epochs')", "Table", tooltip="Show or hide the table of epochs"),
        Binding("g", "turn_pane('gpu')", "GPU", tooltip="Show or hide the GPUs"),
        Binding("l", "turn_pane('log')", "Log", tooltip="Show or hide the log"),
        Binding("L", "type('log')", "Find in log", tooltip="Find a pattern in the log"),
        Binding("right_square_bracket", "match(1)", "Next", key_display="]", tooltip="The next place found"),
        Binding("left_square_bracket", "match(-1)", "Previous", key_display="[", tooltip="The place found before"),
        Binding("y", "copy_command", "Command", tooltip="Copy the command line that starts this training"),
        Binding("P", "publish", "Publish", tooltip="Make the run's model the one in models/, and keep it there"),
        Binding("d", "delete", "Delete", tooltip="Remove the run's directory"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._wanted = ""
        self._logged: tuple[str, float] = ("", 0.0)
        self._marked: list[str] = []
        self._patterns = {RUNS: "", METRICS: "", LOG: ""}

    def body(self) -> ComposeResult:
        runs = ListTable(*RUN_COLUMNS, id="runs", empty="no run yet: n trains", title="runs")
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
    def laid(self) -> list[RunView]:
        """The runs whose curves are drawn: the marked ones, and the chosen one where there is a letter left."""
        names = [name for name in self._marked if name in self.state.runs]
        chosen = self.chosen
        if chosen is not None and chosen.name not in names and len(names) < MOST_RUNS:
            names.append(chosen.name)
        return [self.state.runs[name] for name in names]

    def show_state(self) -> None:
        runs = self.query_one("#runs", ListTable)
        self._show_runs()
        if self._wanted in self.state.runs:
            runs.select(self._wanted)
            self._wanted = ""
        self._show_run()

    def _show_runs(self) -> None:
        every, pattern = self.state.of("train"), self._patterns[RUNS]
        views = [view for view in every if not pattern or fits(pattern, run_text(view))]
        self._marked = [name for name in self._marked if name in self.state.runs]
        runs = self.query_one("#runs", ListTable)
        empty = "no run fits: f, esc" if pattern else "no run yet: n trains"
        published = self.state.published if self.has_class("-wide") else ""
        runs.show(run_table(views, self._marked, published).rows, empty)
        runs.set_title("runs", f"/{pattern}/ {len(views)} of {len(every)}" if pattern else "")

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        if message.table.id == "runs":
            self._show_run()
            self.refresh_bindings()

    def _show_run(self) -> None:
        view, place = self.chosen, self.state.place
        published = view is not None and view.name == self.state.published
        ready = bool(place and place.dataset and not place.dataset.problem)
        self.query_one(RunPanes).show(view, self.laid, published, ready)
        self._ask_log()

    def _ask_log(self) -> None:
        """Read the log of the chosen run where it is seen and may have grown."""
        view = self.chosen
        if view is None:
            self.query_one(LogTail).show(())
        elif self.query_one(RunPanes).shows(LOG) and self._logged != (view.name, view.moved):
            self._logged = (view.name, view.moved)
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
            self._wanted = message.run
            self._patterns[RUNS] = ""
            self.show_state()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        view = self.chosen
        place = self.state.place
        if action == "new":
            return bool(place and place.dataset and not place.dataset.problem)
        if action == "stop":
            return bool(view and view.active)
        if action in ("resume", "delete"):
            return bool(view and not view.active and (action == "delete" or view.state != "finished"))
        if action in ("publish", "export"):
            return bool(view and view.epochs)
        if action in ("copy_command", "mark"):
            return view is not None
        return True

    # what is typed

    def action_type(self, topic: str) -> None:
        if topic == LOG and not self.query_one(RunPanes).shows(LOG):
            self.action_turn_pane(LOG)
        self.query_one(Prompt).ask(topic, f"{topic} with", self._patterns[topic])

    def on_prompt_changed(self, message: Prompt.Changed) -> None:
        self._patterns[message.topic] = message.text
        if message.topic == RUNS:
            self._show_runs()
            self._show_run()
        elif message.topic == METRICS:
            self.query_one(RunPanes).filter_metrics(message.text)
        else:
            self.query_one(LogTail).search(message.text)

    def on_prompt_closed(self) -> None:
        self.query_one("#runs").focus()

    # how it is looked at

    def action_mark(self) -> None:
        view = self.chosen
        if view is None:
            return
        if view.name in self._marked:
            self._marked.remove(view.name)
        elif len(self._marked) < MOST_RUNS:
            self._marked.append(view.name)
        else:
            self.notify(f"{MOST_RUNS} runs at most: m on a marked one takes it off", timeout=4)
        self._show_runs()
        self._show_run()

    def action_turn_look(self) -> None:
        self.query_one(RunPanes).turn_look()

    def action_zoom(self, nearer: bool) -> None:
        self.query_one(RunPanes).zoom(ZOOM if nearer else 1 / ZOOM)

    def action_see_all(self) -> None:
        self.query_one(RunPanes).see_all()

    def action_move_cursor(self, step: int) -> None:
        self.query_one(RunPanes).move_cursor(step)

    def action_turn_pane(self, pane: str) -> None:
        self.query_one(RunPanes).turn_pane(pane)
        self._ask_log()

    def action_match(self, step: int) -> None:
        self.query_one(LogTail).go_to_match(step)

    # what is done

    def action_new(self) -> None:
        self.app.push_screen(TrainForm(self.worker), self._start)

    def _start(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            self.worker.start_job(self, "train", train.Spec(DATA_DIR, MODELS_DIR, read_config(values)))

    def action_stop(self) -> None:
        view = self.chosen
        if view is not None and view.stopping:
            self.notify(f"{view.title} was asked to stop already", timeout=4)
        elif view is not None:
            self.stop_run(view)

    def action_resume(self) -> None:
        if self.chosen is not None:
            self.worker.start_job(self, "train", replace(spec_of(self.chosen), resume=self.chosen.path))

    def action_copy_command(self) -> None:
        if self.chosen is not None:
            command = train_command(spec_of(self.chosen))
            self.app.copy_to_clipboard(command)
            self.app.push_screen(ShownCommand(command))

    def action_publish(self) -> None:
        view = self.chosen
        if view is not None:
            self.worker.ask(self, RunPublished, lambda: publish(view.path, MODELS_DIR), view.name)

    def action_export(self) -> None:
        view = self.chosen
        if view is not None:
            published = self.state.published == view.name  # its exports go into models/, others stay with their run
            folder = MODELS_DIR if published else view.path
            ask_export(self, {"the published model" if published else "this run's": folder / WEIGHTS}, DATA_DIR)

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

        text = (
            f"{view.name}\n\nIts model, checkpoint, events and log go for good. A published copy in models/ stays."
        )
        self.confirm("Delete this run?", text, "Delete", delete)


def spec_of(view: RunView) -> train.Spec:
    """What the run was started with; of a run that an older version wrote only that it can be resumed."""
    try:
        return from_plain(train.Spec, view.spec)
    except KanjiError:
        return train.Spec(DATA_DIR, MODELS_DIR, resume=view.path)
