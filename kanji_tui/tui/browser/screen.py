"""Screen 5: the samples, and what the published model predicts of them."""

from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from kanji_tui.jobs import evaluate, saliency
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL
from kanji_tui.presentation.document import Line, Styled, quiet
from kanji_tui.presentation.marks import next_step
from kanji_tui.presentation.samples import SAMPLE_COLUMNS, sample_table
from kanji_tui.recognition.results import Explanations
from kanji_tui.runs import question
from kanji_tui.system import numbers
from kanji_tui.tui.browser.class_pane import GRID, LIST, PAIRS, ClassPane
from kanji_tui.tui.browser.sample_pane import Maps, SamplePane
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered, QuestionFailed
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.widgets.character_grid import LEGEND
from kanji_tui.tui.widgets.line_input import LineInput
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.sample_browser import Catalogue, Sample, SampleBrowser
from kanji_tui.workspace.sample_list import ORDERS, PARTS, Query, SampleList
from kanji_tui.workspace.state import State

AHEAD = 12  # maps a child computes at once: starting it takes longer than they do


class CatalogueRead(Answered[Catalogue]):
    """All classes, with the accuracy of each."""


class SamplesRead(Answered[tuple[SampleList, Sample | None]]):
    """The samples of a query, and the first of them."""


class SampleRead(Answered[Sample]):
    """Everything about one sample."""


class SaliencyComputed(Answered[Explanations]):
    """Saliency maps of some samples, computed by a child."""


class SuspectsWritten(Answered[tuple[Path, int]]):
    """The file of suspected label errors, and how many it holds."""


SHOWN = (CatalogueRead, SamplesRead, SampleRead)


class BrowserScreen(WorkbenchScreen):
    """Classes, then the samples of one, then one sample: enter goes in, escape comes back."""

    MODE = "browser"
    CSS_PATH = "browser.tcss"
    ABOUT = (
        "Search takes a character, a JIS code (4544), a code point (U+7530), a reading (DEN), a stroke count (5), "
        f"kanji or hiragana. {LEGEND}"
    )
    AUTO_FOCUS = "#grid"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "search",
            "Search",
            key_display="/",
            tooltip="Find classes by character, code, reading, strokes",
        ),
        Binding("e", "errors", "Errors", tooltip="Only wrong predictions, or all samples again"),
        Binding("w", "order", "Confidence", tooltip="Lowest confidence first, or in the order of the files again"),
        Binding("t", "part", "Split", tooltip="All samples, or those of train, validation, test"),
        Binding("c", "confusions", "Pairs", tooltip="The pairs the model confuses most, or the classes again"),
        Binding(
            "s",
            "suspects",
            "Suspects",
            tooltip="Suspected label errors: a confident model disagrees",
        ),
        Binding("v", "saliency", "Saliency", tooltip="Lay the saliency map over the image, or take it away"),
        Binding("g", "list", "List", tooltip="The classes as a list with codes and counts, or as the grid again"),
        Binding("x", "write", "Write", tooltip="Write the suspected label errors as a table, models/suspects.tsv"),
        Binding("p", "predict", "Predict all", tooltip="Predict all samples with the published model, as a job"),
        Binding("escape", "back", "Back", show=False, tooltip="Back to the classes"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._library = SampleBrowser(OpenedDataset())
        self._catalogue: Catalogue | None = None
        self._signature: tuple[Any, ...] = ()
        self._query = Query()
        self._part, self._order = PARTS[0], ORDERS[0]
        self._found: SampleList | None = None
        self._sample: Sample | None = None
        self._maps = Maps()
        self._saliency_shown = False
        self._computing = False  # a child computes saliency maps
        self._problem = ""

    def body(self) -> ComposeResult:
        yield ClassPane(id="left")
        samples = ListTable(*SAMPLE_COLUMNS, id="samples", title="samples", empty="no sample here")
        samples.add_class("pane")
        yield samples
        pane = SamplePane(id="sample-pane")
        pane.add_class("pane")
        yield pane

    def on_screen_resume(self) -> None:
        self._signature = ()  # predictions may have been made elsewhere meanwhile

    def show_state(self) -> None:
        place = self.state.place
        if place is None:
            return
        ended = tuple(view.name for view in self.state.of("evaluate") if view.state == "finished")
        signature = (place.dataset_written, place.model, ended)
        if signature != self._signature:
            self._signature = signature
            if place.dataset is None or place.dataset.problem:
                self._catalogue = None
                self._left.show(None)
            else:
                self.worker.ask(self, CatalogueRead, self._library.catalogue)
        self._show_message()
        self._show_sample()

    def _show_message(self) -> None:
        self.query_one(SamplePane).show_message(self._message())

    def _message(self) -> Line:
        """What to do next, when there is something to do."""
        place, catalogue = self.state.place, self._catalogue
        running = next(iter(self.state.active("evaluate")), None)
        last = self.state.newest("evaluate")
        if self._problem:
            return Styled(self._problem, "bad")
        if place is None or place.dataset is None:
            return next_step("2 makes a dataset first")
        if running is not None:
            return Styled("predicting all samples ...", "primary")
        if last is not None and last.state == "failed" and last.failure:
            return Styled(last.failure.message, "bad"), f"  {last.failure.remedy}"
        if place.model is None:
            return quiet("no model yet: 3 trains one")
        if catalogue is not None and not catalogue.predicted:
            return next_step("p predicts all samples")
        if self._saliency_shown and self._sample is not None and self._sample.number not in self._maps:
            return Styled("computing the saliency map ...", "primary")
        if self._query.suspects and self._query.part in ("", "train"):
            return quiet("The model was trained on these labels, so errors may be hidden. Press t for val or test.")
        if catalogue is not None and catalogue.predicted != "all":
            return quiet(f"only the {catalogue.predicted} split is predicted; p predicts all samples")
        return ""

    def on_catalogue_read(self, message: CatalogueRead) -> None:
        self._problem = ""
        if message.value is not self._catalogue:
            self._catalogue = message.value
            self._maps.clear()
            self._drop_saliency()  # they are of another model
            self._left.show(self._catalogue)
            self._ask_samples()
        self.state_moved()

    def on_samples_read(self, message: SamplesRead) -> None:
        self._problem = ""
        self._show_samples(*message.value)

    def on_sample_read(self, message: SampleRead) -> None:
        self._problem = ""
        self._select_sample(message.value)

    def on_saliency_computed(self, message: SaliencyComputed) -> None:
        if self._computing:
            self._computing = False
            self._maps.take(message.value)
            self._ask_saliency()  # for the sample that the cursor went to meanwhile
            self._show_message()
            self._show_sample()

    def on_suspects_written(self, message: SuspectsWritten) -> None:
        path, count = message.value
        self.notify(f"{numbers.count(count)} suspected label errors: {path}", timeout=6, markup=False)

    def shows_failure(self, message: QuestionFailed) -> bool:
        own = message.question in SHOWN
        if own:
            self._problem = message.error.message
        if message.question is SaliencyComputed:
            self._saliency_shown = self._computing = False
        self.state_moved()
        return own

    @property
    def _left(self) -> ClassPane:
        return self.query_one(ClassPane)

    def on_class_pane_selected(self, message: ClassPane.Selected) -> None:
        if message.opened:
            self._enter(self._kept(message.query))
        elif not self.has_class("-inside"):
            self._list(self._kept(message.query))

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        number = int(message.row.key)
        self.worker.ask(self, SampleRead, lambda: self._library.sample(number))

    def _kept(self, query: Query) -> Query:
        """The query for the split and in the order that were chosen; of a pair always by confidence."""
        return query.turned(part=self._part, order=self._order if query.predicted is None else query.order)

    def _enter(self, query: Query) -> None:
        self.add_class("-inside")
        self._list(query)
        self.query_one("#samples", ListTable).focus()

    def _return(self) -> None:
        """Out of the samples, to those of what the cursor stands on."""
        self.remove_class("-inside")
        self._left.chooser.focus()
        if self._left.chosen is not None:
            self._list(self._kept(self._left.chosen))

    def _list(self, query: Query) -> None:
        if query != self._query:
            before, self._query = self._query, query
            if before.suspects != query.suspects:
                self.refresh_bindings()
            self._ask_samples()

    # samples

    def _ask_samples(self) -> None:
        if self._catalogue is not None:
            query = self._query
            self.worker.ask(self, SamplesRead, lambda: self._library.opened(query))

    def _show_samples(self, found: SampleList, first: Sample | None) -> None:
        samples = self.query_one("#samples", ListTable)
        self._found = found
        table = sample_table(found)
        samples.show(table.rows, keep=False)
        samples.set_title(table.title, table.about)
        self._select_sample(first)

    def _select_sample(self, sample: Sample | None) -> None:
        before, self._sample = self._sample, sample
        if (before is None) != (sample is None):
            self.refresh_bindings()
        self._ask_saliency()
        self._show_message()
        if sample is None:
            self.query_one(SamplePane).show_none()
        self._show_sample()

    def _show_sample(self) -> None:
        sample = self._sample
        if sample is None:
            return
        saliency_map = self._maps.of(sample.number) if self._saliency_shown else None
        place = self.state.place
        otherwise = "not predicted yet" if place and place.model else "not predicted yet: there is no model"
        self.query_one(SamplePane).show(sample, saliency_map, otherwise, self.has_class("-low"))

    def _ask_saliency(self) -> None:
        """Let a child compute the saliency maps of this sample and of those after it; one child at a time."""
        samples = self.query_one("#samples", ListTable)
        if not self._saliency_shown or self._computing or self._sample is None or self._sample.number in self._maps:
            return
        ahead = self._found.numbers(samples.cursor, AHEAD) if self._found is not None else ()
        wanted = dict.fromkeys((self._sample.number, *ahead))
        spec = saliency.Spec(samples=tuple(number for number in wanted if number not in self._maps))
        self._computing = True
        self.worker.ask_child(
            self,
            SaliencyComputed,
            lambda: question.ask("saliency", spec),
            partial(question.read_answer, "saliency"),
        )

    def _drop_saliency(self) -> None:
        """What the child computes is no longer wanted."""
        if self._computing:
            self._computing = False
            self.worker.drop(self, SaliencyComputed)

    # keys

    def on_key(self, event: events.Key) -> None:
        if event.key == "escape" and self.query_one("#search", LineInput).has_focus:
            self.action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        catalogue, place = self._catalogue, self.state.place
        if action in ("errors", "order", "confusions", "suspects"):
            return bool(catalogue and catalogue.predicted)
        if action == "write":
            return bool(catalogue and catalogue.predicted and self._query.suspects)
        if action == "part":
            return bool(catalogue and catalogue.parts_known)
        if action == "saliency":
            return bool(self._sample and place and place.model)
        if action == "predict":
            unread = catalogue is not None and catalogue.predicted != "all"
            return bool(unread and place and place.model and not self.state.active("evaluate"))
        return True

    def action_search(self) -> None:
        if self._left.view == PAIRS:
            self._left.switch(GRID)
        self._return()
        self._left.open_search()

    def action_back(self) -> None:
        """Out of the samples, then out of the pairs, then out of the search."""
        if not self.has_class("-inside"):
            if self._left.view == PAIRS:
                self._left.switch(GRID)
            elif self._left.searching:
                self._left.close_search()
        self._return()

    def action_confusions(self) -> None:
        self._left.switch(GRID if self._left.view == PAIRS else PAIRS)
        self._return()

    def action_list(self) -> None:
        self._left.switch(GRID if self._left.view == LIST else LIST)
        self._return()

    def action_errors(self) -> None:
        """Within a class its errors; from the classes the errors of all."""
        query = self._query
        if self.has_class("-inside") and not query.suspects:
            self._enter(query.turned(errors=not query.errors))
        else:
            self._enter(Query(errors=True, part=self._part, order="confidence"))

    def action_suspects(self) -> None:
        self._enter(Query(suspects=True, part=self._part))

    def action_order(self) -> None:
        self._order = ORDERS[(ORDERS.index(self._query.order) + 1) % len(ORDERS)]
        self._list(self._query.turned(order=self._order))

    def action_part(self) -> None:
        self._part = PARTS[(PARTS.index(self._part) + 1) % len(PARTS)]
        self._list(self._query.turned(part=self._part))

    def action_saliency(self) -> None:
        self._saliency_shown = not self._saliency_shown
        if self._saliency_shown:
            self._ask_saliency()
        else:
            self._drop_saliency()
        self._show_message()
        self._show_sample()

    def action_write(self) -> None:
        self.worker.ask(self, SuspectsWritten, self._library.write_suspects)

    def action_predict(self) -> None:
        self.worker.start_job(self, "evaluate", evaluate.Spec(DEFAULT_MODEL, DATA_DIR, "all"))
