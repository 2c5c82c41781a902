"""Screen 2: record files and what was made of them."""

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from kanji_tui.jobs import prepare, sample, verify
from kanji_tui.tui.messages import Answer, Refusal
from kanji_tui.tui.place import DATA_DIR, ETL_DIR
from kanji_tui.tui.runs import RunView
from kanji_tui.tui.screens.base import WorkbenchScreen
from kanji_tui.tui.screens.dataset_forms import prepare_form, sample_form
from kanji_tui.tui.shelf import Overview, Shelf
from kanji_tui.tui.state import State
from kanji_tui.tui.widgets import words
from kanji_tui.tui.widgets.facts import Fact, Facts
from kanji_tui.tui.widgets.glyphs import Glyphs
from kanji_tui.tui.widgets.rows import Column, Row, Rows
from kanji_tui.tui.widgets.status_line import progress_words
from kanji_tui.tui.widgets.words import next_words
from kanji_tui.tui.worker import Worker

OVERVIEW = "overview"
JOBS = ("sample", "prepare", "verify")
RECORD_BYTES = 8199


class DatasetScreen(WorkbenchScreen):
    """Files with their progress while they are prepared; then classes, counts, splits, samples and checks."""

    MODE = "dataset"
    ABOUT = (
        "Record files in ETL9G/ become a dataset of small pictures in dataset/. A sample is drawn, not handwriting."
    )
    AUTO_FOCUS = "#files"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sample", "Draw sample", tooltip="Draw record files from a font, to see the whole way"),
        Binding("p", "prepare", "Prepare", tooltip="Make the dataset of the record files"),
        Binding("v", "verify", "Verify", tooltip="Check that the dataset is whole and looks like characters"),
        Binding("x", "cancel", "Cancel", tooltip="Stop the running job; p goes on later where it stopped"),
        Binding("c", "turn_pane", "Checks", tooltip="Show the checks or the sample pictures below"),
    ]

    def __init__(self, state: State, worker: Worker, shelf: Shelf) -> None:
        super().__init__(state, worker)
        self._shelf = shelf
        self._overview: Overview | None = None
        self._problem = ""
        self._written = 0
        self._verified: str | None = None

    def body(self) -> ComposeResult:
        yield Static(id="work")
        with Horizontal(id="upper"):
            files = Rows(
                Column("file", 9),
                Column("MB", 6, right=True),
                Column("records", 8, right=True),
                Column("", 0),
                id="files",
            )
            files.add_class("pane")
            files.border_title = "record files"
            yield files
            with Vertical(id="facts-pane", classes="pane") as pane:
                pane.border_title = "dataset"
                yield Facts(id="facts", name_width=10)
        with Vertical(id="samples-pane", classes="pane") as pane:
            pane.border_title = "samples"
            yield Glyphs(id="glyphs")
        checks = Rows(Column("", 4), Column("", 18), Column("", 0), id="checks", empty="v verifies the dataset")
        checks.add_class("pane", "second")
        checks.border_title = "checks"
        yield checks

    def show_state(self) -> None:
        place = self.state.place
        if place is None:
            return
        if place.dataset_written != self._written:
            self._written = place.dataset_written
            self._overview = None
            if place.dataset is not None:
                self.worker.ask(self, OVERVIEW, self._shelf.overview)
        running = next(iter(self.state.active(*JOBS)), None)
        self.query_one("#work", Static).update(self._work(running))
        self._show_files(running)
        self._show_facts()
        self._show_checks()
        self.query_one(Glyphs).show(self._overview.glyphs if self._overview else ())

    def on_answer(self, message: Answer) -> None:
        if message.slot == OVERVIEW:
            self._overview, self._problem = message.value, ""
            self.state_moved()

    def on_refusal(self, message: Refusal) -> None:
        if message.slot == OVERVIEW:
            self._overview, self._problem = None, message.message
            self.state_moved()
        else:
            super().on_refusal(message)

    def _work(self, running: RunView | None) -> Content:
        """What goes on, or what to do next, in one line."""
        if running is not None and running.progress is not None:
            progress = running.progress
            parts = [Content.styled(running.job, "bold $primary"), *progress_words(progress)]
            if progress.rate is not None:
                parts.append(Content(f"{words.count(progress.rate)} {progress.unit}/s"))
            if progress.bytes_per_second:
                parts.append(words.quiet(f"{progress.bytes_per_second / 1e6:,.0f} MB/s"))
            return Content("  ").join(parts)
        if running is not None:
            return Content.styled(f"{running.job} is starting", "$primary")
        place = self.state.place
        if place is None:
            return words.quiet("looking at what is here")
        last = self.state.newest(*JOBS)
        if last is not None and last.state == "failed" and last.failure:
            return Content.assemble(
                (f"{last.job} failed  ", "bold $error"), f"{last.failure.message}  {last.failure.remedy}"
            )
        if place.dataset is not None and not place.dataset.problem:
            verified = bool(self._verified)
            return next_words(
                "3 then n trains on it, 5 browses it" if verified else "v verifies it, 3 then n trains on it"
            )
        if place.files.sizes:
            begun = (
                "goes on where it stopped"
                if last is not None and last.state == "stopped"
                else "makes a dataset of them"
            )
            return next_words(f"p {begun}")
        return next_words("s draws a sample, or put the ETL9G files into ETL9G/ and p prepares them")

    def _show_files(self, running: RunView | None) -> None:
        place = self.state.place
        sizes = place.files.sizes if place else {}
        rows_of = self.query_one("#files", Rows)
        drawn = Content.styled("DRAWN SAMPLE", "$warning") if place and place.files.drawn else ""
        rows_of.entitle("record files", drawn)
        moving = (
            {progress.item: progress for progress in running.files} if running and running.job == "prepare" else {}
        )
        done = dict(self._overview.files) if self._overview else {}
        rows = []
        for name, size in sizes.items():
            progress = moving.get(name)
            if progress is not None and progress.total:
                share = progress.done / progress.total
                last = words.bar(share, 8) + Content(f" {100 * share:3.0f} %")
            elif moving or (running is not None and running.job == "prepare"):
                last = words.quiet("waits")
            elif name in done:
                last = Content.styled(f"{done[name]:,} prepared", "$success")
            else:
                last = words.quiet("not prepared")
            rows.append(Row(name, (name, f"{size / 1e6:.1f}", words.count(size // RECORD_BYTES), last)))
        problem = place.files.problem if place else ""
        rows_of.show(rows, empty=problem or "no record files")

    def _show_facts(self) -> None:
        overview, place = self._overview, self.state.place
        facts = self.query_one("#facts", Facts)
        if overview is None:
            problem = self._problem or (place.dataset.problem if place and place.dataset else "")
            waiting = place is not None and place.dataset is not None and not problem
            facts.say(words.quiet("reading ..." if waiting else problem or "no dataset yet: p prepares one"))
            return
        drawn = Content.styled("DRAWN, not handwriting", "bold $warning")
        source = drawn if overview.drawn else Content(overview.source)
        per_class = (
            f"{overview.fewest}" if overview.fewest == overview.most else f"{overview.fewest} to {overview.most}"
        )
        pairs: list[Fact] = [
            ("source", source),
            ("samples", words.count(overview.samples)),
            ("classes", f"{overview.classes:,} with {per_class} each"),
            ("pictures", f"{overview.size} x {overview.size}, 256 greys"),
            ("data sets", f"{overview.sets} in {len(overview.files)} files"),
            ("split", " / ".join(words.count(number) for _, number in overview.parts)),
            (" ", words.quiet(overview.note or f"train/val/test, by {overview.split}")),
            (
                "left out",
                f"{overview.quarantined} records"
                + (", see dataset/quarantine.tsv" if overview.quarantined else ""),
            ),
            ("digest", words.quiet(overview.digest[:16])),
        ]
        facts.show(pairs)

    def _show_checks(self) -> None:
        verified = self.state.newest("verify", state="finished")
        current = verified is not None and verified.moved * 1e9 >= self._written
        rows = _check_rows(verified) if verified is not None and current else []
        checks = self.query_one("#checks", Rows)
        checks.show(rows, empty="v verifies the dataset" if self._overview else "no dataset to check yet")
        bad = sum(row.cells[0] != words.verdict("ok") for row in rows)
        checks.border_subtitle = (
            (f"{bad} of {len(rows)} to look at" if bad else f"{len(rows)}, all ok") if rows else None
        )
        name = verified.name if verified is not None and current else ""
        if name and self._verified not in (None, name):  # one that ended while somebody looks
            self.add_class("-checks")
        self._verified = name

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        place = self.state.place
        busy = bool(self.state.active(*JOBS))
        if action == "cancel":
            return busy
        if action in ("sample", "prepare"):
            return not busy
        if action == "verify":
            return not busy and place is not None and place.dataset is not None
        if action == "turn_pane":
            return self._overview is not None and not self.has_class("-high")
        return True

    def action_turn_pane(self) -> None:
        self.toggle_class("-checks")

    def action_sample(self) -> None:
        self.app.push_screen(sample_form(), self._start_sample)

    def action_prepare(self) -> None:
        last = self.state.newest("prepare")
        folder = str(last.spec.get("etl_dir", ETL_DIR)) if last and not self._sizes() else str(ETL_DIR)
        size = self.state.place.dataset.size if self.state.place and self.state.place.dataset else 64
        self.app.push_screen(prepare_form(folder, size), self._start_prepare)

    def action_verify(self) -> None:
        self.worker.start_job(self, "verify", verify.Spec(DATA_DIR))

    def action_cancel(self) -> None:
        for view in self.state.active(*JOBS)[:1]:
            self.stop_run(view)

    def _sizes(self) -> dict[str, int]:
        return self.state.place.files.sizes if self.state.place else {}

    def _start_sample(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            self.worker.start_job(self, "sample", sample.Spec(ETL_DIR, **values))

    def _start_prepare(self, values: dict[str, Any] | None) -> None:
        if values is not None:
            self.worker.start_job(self, "prepare", prepare.Spec(values["etl_dir"], DATA_DIR, values["size"]))


def _check_rows(verified: RunView) -> list[Row]:
    checks = verified.result.get("checks", []) if verified.result else []
    return [
        Row(
            check["name"],
            (words.verdict(check["verdict"]), check["name"], f"{check['found']}  {check['remedy']}".strip()),
        )
        for check in checks
    ]
