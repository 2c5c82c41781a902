"""Screen 3: the runs, and everything one of them tells while it learns."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from kanji_tui.jobs import train
from kanji_tui.tui.log import read_log
from kanji_tui.tui.messages import Answer, JobStarted
from kanji_tui.tui.place import DATA_DIR, MODELS_DIR
from kanji_tui.tui.runs import RunView
from kanji_tui.tui.screens.base import WorkbenchScreen
from kanji_tui.tui.screens.export_form import ask_export
from kanji_tui.tui.screens.train_form import read_config, train_form
from kanji_tui.tui.state import State
from kanji_tui.tui.widgets import words
from kanji_tui.tui.widgets.curves import Curves, Series
from kanji_tui.tui.widgets.epoch_table import EpochTable
from kanji_tui.tui.widgets.log_tail import LogTail
from kanji_tui.tui.widgets.rows import Column, Row, Rows
from kanji_tui.tui.widgets.run_head import RunHead
from kanji_tui.tui.worker import Worker

LOG, PUBLISH, DELETE = "log", "publish", "delete"
WEIGHTS = "best_kanji_model.pth"


class TrainingScreen(WorkbenchScreen):
    """The run under the cursor of the list is the one shown."""

    MODE = "training"
    ABOUT = (
        "Trainings run on their own, also when this workbench is closed. The cursor chooses the run that is shown."
    )
    AUTO_FOCUS = "#runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", "New", tooltip="Train a network on the dataset"),
        Binding("s", "stop", "Stop", tooltip="Stop the run at its next batch, with a checkpoint"),
        Binding("u", "resume", "Resume", tooltip="Go on from the run's last checkpoint"),
        Binding("e", "export", "Export", tooltip="Write the run's model as ONNX or SafeTensors"),
        Binding("P", "publish", "Publish", tooltip="Make the run's model the one in models/, and keep it there"),
        Binding("d", "delete", "Delete", tooltip="Remove the run's directory"),
        Binding("l", "turn_pane", "Log", tooltip="Show the log or the epochs below"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._wanted = ""
        self._logged: tuple[str, float] = ("", 0.0)

    def body(self) -> ComposeResult:
        runs = Rows(
            Column("start", 5),
            Column("network", 0),
            Column("state", 8),
            Column("best", 4, right=True),
            id="runs",
            empty="no run yet: n trains",
            title="runs",
        )
        runs.add_class("pane")
        yield runs
        with Vertical(id="run"):
            yield RunHead(id="head")
            with Horizontal(id="curves"):
                for name, title in (("loss", "loss"), ("top1", "top-1")):
                    curves = Curves(title, percent=name == "top1", id=name)
                    curves.add_class("pane")
                    yield curves
            epochs = EpochTable(id="epochs")
            epochs.add_class("pane")
            yield epochs
            log = LogTail(id="log")
            log.add_class("pane")
            log.border_title = "log"
            yield log

    @property
    def chosen(self) -> RunView | None:
        """The run under the cursor."""
        row = self.query_one("#runs", Rows).current
        return self.state.runs.get(row.key) if row else None

    @property
    def _published(self) -> str:
        """The name of the run whose model is the one in models/."""
        return self.state.place.model.run if self.state.place and self.state.place.model else ""

    def show_state(self) -> None:
        views = self.state.of("train")
        published = self._published
        runs = self.query_one("#runs", Rows)
        runs.show([_run_row(view, view.name == published, self.has_class("-wide")) for view in views])
        if self._wanted in self.state.runs:
            runs.select(self._wanted)
            self._wanted = ""
        self._show_run()

    def on_rows_highlighted(self, message: Rows.Highlighted) -> None:
        if message.rows.id == "runs":
            self._show_run()
            self.refresh_bindings()

    def _show_run(self) -> None:
        view = self.chosen
        place = self.state.place
        published = view is not None and view.name == self._published
        ready = bool(place and place.dataset and not place.dataset.problem)
        self.query_one(RunHead).show(view, published, ready)
        epochs = view.epochs if view else ()
        best = view.best.epoch if view and view.best else None
        last = float(epochs[-1].epochs) if epochs else 2.0
        name = view.name if view else ""
        self.query_one("#loss", Curves).show(
            name,
            (
                Series("train", "$primary", tuple((e.epoch, e.train_loss) for e in epochs)),
                Series("val", "$accent", tuple((e.epoch, e.val_loss) for e in epochs)),
            ),
            last,
            best,
        )
        self.query_one("#top1", Curves).show(
            name,
            (
                Series("train", "$primary", tuple((e.epoch, e.train_top1) for e in epochs)),
                Series("val", "$accent", tuple((e.epoch, e.val_top1) for e in epochs)),
            ),
            last,
            best,
        )
        self.query_one(EpochTable).show_epochs(epochs)
        self._show_log(view)

    def _show_log(self, view: RunView | None) -> None:
        if view is None:
            self.query_one(LogTail).show(("",))
        elif self._logged != (view.name, view.moved):
            self._logged = (view.name, view.moved)
            self.worker.ask(self, LOG, lambda: (view.name, read_log(view)))

    def on_answer(self, message: Answer) -> None:
        if message.slot == LOG:
            name, lines = message.value
            if self.chosen is not None and self.chosen.name == name:
                self.query_one(LogTail).show(lines)
        elif message.slot == PUBLISH:
            self.notify(f"published: {message.value.run}", timeout=4, markup=False)
            self.worker.look_again()
        elif message.slot == DELETE:
            self.worker.look_again()

    def on_job_started(self, message: JobStarted) -> None:
        super().on_job_started(message)
        if message.job == "train":
            self._wanted = message.run
            self.show_state()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        view = self.chosen
        place = self.state.place
        if action == "new":
            return bool(place and place.dataset and not place.dataset.problem)
        if action == "turn_pane":
            return view is not None and not self.has_class("-high")
        if action == "stop":
            return bool(view and view.active)
        if action in ("resume", "delete"):
            return bool(view and not view.active and (action == "delete" or view.state != "finished"))
        if action in ("publish", "export"):
            return bool(view and view.epochs)
        return True

    def action_turn_pane(self) -> None:
        self.toggle_class("-log")

    def action_new(self) -> None:
        self.app.push_screen(train_form(), self._start)

    def _start(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            self.worker.start_job(self, "train", train.Spec(DATA_DIR, MODELS_DIR, read_config(values)))

    def action_stop(self) -> None:
        if self.chosen is not None:
            self.stop_run(self.chosen)

    def action_resume(self) -> None:
        view = self.chosen
        if view is not None:
            spec = train.Spec(DATA_DIR, MODELS_DIR, resume=view.path)
            self.worker.start_job(self, "train", spec)

    def action_publish(self) -> None:
        from kanji_tui.jobs.publish import publish

        view = self.chosen
        if view is not None:
            self.worker.ask(self, PUBLISH, lambda: publish(view.path, MODELS_DIR))

    def action_export(self) -> None:
        view = self.chosen
        if view is not None:
            published = self._published == view.name  # its exports go into models/, others stay with their run
            folder = MODELS_DIR if published else view.path
            ask_export(self, {"the published model" if published else "this run's": folder / WEIGHTS}, DATA_DIR)

    def action_delete(self) -> None:
        from kanji_tui.jobs.run_directory import RunDirectory

        view = self.chosen
        if view is None:
            return

        def remove() -> str:
            RunDirectory(view.path).delete()
            return view.name

        def delete() -> None:
            self.worker.ask(self, DELETE, remove)

        text = (
            f"{view.name}\n\nIts model, checkpoint, events and log go for good. A published copy in models/ stays."
        )
        self.confirm("Delete this run?", text, "Delete", delete)


def _run_row(view: RunView, published: bool, wide: bool) -> Row:
    best = f"{100 * view.best.val_top1:.1f}"[:4].rstrip(".") if view.best else ""
    network = Content(view.network or "?") + Content.styled(" published" if published and wide else "", "$accent")
    return Row(view.name, (words.moment(view.started)[-5:], network, words.state(view.state), best))
