"""Screen 4: what ONNX files contain, and which engines run them."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from kanji_tui.inspection.given_inputs import SYNTAX, InputShape, input_shapes
from kanji_tui.inspection.results import FailedModel, Inspected, InspectedModel
from kanji_tui.jobs import compare, inspect
from kanji_tui.paths import DATA_DIR
from kanji_tui.presentation.document import Column, Line, Row, Styled, Table, quiet
from kanji_tui.presentation.export import JOBS, RESULTS, ended_table
from kanji_tui.presentation.inspection import (
    ENGINE_COLUMNS,
    MODEL_COLUMNS,
    NODE_COLUMNS,
    NODES_SHOWN,
    OPERATOR_COLUMNS,
    engine_table,
    input_lines,
    layer_table,
    model_key_values,
    node_table,
    operator_table,
    row_text,
    unsupported_by,
)
from kanji_tui.presentation.lineage import file_origin
from kanji_tui.presentation.marks import next_step
from kanji_tui.presentation.status import model_missing, state_of
from kanji_tui.runs import question
from kanji_tui.system import numbers
from kanji_tui.tui.export.form import ask_export, ask_pooling, models_of
from kanji_tui.tui.export.serving import toggle_serving
from kanji_tui.tui.inspector.results import ResultsScreen
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.form import Field, FormScreen, existing_file, optional_file
from kanji_tui.tui.shell.messages import Answered, QuestionFailed
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.widgets.content import lines_content
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.line_input import LineInput
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.workspace.snapshot import WorkspaceSnapshot
from kanji_tui.workspace.state import State

FEWEST, MOST = 2, 4  # files side by side
ARRAYS_HELP = "An .npz file with the inputs as arrays by name; tab completes its path."
NO_NODES = Table(NODE_COLUMNS, ())
Version = tuple[Path, float, int]  # a file, the time it was written, its bytes


class ModelInspected(Answered[Inspected]):
    """The inspection of a file; the key is its path."""


class InspectorScreen(WorkbenchScreen):
    """Shows the file under the cursor of the list after its inspection."""

    MODE = "inspector"
    CSS_PATH = "inspector.tcss"
    ABOUT = "Every node of an ONNX file is run in the engines; their messages explain why a node is unsupported."
    AUTO_FOCUS = "#models"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "open", "New", tooltip="Inspect any other ONNX file by its path, or give inputs to run it on"),
        Binding("i", "inspect", "Inspect", tooltip="Run the highlighted file in the engines (enter does it too)"),
        Binding("m", "mark", "Mark", tooltip="Mark the file for a comparison; the first is the reference"),
        Binding("space", "mark", "Mark", show=False, tooltip="As m"),
        Binding("c", "compare", "Compare", tooltip="Compare the two to four marked files"),
        Binding("e", "export", "Export", tooltip="Export a model: ONNX, SafeTensors, mapping, web page"),
        Binding("W", "serve", "Serve", show=False, tooltip="Start or stop the web page and its service"),
        Binding("slash", "filter", "Filter", key_display="/", tooltip="Show only nodes that contain these words"),
        Binding(
            "f", "filter", "Filter", show=False, tooltip="As /: operators, modules, shapes, attributes, engines"
        ),
        Binding("l", "layers", "Layers", tooltip="The file's size by layer"),
        Binding("r", "results", "Results", tooltip="The results of comparisons, exports and pooling tables"),
        Binding("V", "pooling", "Pooling", tooltip="Measure a model's size, accuracy and speed by pooling type"),
        Binding("s", "stop", "Stop", tooltip="Stop the running comparison, export or pooling table"),
        Binding("escape", "unfilter", "Unfilter", show=False, tooltip="Show all nodes"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._opened: list[Path] = []
        self._inputs: dict[Path, tuple[tuple[InputShape, ...], Path | None]] = {}  # given with the path of a file
        self._marked: list[Path] = []
        self._inspected: dict[Version, InspectedModel] = {}
        self._inspecting: Path | None = None
        self._problems: dict[Path, tuple[str, str]] = {}
        self._since = time.time()  # runs that ended before are not announced
        self._seen: set[str] = set()  # runs whose results were opened
        self._node_table = NO_NODES
        self._nodes_shown: tuple[int, list[str]] | None = None

    def body(self) -> ComposeResult:
        with Vertical(id="left"):
            models = ListTable(
                Column("", 1),
                *MODEL_COLUMNS,
                id="models",
                title="ONNX files",
                empty="none yet: press e to export",
            )
            models.add_class("pane")
            yield models
            operators = ListTable(*OPERATOR_COLUMNS, id="operators", title="operators", empty="")
            operators.add_class("pane")
            yield operators
        with Vertical(id="right"):
            yield KeyValues(id="message")
            yield KeyValues(id="model-details", name_width=11)
            engines = ListTable(*ENGINE_COLUMNS, id="engines", title="engines", empty="")
            engines.add_class("pane")
            yield engines
            yield LineInput(placeholder="operator, module, shape, attribute, engine", id="filter")
            nodes = ListTable(*NODE_COLUMNS[:NODES_SHOWN], id="nodes", title="nodes", empty="")
            nodes.add_class("pane")
            yield nodes
            yield KeyValues(id="details")

    def on_mount(self) -> None:
        self.query_one("#filter", LineInput).display = False

    @property
    def chosen(self) -> Path | None:
        """The file under the cursor."""
        row = self.query_one("#models", ListTable).current
        return Path(row.key) if row else None

    @property
    def model(self) -> InspectedModel | None:
        """The inspection of the file under the cursor, if there is one."""
        return self._inspected.get(_version(self.chosen)) if self.chosen else None

    def show_state(self) -> None:
        workspace = self.state.workspace or WorkspaceSnapshot()
        paths = list(dict.fromkeys([*workspace.onnx, *self._opened]))
        self._marked = [path for path in self._marked if path in paths]
        done = {path for path, _, _ in self._inspected}
        rows = []
        for path in paths:
            name = _short(path) if path in done else quiet(_short(path))
            mark = Styled(str(self._marked.index(path) + 1), "accent strong") if path in self._marked else ""
            rows.append(Row(str(path), (mark, name, numbers.size(_version(path)[2]))))
        waiting = "none yet: press e to export" if workspace.model else "none yet, and no model: press 3"
        self.query_one("#models", ListTable).show(rows, empty=waiting)
        self._show_model()

    def _show_model(self) -> None:
        model = self.model
        self.query_one("#message", KeyValues).show_line(self._message(model))
        origin = file_origin(model, self.state.workspace, self.state.runs) if model else ()
        pairs = (*model_key_values(model).pairs, *origin) if model else ()
        self.query_one("#model-details", KeyValues).show(pairs)
        self.query_one("#operators", ListTable).show(operator_table(model).rows if model else ())
        self.query_one("#engines", ListTable).show(engine_table(model).rows if model else ())
        self._show_nodes()

    def _message(self, model: InspectedModel | None) -> Line:
        """What is being done, what ended, or what to do next."""
        running = next(iter(self.state.active(*JOBS)), None)
        if running is not None:
            return Styled(f"{running.title} is running: press s to stop it", "primary")
        if self._inspecting is not None:
            return Styled(f"inspecting {self._inspecting.name} ...", "primary")
        if self.chosen in self._problems:
            message, remedy = self._problems[self.chosen]
            return Styled(message, "bad"), f"  {remedy}"
        last = self.state.newest(*RESULTS)
        if last is not None and last.last_event_at > self._since and last.name not in self._seen:
            style = "good" if last.state == "finished" else "bad strong"
            return (Styled(f"{last.title} ", style), state_of(last), "  press r for the result")
        if self._marked:
            how = "press c to compare them" if len(self._marked) >= FEWEST else "press m to mark another"
            most = f", {MOST} at most" if len(self._marked) == MOST else ""
            return next_step(f"{len(self._marked)} marked{most}: {how}")
        if self.chosen is None:
            return next_step("press e to export a model") if models_of(self.state) else model_missing(self.state)
        if model is None:
            return next_step("press enter to inspect the file")
        if input_lines(model):
            return next_step("no made-up input fits: press n to give inputs")
        return Styled(str(self.chosen), "strong")

    def _show_nodes(self) -> None:
        model = self.model
        words = self.query_one("#filter", LineInput).value.lower().split()
        if self._nodes_shown == (id(model), words):
            return
        if self._nodes_shown is None or self._nodes_shown[0] != id(model):
            self._node_table = node_table(model) if model else NO_NODES
        self._nodes_shown = (id(model), words) if model else None
        every = self._node_table.rows
        rows = [row for row in every if all(word in row_text(row) for word in words)] if words else every
        nodes = self.query_one("#nodes", ListTable)
        nodes.set_title("nodes", f"{len(rows)} of {len(every)}" if words else str(len(every) or ""))
        nodes.show(rows, empty="no node contains these words" if every else "")
        self._show_details(nodes.current)

    def _show_details(self, row: Row | None) -> None:
        self.query_one("#details", KeyValues).show_line(lines_content(row.details if row else ()))

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        if message.table.id == "models":
            self._show_model()
        elif message.table.id == "nodes" or (message.table.id == "engines" and message.table.has_focus):
            self._show_details(message.row)

    def on_list_table_chosen(self, message: ListTable.Chosen) -> None:
        if message.table.id == "models":
            self.action_inspect()
        elif message.table.id == "engines":
            self.action_filter()
            self.query_one("#filter", LineInput).value = unsupported_by(message.row.key)

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show_nodes()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one("#nodes", ListTable).focus()

    def on_model_inspected(self, message: ModelInspected) -> None:
        path = Path(message.key)
        self._inspecting = None
        (model,) = message.value.models
        if isinstance(model, FailedModel):
            self._problems[path] = (model.error.message, model.error.remedy)
        else:
            self._problems.pop(path, None)
            self._inspected[_version(path)] = model
        self.show_state()

    def shows_failure(self, message: QuestionFailed) -> bool:
        if message.question is not ModelInspected:
            return False
        self._inspecting = None
        self._problems[Path(message.key)] = (message.error.message, message.error.remedy)
        self.show_state()
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted:
            return True
        if action in ("inspect", "mark"):
            return self.chosen is not None
        if action in ("filter", "unfilter", "layers"):
            return self.model is not None
        if action == "compare":
            return len(self._marked) >= FEWEST and not self._measuring
        if action in ("export", "pooling"):
            return bool(models_of(self.state)) and not self._measuring
        if action == "results":
            return any(not view.active for view in self.state.of(*RESULTS))
        if action == "stop":
            return self._measuring
        return True

    @property
    def _measuring(self) -> bool:
        """Whether one of JOBS is running: two at once would disturb each other's timings."""
        return bool(self.state.active(*JOBS))

    def action_inspect(self) -> None:
        path = self.chosen
        if path is not None and self.model is not None:
            self.query_one("#nodes", ListTable).focus()
        elif path is not None:
            self._inspecting = path
            self.worker.ask_child(
                self,
                ModelInspected,
                lambda: question.ask("inspect", inspect.Spec((path,), *self._inputs.get(path, ()))),
                partial(question.read_answer, "inspect"),
                str(path),
            )
            self._show_model()

    def action_mark(self) -> None:
        path = self.chosen
        if path is None:
            return
        if path in self._marked:
            self._marked.remove(path)
        elif len(self._marked) < MOST:
            self._marked.append(path)
        self.refresh_state()

    def action_compare(self) -> None:
        given = self._inputs.get(next(iter(self._marked)), ())  # for the first, whose inputs all get
        self.worker.start_job(self, "compare", compare.Spec(tuple(self._marked), DATA_DIR, *given))

    def action_results(self) -> None:
        views = [view for view in self.state.of(*RESULTS) if not view.active]
        self._seen.update(view.name for view in views)
        self.app.push_screen(ResultsScreen([ended_table(view) for view in views]))

    def action_layers(self) -> None:
        if self.model is not None:
            table = layer_table(self.model)
            title = f"{table.title}  {Path(self.model.path).name}"
            self.app.push_screen(ResultsScreen([replace(table, title=title)]))

    def action_stop(self) -> None:
        for view in self.state.active(*JOBS)[:1]:
            self.stop_run(view)

    def action_open(self) -> None:
        asked = str(self.chosen) if self.model is not None and input_lines(self.model) else ""

        def opened(values: dict[str, Any] | None) -> None:
            if values is not None:
                path = values["path"]
                self._opened.append(path)
                self._inputs[path] = values["shapes"], values["arrays"]
                self._inspected.pop(_version(path), None)
                self.show_state()
                models = self.query_one("#models", ListTable)
                models.select(str(path))
                models.focus()
                self.action_inspect()

        self.app.push_screen(open_form(asked), opened)

    def action_export(self) -> None:
        ask_export(self, models_of(self.state), DATA_DIR)

    def action_serve(self) -> None:
        toggle_serving(self)

    def action_pooling(self) -> None:
        ask_pooling(self, models_of(self.state), DATA_DIR)

    def action_filter(self) -> None:
        field = self.query_one("#filter", LineInput)
        field.display = True
        field.focus()

    def action_unfilter(self) -> None:
        field = self.query_one("#filter", LineInput)
        field.value = ""
        field.display = False
        self.query_one("#nodes", ListTable).focus()


def _short(path: Path) -> str:
    """The file's name; for an export in a run's directory, with the run before it."""
    return f"{path.parent.name}/{path.stem}" if path.parent.parent.name == "runs" else path.stem


def open_form(path: str) -> FormScreen:
    """The path of a file, at first this one, and inputs to run it on."""
    fields = (
        Field("path", "file", path, "The path of an ONNX file; tab completes it.", existing_file, path=(".onnx",)),
        Field(
            "shapes",
            "inputs",
            "",
            f"Shapes of the inputs, for made-up values: {SYNTAX}. Empty: guessed.",
            input_shapes,
        ),
        Field("arrays", "or arrays", "", ARRAYS_HELP, optional_file, path=(".npz",)),
    )
    return FormScreen("Inspect a file", "", fields, "Inspect")


def _version(path: Path) -> Version:
    """What distinguishes one version of a file from the next."""
    try:
        found = path.stat()
    except OSError:
        return path, 0.0, 0
    return path, found.st_mtime, found.st_size
