"""Screen 5: the samples, and what the published model sees in them."""

from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from kanji_tui.characters.jis import name_jis
from kanji_tui.jobs import evaluate
from kanji_tui.tui.browse import ORDERS, PARTS, Catalogue, Library, Query, Sample, SampleList, matches
from kanji_tui.tui.messages import Answer, Refusal
from kanji_tui.tui.place import DATA_DIR
from kanji_tui.tui.screens.base import WorkbenchScreen
from kanji_tui.tui.screens.sample_words import class_row, confusion_row, pair_query, sample_facts
from kanji_tui.tui.state import State
from kanji_tui.tui.widgets import words
from kanji_tui.tui.widgets.bars import ProbabilityBars
from kanji_tui.tui.widgets.facts import Facts
from kanji_tui.tui.widgets.line_input import LineInput
from kanji_tui.tui.widgets.picture import Picture
from kanji_tui.tui.widgets.rows import Column, Rows
from kanji_tui.tui.widgets.words import next_words
from kanji_tui.tui.worker import Worker

CATALOGUE, SAMPLES, SAMPLE = "catalogue", "samples", "sample"


class BrowserScreen(WorkbenchScreen):
    """Classes, then the samples of one, then the picture: enter goes in, escape comes back."""

    MODE = "browser"
    ABOUT = (
        "Search takes a character, a JIS code (4544), a code point (U+7530), a reading (DEN) or a stroke count (5)."
    )
    AUTO_FOCUS = "#classes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "search",
            "Search",
            key_display="/",
            tooltip="Find classes by character, code, reading, strokes",
        ),
        Binding("e", "errors", "Errors", tooltip="Only samples that the model gets wrong, or all again"),
        Binding("w", "order", "Unsure", tooltip="Lowest confidence first, or in the order of the files again"),
        Binding("t", "part", "Split", tooltip="All samples, or those of train, validation, test"),
        Binding("c", "confusions", "Pairs", tooltip="The pairs the model confuses most, or the classes again"),
        Binding("p", "predict", "Read all", tooltip="Let the published model read every sample, as a job"),
        Binding("escape", "back", "Back", show=False, tooltip="Back to the classes"),
    ]

    def __init__(self, state: State, worker: Worker, library: Library) -> None:
        super().__init__(state, worker)
        self._library = library
        self._catalogue: Catalogue | None = None
        self._signature: tuple[Any, ...] = ()
        self._query = Query()
        self._sample: Sample | None = None
        self._problem = ""

    def body(self) -> ComposeResult:
        with Vertical(id="left"):
            yield LineInput(placeholder="character, JIS, U+, reading, strokes", id="search")
            classes = Rows(
                Column("", 2),
                Column("JIS", 4),
                Column("reading", 0),
                Column("str", 3, right=True),
                Column("n", 5, right=True),
                Column("top-1", 6, right=True),
                id="classes",
                title="classes",
            )
            classes.add_class("pane")
            yield classes
            confusions = Rows(
                Column("is", 7),
                Column("read as", 7),
                Column("times", 0, right=True),
                id="confusions",
                title="confusions",
                empty="no sample is read wrong",
            )
            confusions.add_class("pane")
            yield confusions
        samples = Rows(
            Column("file", 8),
            Column("record", 6, right=True),
            Column("set", 3, right=True),
            Column("split", 5),
            Column("as", 2),
            Column("sure", 6, right=True),
            id="samples",
            title="samples",
            empty="no sample here",
        )
        samples.add_class("pane")
        yield samples
        with Vertical(id="sample-pane", classes="pane") as pane:
            pane.border_title = "sample"
            yield Static(id="said")
            yield Picture(id="picture")
            yield ProbabilityBars(id="bars")
            yield Facts(id="facts", name_width=10)

    def on_mount(self) -> None:
        self.query_one("#search", LineInput).display = False

    def show_state(self) -> None:
        place = self.state.place
        if place is None:
            return
        runs = [view for view in self.state.of("evaluate") if view.state == "finished" and view.result]
        signature = (place.dataset_written, place.model, tuple(view.name for view in runs))
        if signature != self._signature:
            self._signature = signature
            if place.dataset is None or place.dataset.problem:
                self._catalogue = None
                self._show_classes()
            else:
                self.worker.ask(self, CATALOGUE, lambda: self._library.catalogue(runs))
        self.query_one("#said", Static).update(self._said())

    def _said(self) -> Content:
        """What to do next, when there is something to do."""
        place, catalogue = self.state.place, self._catalogue
        running = next(iter(self.state.active("evaluate")), None)
        last = self.state.newest("evaluate")
        if self._problem:
            return Content.styled(self._problem, "$error")
        if place is None or place.dataset is None:
            return next_words("2 makes a dataset first")
        if running is not None:
            return Content.styled("the model reads every sample ...", "$primary")
        if last is not None and last.state == "failed" and last.failure:
            return Content.assemble((last.failure.message, "$error"), f"  {last.failure.remedy}")
        if place.model is None:
            return words.quiet("no model yet: 3 trains one")
        if catalogue is not None and not catalogue.predicted:
            return next_words("p lets the model read every sample")
        if catalogue is not None and catalogue.model_changed:
            return Content.assemble(("another model is published since: ", "$warning"), "p reads all again")
        return Content()

    def on_answer(self, message: Answer) -> None:
        if message.slot == CATALOGUE:
            self._catalogue, self._problem = message.value, ""
            self._show_classes()
            self._ask_samples()
            self.state_moved()
        elif message.slot == SAMPLES:
            self._show_samples(message.value)
        elif message.slot == SAMPLE:
            self._sample = message.value
            self._show_sample()

    def on_refusal(self, message: Refusal) -> None:
        if message.slot in (CATALOGUE, SAMPLES, SAMPLE):
            self._problem = message.message
            self.state_moved()
        else:
            super().on_refusal(message)

    def _show_classes(self) -> None:
        catalogue = self._catalogue
        classes = self.query_one("#classes", Rows)
        found = [known for known in (catalogue.classes if catalogue else ()) if matches(known, self._text)]
        classes.show(
            [class_row(known) for known in found],
            empty="no class fits" if self._text else "no dataset yet: press 2",
        )
        total = len(catalogue.classes) if catalogue else 0
        accuracy = (
            f"  top-1 {words.percent(catalogue.accuracy)}" if catalogue and catalogue.accuracy is not None else ""
        )
        classes.entitle("classes", (f"{len(found)} of {total}" if self._text else str(total)) + accuracy)
        confusions = catalogue.confusions if catalogue else ()
        self.query_one("#confusions", Rows).show([confusion_row(*pair) for pair in confusions])

    @property
    def _text(self) -> str:
        return self.query_one("#search", LineInput).value.strip()

    def _ask_samples(self) -> None:
        if self._catalogue is not None:
            query = self._query
            self.worker.ask(self, SAMPLES, lambda: self._library.samples(query))

    def _show_samples(self, found: SampleList) -> None:
        samples = self.query_one("#samples", Rows)
        samples.show(found, keep=False)
        if not len(found):
            self.query_one(Picture).show(b"", 0)
        samples.entitle(found.query.title, words.count(len(found)))

    def on_rows_highlighted(self, message: Rows.Highlighted) -> None:
        if message.rows.id == "classes" and not self.has_class("-inside", "-confusions"):
            self._query = Query(jis=int(message.row.key, 16), part=self._query.part, order=self._query.order)
            self._ask_samples()
        elif message.rows.id == "confusions" and self.has_class("-confusions") and not self.has_class("-inside"):
            self._query = pair_query(message.row.key)
            self._ask_samples()
        elif message.rows.id == "samples":
            number = int(message.row.key)
            self.worker.ask(self, SAMPLE, lambda: self._library.sample(number))

    def on_rows_chosen(self, message: Rows.Chosen) -> None:
        if message.rows.id == "classes":
            self._enter(
                Query(
                    jis=int(message.row.key, 16),
                    part=self._query.part,
                    order=self._query.order,
                    errors=self._query.errors,
                )
            )
        elif message.rows.id == "confusions":
            self._enter(pair_query(message.row.key))

    def _enter(self, query: Query) -> None:
        self._query = query
        self.add_class("-inside")
        self._ask_samples()
        self.query_one("#samples", Rows).focus()

    def _show_sample(self) -> None:
        sample = self._sample
        if sample is None:
            return
        self.query_one("#sample-pane").border_title = f"{sample.character}  {name_jis(sample.jis)}"
        self.query_one(Picture).show(sample.pixels, sample.size)
        place = self.state.place
        otherwise = (
            "the model has not read this sample" if place and place.model else "no model has read this sample"
        )
        self.query_one(ProbabilityBars).show(sample.candidates, otherwise)
        self.query_one("#facts", Facts).show(sample_facts(sample, self.has_class("-low")))

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show_classes()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one("#classes", Rows).focus()

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.query_one("#search", LineInput).has_focus:
            self.action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        catalogue, place = self._catalogue, self.state.place
        if action in ("errors", "order", "confusions"):
            return bool(catalogue and catalogue.predicted)
        if action == "part":
            return bool(catalogue and catalogue.parts_known)
        if action == "search":
            return catalogue is not None
        if action == "predict":
            return bool(catalogue and place and place.model and not self.state.active("evaluate"))
        return True

    def action_search(self) -> None:
        self.remove_class("-inside", "-confusions")
        field = self.query_one("#search", LineInput)
        field.display = True
        field.focus()

    def action_back(self) -> None:
        """Out of the samples, then out of the confusions, then out of the search."""
        field = self.query_one("#search", LineInput)
        if self.has_class("-inside"):
            self.remove_class("-inside")
        elif self.has_class("-confusions"):
            self.remove_class("-confusions")
        elif field.display:
            field.value = ""
            field.display = False
        self.query_one("#confusions" if self.has_class("-confusions") else "#classes", Rows).focus()

    def action_confusions(self) -> None:
        self.remove_class("-inside")
        self.toggle_class("-confusions")
        shown = self.query_one("#confusions" if self.has_class("-confusions") else "#classes", Rows)
        if shown.current is not None:
            shown.post_message(Rows.Highlighted(shown, shown.current))
        shown.focus()

    def action_errors(self) -> None:
        """Within a class its errors; from the classes the errors of all."""
        inside = self.has_class("-inside")
        self._enter(
            self._query.turned(errors=not self._query.errors) if inside else Query(errors=True, order="unsure")
        )

    def action_order(self) -> None:
        order = ORDERS[(ORDERS.index(self._query.order) + 1) % len(ORDERS)]
        self._query = self._query.turned(order=order)
        self._ask_samples()

    def action_part(self) -> None:
        part = PARTS[(PARTS.index(self._query.part) + 1) % len(PARTS)]
        self._query = self._query.turned(part=part)
        self._ask_samples()

    def action_predict(self) -> None:
        self.worker.start_job(self, "evaluate", evaluate.Spec(evaluate.DEFAULT_MODEL, DATA_DIR, "all"))
