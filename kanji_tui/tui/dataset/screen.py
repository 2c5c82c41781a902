"""Screen 2: the files to prepare, the dataset made of them, and what was found in it."""

from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll

from kanji_tui.data.listing import Listing
from kanji_tui.data.results import Verification
from kanji_tui.jobs import prepare, sample, verify
from kanji_tui.paths import DATA_DIR, ETL_DIR
from kanji_tui.presentation.data import FILE_COLUMNS, dataset_key_values, file_table, files_note
from kanji_tui.presentation.document import Line, Styled, quiet
from kanji_tui.presentation.marks import next_step
from kanji_tui.presentation.status import READING, job_line
from kanji_tui.tui.dataset.findings import Findings
from kanji_tui.tui.dataset.forms import prepare_form, sample_form
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered, JobStarted, QuestionFailed
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.widgets.content import content_of
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.workspace.opened_dataset import OpenedDataset, Overview
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.state import State
from kanji_tui.workspace.thumbnails import Thumbnail

JOBS = ("sample", "prepare", "verify")
SHEET = Path("contact_sheet.png")
UNUSUAL = 10  # of each class


class OverviewRead(Answered[Overview]):
    """The dataset at a glance."""


class OutlierRead(Answered[tuple[Thumbnail, ...]]):
    """An outlier and, for comparison, others of its class."""


class DatasetScreen(WorkbenchScreen):
    """Files with their progress while they are prepared; then classes, counts, splits, samples and checks."""

    MODE = "dataset"
    CSS_PATH = "dataset.tcss"
    ABOUT = (
        "Record files in ETL9G/ (or npz pairs, or a folder of images for each character) become a dataset of small "
        "images in dataset/. A synthetic sample is not handwriting. Enter on a class shows its outliers."
    )
    AUTO_FOCUS = "#files"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "s",
            "sample",
            "Synthetic",
            tooltip="Make a synthetic sample: record files from a font, to try everything",
        ),
        Binding("p", "prepare", "Prepare", tooltip="Make the dataset from record files, npz pairs or images"),
        Binding("v", "verify", "Verify", tooltip="Check that the dataset is whole and looks like characters"),
        Binding("x", "cancel", "Cancel", tooltip="Stop the running job; p resumes it later"),
        Binding("c", "view('checks')", "Checks", tooltip="What verify found, check by check"),
        Binding("i", "view('ink')", "Mean image", tooltip="The mean of all images"),
        Binding("l", "view('classes')", "Classes", tooltip="Samples of each class; classes missing from data sets"),
        Binding("u", "unusual", "Outliers", tooltip="Find the samples least like their class, and see them"),
        Binding("g", "view('samples')", "Samples", tooltip="Sample images of classes from all over"),
        Binding("w", "sheet", "Contact sheet", tooltip=f"Verify, and draw samples into {SHEET}"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._shelf = OpenedDataset()
        self._overview: Overview | None = None
        self._problem = ""
        self._written = 0
        self._shown_files: tuple[object, ...] = ()
        self._awaited: set[str] = set()

    def body(self) -> ComposeResult:
        yield KeyValues(id="work")
        with Horizontal(id="upper"):
            with Vertical(id="files-pane", classes="pane"):
                yield ListTable(*FILE_COLUMNS, id="files")
                yield KeyValues(id="no-files")
            with VerticalScroll(id="facts-pane", classes="pane") as pane:
                pane.border_title = "dataset"
                yield KeyValues(id="facts", name_width=10)
        yield Findings(id="findings")

    def show_state(self) -> None:
        place = self.state.place
        if place is None:
            return
        if place.dataset_written != self._written:
            self._written = place.dataset_written
            self._overview = None
            if place.dataset is not None:
                self.worker.ask(self, OverviewRead, self._shelf.overview)
        running = next(iter(self.state.active(*JOBS)), None)
        self.query_one("#work", KeyValues).say(self._work(running))
        self._show_files(place.files, running if running and running.job == "prepare" else None)
        self._show_facts()
        self.query_one(Findings).show(
            self._overview, _verification(self._verified()), _verification(self._verified("unusual"))
        )
        self._greet()

    def on_overview_read(self, message: OverviewRead) -> None:
        self._overview, self._problem = message.value, ""
        self.state_moved()

    def on_outlier_read(self, message: OutlierRead) -> None:
        self.query_one(Findings).show_unusual(message.value)

    def on_job_started(self, message: JobStarted) -> None:
        if message.job == "verify":
            self._awaited.add(message.run)

    def shows_failure(self, message: QuestionFailed) -> bool:
        if message.question is not OverviewRead:
            return False
        self._overview, self._problem = None, message.error.message
        self.state_moved()
        return True

    def _verified(self, with_: str = "checks") -> RunView | None:
        """The newest verification of this very dataset whose result has this."""
        for view in self.state.of("verify"):
            of_this = (
                view.spec.get("data_dir", str(DATA_DIR)) == str(DATA_DIR) and view.moved * 1e9 >= self._written
            )
            if view.state == "finished" and of_this and getattr(view.result, with_, ()):
                return view
        return None

    def _greet(self) -> None:
        """Show what a verification found that ended while somebody looks."""
        arrived = [name for name in self._awaited if name in self.state.runs and not self.state.runs[name].active]
        for name in arrived:
            view = self.state.runs[name]
            found = _verification(view)
            if found is not None:
                sheet = found.contact_sheet
                self.query_one(Findings).view = "samples" if sheet else "unusual" if found.unusual else "checks"
                if sheet:
                    self.notify(f"contact sheet: {sheet}", timeout=12, markup=False)
        self._awaited = self._awaited.difference(arrived).union(view.name for view in self.state.active("verify"))

    def _work(self, running: RunView | None) -> Line:
        """What goes on, or what to do next."""
        place = self.state.place
        if running is not None:
            return job_line(running)
        if place is None:
            return quiet(READING)
        last = self.state.newest(*JOBS)
        if last is not None and last.state == "failed" and last.failure:
            failed = Styled(f"{last.job} failed  ", "bad strong")
            return failed, f"{last.failure.message}  {last.failure.remedy}"
        if place.dataset is not None and not place.dataset.problem:
            verified = "3 then n trains on it, 5 browses it"
            return next_step(verified if self._verified() else "v verifies it, 3 then n trains on it")
        if place.files.items:
            resumes = last is not None and last.state == "stopped"
            return next_step("p resumes where it stopped" if resumes else "p makes a dataset of them")
        return next_step("s makes a synthetic sample, or put the ETL9G files into ETL9G/ and p prepares them")

    def _show_files(self, files: Listing, preparing: RunView | None) -> None:
        pane, rows = self.query_one("#files-pane"), self.query_one("#files", ListTable)
        otherwise = self.query_one("#no-files", KeyValues)
        shown = (files, self._overview, preparing and preparing.files)
        if shown != self._shown_files:
            self._shown_files = shown
            rows.show(file_table(files, self._overview, preparing).rows)
        if not rows.rows and rows.has_focus:
            self.set_focus(None)  # else it depends on who comes first whether a list that is hidden keeps it
        rows.display, otherwise.display = bool(rows.rows), not rows.rows
        set_pane_title(pane, "files", content_of(files_note(files)))
        otherwise.say((files.problem, quiet(f"\n{files.remedy}")))

    def _show_facts(self) -> None:
        overview, place = self._overview, self.state.place
        facts = self.query_one("#facts", KeyValues)
        if overview is None:
            problem = self._problem or (place.dataset.problem if place and place.dataset else "")
            waiting = place is not None and place.dataset is not None and not problem
            facts.say(quiet("reading ..." if waiting else problem or "no dataset yet: p prepares one"))
        else:
            facts.show(dataset_key_values(overview).pairs)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        place = self.state.place
        busy = bool(self.state.active(*JOBS))
        if action == "cancel":
            return busy
        if action in ("sample", "prepare"):
            return not busy
        if action in ("verify", "sheet"):
            return not busy and place is not None and place.dataset is not None
        if action == "unusual":
            return self._overview is not None and (not busy or self._verified("unusual") is not None)
        if action == "view":
            return self._overview is not None
        return True

    def action_view(self, view: str) -> None:
        self.query_one(Findings).view = view

    def action_unusual(self) -> None:
        if self._verified("unusual") is None:
            self.worker.start_job(self, "verify", verify.Spec(DATA_DIR, unusual=UNUSUAL))
        findings = self.query_one(Findings)
        findings.of_class = ""
        findings.view = "unusual"

    def on_findings_wanted(self, message: Findings.Wanted) -> None:
        shelf, number = self._shelf, message.sample
        self.worker.ask(self, OutlierRead, lambda: shelf.beside(number))

    def action_sample(self) -> None:
        self.app.push_screen(sample_form(), self._start_sample)

    def action_prepare(self) -> None:
        last, place = self.state.newest("prepare"), self.state.place
        folder = (
            str(last.spec.get("etl_dir", ETL_DIR)) if last and not (place and place.files.items) else str(ETL_DIR)
        )
        size = place.dataset.size if place and place.dataset else 64
        self.app.push_screen(prepare_form(folder, size), self._start_prepare)

    def action_verify(self) -> None:
        self.worker.start_job(self, "verify", verify.Spec(DATA_DIR))

    def action_sheet(self) -> None:
        self.worker.start_job(self, "verify", verify.Spec(DATA_DIR, contact_sheet=SHEET.absolute()))

    def action_cancel(self) -> None:
        for view in self.state.active(*JOBS)[:1]:
            self.stop_run(view)

    def _start_sample(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            self.worker.start_job(self, "sample", sample.Spec(ETL_DIR, **values))

    def _start_prepare(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            self.worker.start_job(self, "prepare", prepare.Spec(values["etl_dir"], DATA_DIR, values["size"]))


def _verification(view: RunView | None) -> Verification | None:
    """What a finished verification found."""
    return view.result if view is not None and isinstance(view.result, Verification) else None
