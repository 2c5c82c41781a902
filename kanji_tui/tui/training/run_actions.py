"""What is done to a run by keys: started, described, stopped, resumed, published, exported, deleted."""

from dataclasses import replace
from typing import Any

from kanji_tui.errors import KanjiError
from kanji_tui.jobs import train
from kanji_tui.paths import DATA_DIR, MODELS_DIR, WEIGHTS
from kanji_tui.preflight.all_checks import PreparedDataset
from kanji_tui.presentation.questions import (
    busy_question,
    delete_question,
    publish_question,
    resume_question,
    undo_question,
)
from kanji_tui.runs.about import About, write_about
from kanji_tui.runs.publish import Published, publish, undo_publish
from kanji_tui.system.plain_data import from_plain
from kanji_tui.tui.export.form import ask_export
from kanji_tui.tui.export.serving import toggle_serving
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered
from kanji_tui.tui.training.about_form import about_form
from kanji_tui.tui.training.form import TrainForm, read_about, read_spec
from kanji_tui.tui.training.shown_command import ShownCommand
from kanji_tui.workspace.command_line import train_command
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.snapshot import PublishedModel


class RunPublished(Answered[Published]):
    """A run's model was published in models/."""


class RunDescribed(Answered[None]):
    """A run's name and note were written."""


class RunDeleted(Answered[str]):
    """The run with this name was deleted."""


class RunActions(WorkbenchScreen):
    """The actions of a screen with a chosen run. Whatever ends or replaces what was computed asks first."""

    @property
    def chosen(self) -> RunView | None:
        """The run that the actions are for."""
        raise NotImplementedError

    def on_run_published(self, message: RunPublished) -> None:
        self.notify(f"published: {message.value.run}", timeout=4, markup=False)
        self.worker.poll_now()

    def on_run_deleted(self, message: RunDeleted) -> None:
        self.worker.poll_now()

    @property
    def dataset(self) -> PreparedDataset | None:
        """The dataset to train on, if there is one."""
        dataset = self.state.workspace.dataset if self.state.workspace else None
        return None if dataset is None or dataset.problem else dataset

    def action_new(self) -> None:
        self.app.push_screen(TrainForm(self.worker, self.dataset), self._start)

    def _start(self, values: dict[str, Any] | None) -> None:
        if values is None:
            return

        def start() -> None:
            self.worker.start_job(self, "train", read_spec(values), read_about(values))

        busy = busy_question(self.state.active("train"))
        if busy:
            self.confirm("Start another training?", busy, "Start", start)
        else:
            start()

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

    def action_serve(self) -> None:
        toggle_serving(self)

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
