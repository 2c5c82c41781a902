"""Screen 2: the files to prepare, the dataset made from them, and what its verification found."""

from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll

from kanji_tui.data.listing import Listing
from kanji_tui.data.results import Verification
from kanji_tui.jobs import prepare, sample, verify
from kanji_tui.paths import DATA_DIR, ETL_DIR
from kanji_tui.presentation.data import FILE_COLUMNS, dataset_key_values, file_table, files_note, ways_to_dataset
from kanji_tui.presentation.document import Line, Styled, quiet
from kanji_tui.presentation.marks import next_step
from kanji_tui.presentation.questions import prepare_question, sample_question
from kanji_tui.presentation.status import READING, job_line
from kanji_tui.tui.dataset.findings import Findings
from kanji_tui.tui.dataset.forms import prepare_form, sample_form
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered, JobStarted, QuestionFailed
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.widgets.content import content_of
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.lineage_line import LineageLine
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.workspace.lineage import published_lineage
from kanji_tui.workspace.opened_dataset import OpenedDataset, Overview
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.state import State
from kanji_tui.workspace.thumbnails import Thumbnail

JOBS = ("sample", "prepare", "verify")
SHEET = Path("contact_sheet.png")
OUTLIERS_PER_CLASS = 10  # of each class


class OverviewRead(Answered[Overview]):
    """A summary of the dataset."""


class OutlierRead(Answered[tuple[Thumbnail, ...]]):
    """The images of an outlier and, for comparison, of others of its class."""


class DatasetScreen(WorkbenchScreen):
    """Files with their progress during preparation; then classes, counts, splits, samples and checks."""

    MODE = "dataset"
    CSS_PATH = "dataset.tcss"
    ABOUT = (
        "Record files in ETL9G/ (or npz pairs, or a folder of images for each character) become a dataset of small "
        "images in dataset/. A synthetic sample is not handwriting. Enter on a class shows its outliers."
    )
    AUTO_FOCUS = "#files"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "Stop", tooltip="Stop the running job; p resumes a preparation later"),
        Binding("n", "sample", "New", tooltip="Make a synthetic sample: record files to try everything out"),
        Binding("p", "prepare", "Prepare", tooltip="Make the dataset from record files, npz pairs or images"),
        Binding("v", "verify", "Verify", tooltip="Check that the dataset is complete and its images are plausible"),
        Binding("r", "view('checks')", "Results", tooltip="The checks of the newest verification"),
        Binding("h", "view('ink')", "Mean image", tooltip="The mean of all images"),
        Binding("l", "view('classes')", "List", tooltip="Samples of each class; writers with missing classes"),
        Binding("b", "outliers", "Outliers", tooltip="Find and show the samples least like their class"),
        Binding("g", "view('samples')", "Samples", tooltip="One sample each of 24 classes"),
        Binding("w", "sheet", "Write sheet", tooltip=f"Verify, and draw samples to {SHEET}"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._opened = OpenedDataset()
        self._overview: Overview | None = None
        self._problem = ""
        self._written = 0
        self._shown_files: tuple[object, ...] = ()
        self._awaited: set[str] = set()

    def body(self) -> ComposeResult:
        yield KeyValues(id="message")
        with Horizontal(id="upper"):
            with Vertical(id="files-pane", classes="pane"):
                yield ListTable(*FILE_COLUMNS, id="files")
                yield KeyValues(id="no-files")
            with VerticalScroll(id="overview-pane", classes="pane") as pane:
                pane.border_title = "dataset"
                yield KeyValues(id="overview", name_width=10)
        yield Findings(id="findings")
        yield LineageLine()

    def show_state(self) -> None:
        workspace = self.state.workspace
        if workspace is None:
            return
        if workspace.dataset_written != self._written:
            self._written = workspace.dataset_written
            self._overview = None
            if workspace.dataset is not None:
                self.worker.ask(self, OverviewRead, self._opened.overview)
        running = next(iter(self.state.active(*JOBS)), None)
        self.query_one("#message", KeyValues).show_line(self._message(running))
        self._show_files(workspace.files, running if running and running.job == "prepare" else None)
        self._show_overview()
        self.query_one(LineageLine).show(published_lineage(workspace, self.state.runs))
        self.query_one(Findings).show(
            self._overview, _verification(self._verified()), _verification(self._verified("unusual"))
        )
        self._show_ended_verification()

    def on_overview_read(self, message: OverviewRead) -> None:
        self._overview, self._problem = message.value, ""
        self.refresh_state()

    def on_outlier_read(self, message: OutlierRead) -> None:
        self.query_one(Findings).show_thumbnails(message.value)

    def on_job_started(self, message: JobStarted) -> None:
        if message.job == "verify":
            self._awaited.add(message.run)

    def shows_failure(self, message: QuestionFailed) -> bool:
        if message.question is not OverviewRead:
            return False
        self._overview, self._problem = None, message.error.message
        self.refresh_state()
        return True

    def _verified(self, result: str = "checks") -> RunView | None:
        """The newest verification of this very dataset that has this result."""
        for view in self.state.of("verify"):
            of_this = (
                view.spec.get("data_dir", str(DATA_DIR)) == str(DATA_DIR)
                and view.last_event_at * 1e9 >= self._written
            )
            if view.state == "finished" and of_this and getattr(view.result, result, ()):
                return view
        return None

    def _show_ended_verification(self) -> None:
        """Switch to the view of a verification that has just ended."""
        ended = [name for name in self._awaited if name in self.state.runs and not self.state.runs[name].active]
        for name in ended:
            view = self.state.runs[name]
            found = _verification(view)
            if found is not None:
                sheet = found.contact_sheet
                self.query_one(Findings).view = "samples" if sheet else "outliers" if found.unusual else "checks"
                if sheet:
                    self.notify(f"contact sheet: {sheet}", timeout=12, markup=False)
        self._awaited = self._awaited.difference(ended).union(view.name for view in self.state.active("verify"))

    def _message(self, running: RunView | None) -> Line:
        """What is being done, what failed, or what to do next."""
        workspace = self.state.workspace
        if running is not None:
            return job_line(running)
        if workspace is None:
            return quiet(READING)
        last = self.state.newest(*JOBS)
        if last is not None and last.state == "failed" and last.failure:
            failed = Styled(f"{last.job} failed  ", "bad strong")
            return failed, f"{last.failure.message}  {last.failure.remedy}"
        if changed := workspace.changed:
            more = f" and {len(changed) - 1} more" if changed[1:] else ""
            return next_step(f"{changed[0]}{more} changed since the dataset was prepared: press p to prepare again")
        if workspace.dataset is not None and not workspace.dataset.problem:
            train = "press 3, then n to train on it"
            return next_step(f"{train}, or 5 to browse it" if self._verified() else f"press v to verify; {train}")
        if workspace.files.items:
            stopped = last is not None and last.state == "stopped"
            return next_step("press p to resume the preparation" if stopped else "press p to prepare a dataset")
        return next_step("n makes a synthetic sample, p prepares your images or record files")

    def _show_files(self, files: Listing, preparing: RunView | None) -> None:
        pane, rows = self.query_one("#files-pane"), self.query_one("#files", ListTable)
        otherwise = self.query_one("#no-files", KeyValues)
        changed = self.state.workspace.changed if self.state.workspace else ()
        shown = (files, self._overview, preparing and preparing.files, changed)
        if shown != self._shown_files:
            self._shown_files = shown
            rows.show(file_table(files, self._overview, preparing, changed).rows)
        if not rows.rows and rows.has_focus:
            self.set_focus(None)  # a hidden list may keep the focus or not, depending on the order of events
        rows.display, otherwise.display = bool(rows.rows), not rows.rows
        set_pane_title(pane, "files", content_of(files_note(files)))
        if self.state.active("sample"):
            otherwise.show_line(quiet("a sample is being written ..."))
        else:
            otherwise.show_line((files.problem, "\n", quiet(files.remedy)))

    def _show_overview(self) -> None:
        overview, workspace = self._overview, self.state.workspace
        shown = self.query_one("#overview", KeyValues)
        if overview is None:
            problem = self._problem or (workspace.dataset.problem if workspace and workspace.dataset else "")
            waiting = workspace is not None and workspace.dataset is not None and not problem
            if workspace is None or waiting:
                shown.show_line(quiet("reading ..."))
            else:
                shown.show_line(quiet(problem) if problem else ways_to_dataset(workspace.files))
        else:
            shown.show(dataset_key_values(overview).pairs)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        workspace = self.state.workspace
        busy = bool(self.state.active(*JOBS))
        if action == "stop":
            return busy
        if action in ("sample", "prepare"):
            return not busy
        if action in ("verify", "sheet"):
            return not busy and workspace is not None and workspace.dataset is not None
        if action == "outliers":
            return self._overview is not None and (not busy or self._verified("unusual") is not None)
        if action == "view":
            return self._overview is not None
        return True

    def action_view(self, view: str) -> None:
        self.query_one(Findings).view = view

    def action_outliers(self) -> None:
        if self._verified("unusual") is None:
            self.worker.start_job(self, "verify", verify.Spec(DATA_DIR, unusual=OUTLIERS_PER_CLASS))
        findings = self.query_one(Findings)
        findings.of_class = ""
        findings.view = "outliers"

    def on_findings_outlier_selected(self, message: Findings.OutlierSelected) -> None:
        opened, number = self._opened, message.sample
        self.worker.ask(self, OutlierRead, lambda: opened.with_others(number))

    def action_sample(self) -> None:
        self.app.push_screen(sample_form(), self._start_sample)

    def action_prepare(self) -> None:
        last, workspace = self.state.newest("prepare"), self.state.workspace
        folder = (
            str(last.spec.get("etl_dir", ETL_DIR))
            if last and not (workspace and workspace.files.items)
            else str(ETL_DIR)
        )
        size = workspace.dataset.size if workspace and workspace.dataset else 64
        self.app.push_screen(prepare_form(folder, size), self._start_prepare)

    def action_verify(self) -> None:
        self.worker.start_job(self, "verify", verify.Spec(DATA_DIR))

    def action_sheet(self) -> None:
        self.worker.start_job(self, "verify", verify.Spec(DATA_DIR, contact_sheet=SHEET.absolute()))

    def action_stop(self) -> None:
        for view in self.state.active(*JOBS)[:1]:
            self.stop_run(view)

    def _start_sample(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            text = sample_question(self.state.workspace.files) if self.state.workspace else ""
            self.confirm_if(
                text,
                "Replace the record files?",
                lambda: self.worker.start_job(self, "sample", sample.Spec(ETL_DIR, **values)),
            )

    def _start_prepare(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            dataset = self.state.workspace.dataset if self.state.workspace else None
            self.confirm_if(
                prepare_question(dataset, bool(self.state.of("train"))),
                "Replace the dataset?",
                lambda: self.worker.start_job(self, "prepare", prepare.Spec(output_dir=DATA_DIR, **values)),
            )


def _verification(view: RunView | None) -> Verification | None:
    """The result of a finished verification."""
    return view.result if view is not None and isinstance(view.result, Verification) else None
