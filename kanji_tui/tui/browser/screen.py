"""Screen 5: the samples, and the published model's predictions for them."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from kanji_tui.jobs import evaluate
from kanji_tui.paths import DATA_DIR, DEFAULT_MODEL
from kanji_tui.presentation.document import Line, Styled, quiet
from kanji_tui.presentation.marks import next_step
from kanji_tui.presentation.samples import SAMPLE_COLUMNS, sample_table, unknown_classes
from kanji_tui.presentation.status import dataset_missing, model_missing
from kanji_tui.system import numbers
from kanji_tui.tui.browser.ahead import ComputedAhead
from kanji_tui.tui.browser.class_pane import GRID, LIST, PAIRS, ClassPane
from kanji_tui.tui.browser.layers import LayerScreen
from kanji_tui.tui.browser.sample_maps import FeatureMapsComputed, SaliencyComputed, SampleMaps
from kanji_tui.tui.browser.sample_pane import SamplePane
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered, QuestionFailed
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.widgets.character_grid import LEGEND
from kanji_tui.tui.widgets.lineage_line import LineageLine
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.workspace.lineage import published_lineage
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.sample_browser import Catalogue, Sample, SampleBrowser
from kanji_tui.workspace.sample_list import ORDERS, SPLITS, Query, SampleList
from kanji_tui.workspace.state import State


class CatalogueRead(Answered[Catalogue]):
    """All classes, with the accuracy of each."""


class SamplesRead(Answered[tuple[SampleList, Sample | None]]):
    """The samples of a query, and everything about the first."""


class SampleRead(Answered[Sample]):
    """Everything about one sample."""


class SuspectsWritten(Answered[tuple[Path, int]]):
    """The file of suspected label errors, and their number."""


SHOWN = (CatalogueRead, SamplesRead, SampleRead)


class BrowserScreen(WorkbenchScreen):
    """Classes, the samples of one, one sample: enter opens, escape goes back."""

    MODE = "browser"
    CSS_PATH = "browser.tcss"
    ABOUT = (
        "Search takes characters, a reading (にち, ニチ, nichi) or its beginning, a JIS code (4544), a code point "
        f"(U+7530), a stroke count (5), kanji or hiragana. {LEGEND}"
    )
    AUTO_FOCUS = "#grid"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right_square_bracket", "layer(1)", "Next", key_display="]", tooltip="The next layer's feature maps"
        ),
        Binding(
            "left_square_bracket",
            "layer(-1)",
            "Previous",
            key_display="[",
            tooltip="The feature maps of the layer before",
        ),
        Binding("M", "choose_layer", "Layers", tooltip="Choose a block, an attention or another layer from a list"),
        Binding(
            "slash",
            "search",
            "Search",
            key_display="/",
            tooltip="Find classes by character, reading, code, strokes",
        ),
        Binding("f", "search", "Filter", show=False, tooltip="As /"),
        Binding("n", "predict", "Predict all", tooltip="Predict all samples with the published model, as a job"),
        Binding("s", "stop", "Stop", tooltip="Stop predicting all samples"),
        Binding("x", "errors", "Errors", tooltip="Only wrong predictions, or all samples"),
        Binding("o", "order", "Sort", tooltip="Sort by confidence, lowest first, or by file"),
        Binding("t", "next_split", "Split", tooltip="All samples, or those of train, validation, test"),
        Binding("r", "confusions", "Confusions", tooltip="The most confused pairs, or the classes"),
        Binding(
            "b",
            "suspects",
            "Suspects",
            tooltip="Suspected label errors: the label disagrees with a confident model",
        ),
        Binding("h", "saliency", "Saliency", tooltip="Show or hide the saliency map over the image"),
        Binding("H", "maps", "Feature maps", tooltip="Show or hide what a layer of the model gave for the sample"),
        Binding("l", "list", "List", tooltip="The classes as a list with codes and counts, or as a grid"),
        Binding("w", "write", "Write", tooltip="Write the suspected label errors to models/suspects.tsv"),
        Binding("escape", "back", "Back", show=False, tooltip="Back to the classes"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._browser = SampleBrowser(OpenedDataset())
        self._catalogue: Catalogue | None = None
        self._signature: tuple[Any, ...] = ()
        self._query = Query()
        self._split, self._order = SPLITS[0], ORDERS[0]
        self._found: SampleList | None = None
        self._sample: Sample | None = None
        self._maps = SampleMaps(self, worker)
        self._problem = ""

    def body(self) -> ComposeResult:
        yield ClassPane(id="left")
        samples = ListTable(*SAMPLE_COLUMNS, id="samples", title="samples", empty="no sample here")
        samples.add_class("pane")
        yield samples
        pane = SamplePane(id="sample-pane")
        pane.add_class("pane")
        yield pane
        yield LineageLine()

    def on_screen_resume(self) -> None:
        self._signature = ()  # another process may have made predictions meanwhile

    def show_state(self) -> None:
        workspace = self.state.workspace
        if workspace is None:
            return
        ended = tuple(view.name for view in self.state.of("evaluate") if view.state == "finished")
        signature = (workspace.dataset_written, workspace.model, ended)
        if signature != self._signature:
            self._signature = signature
            if workspace.dataset is None or workspace.dataset.problem:
                self._catalogue = None
                self._left.show(None)
            else:
                self.worker.ask(self, CatalogueRead, self._browser.catalogue)
        self.query_one(LineageLine).show(published_lineage(workspace, self.state.runs))
        self._show_message()
        self._show_sample()

    def _show_message(self) -> None:
        self.query_one(SamplePane).show_message(self._message())

    def _message(self) -> Line:
        """What to do next, what is being done, or what is wrong; may be empty."""
        workspace, catalogue = self.state.workspace, self._catalogue
        running = next(iter(self.state.active("evaluate")), None)
        last = self.state.newest("evaluate")
        if self._problem:
            return Styled(self._problem, "bad")
        if workspace is None or workspace.dataset is None:
            return dataset_missing(self.state)
        if running is not None:
            return Styled("predicting all samples ...", "primary")
        if last is not None and last.state == "failed" and last.failure:
            return Styled(last.failure.message, "bad"), f"  {last.failure.remedy}"
        if workspace.model is None:
            return model_missing(self.state)
        if catalogue is not None and not catalogue.predicted:
            return next_step("press n to predict all samples")
        if self._sample is not None and (awaited := self._maps.awaited(self._sample.number)):
            return Styled(awaited, "primary")
        if catalogue is not None and catalogue.unknown:
            return Styled(unknown_classes(catalogue), "warning")
        on_train = catalogue is not None and catalogue.predicted in ("all", "train")
        if self._query.suspects and on_train and self._query.split in ("", "train"):
            return quiet("The model was trained on these labels, so errors may be hidden. Press t for val or test.")
        if catalogue is not None and catalogue.predicted != "all":
            return quiet(f"Only the {catalogue.predicted} split is predicted. Press n for all samples.")
        return ""

    def on_catalogue_read(self, message: CatalogueRead) -> None:
        if message.value is self._catalogue and not self._problem:
            return
        self._problem = ""
        if message.value is not self._catalogue:
            self._catalogue = message.value
            self._maps.forget()  # they are of another model
            self._left.show(self._catalogue)
            self._ask_samples()
        self.refresh_state()

    def on_samples_read(self, message: SamplesRead) -> None:
        self._problem = ""
        self._show_samples(*message.value)

    def on_sample_read(self, message: SampleRead) -> None:
        self._problem = ""
        self._select_sample(message.value)

    def on_saliency_computed(self, message: SaliencyComputed) -> None:
        self._maps.add_saliency(message.value)
        self._show_maps()

    def on_feature_maps_computed(self, message: FeatureMapsComputed) -> None:
        self._maps.add_features(message.value)
        self._show_maps()

    def on_suspects_written(self, message: SuspectsWritten) -> None:
        path, count = message.value
        self.notify(f"{numbers.count(count)} suspected label errors: {path}", timeout=6, markup=False)

    def shows_failure(self, message: QuestionFailed) -> bool:
        own = message.question in SHOWN
        if own:
            self._problem = message.error.message
        self._maps.fail(message.question)
        self._show_maps()
        self.refresh_state()
        return own

    @property
    def _left(self) -> ClassPane:
        return self.query_one(ClassPane)

    def on_class_pane_selected(self, message: ClassPane.Selected) -> None:
        if message.opened:
            self._enter(self._filtered(message.query))
        elif not self.has_class("-inside"):
            self._list(self._filtered(message.query))

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        number = int(message.row.key)
        self.worker.ask(self, SampleRead, lambda: self._browser.sample(number))

    def _filtered(self, query: Query) -> Query:
        """The query with the chosen split and order; a pair is always in order of confidence."""
        return replace(query, split=self._split, order=self._order if query.predicted is None else query.order)

    def _enter(self, query: Query) -> None:
        self.add_class("-inside")
        self._list(query)
        self.query_one("#samples", ListTable).focus()

    def _return(self) -> None:
        """Leave the list of samples; show the samples of the class or pair under the cursor."""
        self.remove_class("-inside")
        self._left.chooser.focus()
        if self._left.chosen is not None:
            self._list(self._filtered(self._left.chosen))

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
            self.worker.ask(self, SamplesRead, lambda: self._browser.samples_and_first(query))

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
        self._ask_maps()
        self._show_message()
        if sample is None:
            self.query_one(SamplePane).show_none()
        self._show_sample()

    def _show_sample(self) -> None:
        sample = self._sample
        if sample is None:
            return
        layers = self._maps.features.of(sample.number)
        maps = self._maps.layer.maps(layers) if layers else None
        workspace = self.state.workspace
        otherwise = "not predicted yet" if workspace and workspace.model else "not predicted yet: there is no model"
        saliency = self._maps.saliency.of(sample.number)
        self.query_one(SamplePane).show(sample, saliency, maps, otherwise, self.has_class("-low"))

    def _show_maps(self) -> None:
        """Show what there is, and ask for what is missing; the cursor may be on another sample now."""
        self.set_class(self._maps.features.shown, "-maps")
        self._ask_maps()
        self._show_message()
        self._show_sample()
        self.refresh_bindings()

    def _ask_maps(self) -> None:
        if self._sample is not None:
            self._maps.want(self._sample.number, self._found, self.query_one("#samples", ListTable).cursor)

    # keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        catalogue, workspace = self._catalogue, self.state.workspace
        if action in ("errors", "order", "confusions", "suspects"):
            return bool(catalogue and catalogue.predicted)
        if action == "write":
            return bool(catalogue and catalogue.predicted and self._query.suspects)
        if action == "next_split":
            return bool(catalogue and catalogue.split_known)
        if action in ("saliency", "maps"):
            return bool(self._sample and workspace and workspace.model)
        if action == "stop":
            return bool(self.state.active("evaluate"))
        if action in ("layer", "choose_layer"):
            return self._maps.features.shown and bool(self._maps.layer.layers)
        if action == "predict":
            missing = catalogue is not None and catalogue.predicted != "all"
            return bool(missing and workspace and workspace.model and not self.state.active("evaluate"))
        return True

    def action_search(self) -> None:
        if self._left.view == PAIRS:
            self._left.switch(GRID)
        self._return()
        self._left.open_search()

    def action_back(self) -> None:
        """Leave the samples, then the pairs, then the search."""
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
        """Inside a class its errors; from the classes the errors of all."""
        query = self._query
        if self.has_class("-inside") and not query.suspects:
            self._enter(replace(query, errors=not query.errors))
        else:
            self._enter(Query(errors=True, split=self._split, order="confidence"))

    def action_suspects(self) -> None:
        self._enter(Query(suspects=True, split=self._split))

    def action_order(self) -> None:
        self._order = ORDERS[(ORDERS.index(self._query.order) + 1) % len(ORDERS)]
        self._list(replace(self._query, order=self._order))

    def action_next_split(self) -> None:
        self._split = SPLITS[(SPLITS.index(self._split) + 1) % len(SPLITS)]
        self._list(replace(self._query, split=self._split))

    def action_saliency(self) -> None:
        self._toggle(self._maps.saliency)

    def action_maps(self) -> None:
        self._toggle(self._maps.features)

    def _toggle(self, maps: ComputedAhead[Any]) -> None:
        if maps.shown:
            maps.hide()
        else:
            maps.shown = True
        self._show_maps()

    def action_layer(self, step: int) -> None:
        self._maps.layer.step(step)
        self._show_sample()

    def action_choose_layer(self) -> None:
        def chosen(name: str | None) -> None:
            if name is not None:
                self._maps.layer.choose(name)
                self._show_sample()

        self.app.push_screen(LayerScreen(self._maps.layer), chosen)

    def action_write(self) -> None:
        self.worker.ask(self, SuspectsWritten, self._browser.write_suspects)

    def action_predict(self) -> None:
        self.worker.start_job(self, "evaluate", evaluate.Spec(DEFAULT_MODEL, DATA_DIR, "all"))

    def action_stop(self) -> None:
        for view in self.state.active("evaluate")[:1]:
            self.stop_run(view)
