"""Screen 6: draw a character, and the model recognises it at once."""

import time
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Input

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.errors import KanjiError
from kanji_tui.presentation.document import Line, Styled, join, quiet
from kanji_tui.presentation.recognition import (
    CANDIDATE_COLUMNS,
    candidate_table,
    recogniser_key_values,
    shown_readings,
)
from kanji_tui.presentation.status import model_missing
from kanji_tui.recognition.drawing.client import RecogniserClient
from kanji_tui.recognition.drawing.results import Failed, Note, ReadyModel, Recognition, Reply, SavedDrawing
from kanji_tui.recognition.results import Candidate
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.messages import Answered
from kanji_tui.tui.shell.worker import Worker
from kanji_tui.tui.widgets.drawing_pad import DrawingPad
from kanji_tui.tui.widgets.image_view import ImageView
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.line_input import LineInput
from kanji_tui.tui.widgets.lineage_line import LineageLine
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.workspace.lineage import drawing_lineage
from kanji_tui.workspace.state import State

BESIDE = 36  # columns for candidates and model
BESIDE_BAR = 27  # columns of a candidate besides its bar
BESIDE_READINGS = 16  # columns of the list's title besides the readings in it
TITLE = "candidates"
NOTHING, POINT, READING = "nothing drawn yet", "a single point: nothing to read", "recognising ..."
OPENING = "opening the model ..."


class RecogniserReplied(Answered[Reply]):
    """A reply or a notice of the recogniser process."""


class LabelRead(Answered[int | None]):
    """The JIS code of a typed label, None if there is no such character; the key is the label."""


class DrawScreen(WorkbenchScreen):
    """The drawing pad on the left; on the right the candidates and the model input."""

    MODE = "draw"
    CSS_PATH = "draw.tcss"
    ABOUT = (
        "Drag with the mouse. Or move with the arrows (home, end, pgup, pgdn: diagonally; shift: four steps) and "
        "put the pen down and up with space. Saved drawings are in samples/. To make a dataset of them: "
        "kanji-tui prepare --etl-dir samples --format images"
    )
    AUTO_FOCUS = "#pad"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "undo", "Undo", tooltip="Remove the last stroke, or bring a cleared drawing back"),
        Binding("Z", "redo", "Redo", tooltip="Restore what was undone"),
        Binding("d", "clear", "Delete", tooltip="Remove all strokes; undo brings them back"),
        Binding("w", "save", "Write", tooltip="Save the drawing as a sample (enter in the list does it too)"),
        Binding("escape", "back", "Back", show=False, tooltip="Back to the drawing"),
    ]

    def __init__(self, state: State, worker: Worker) -> None:
        super().__init__(state, worker)
        self._recogniser = RecogniserClient(lambda reply: self.post_message(RecogniserReplied(reply)))
        self._signature: tuple[Any, ...] | None = None
        self._model: ReadyModel | None = None
        self._note = OPENING
        self._problem: KanjiError | None = None
        self._candidates: tuple[Candidate, ...] = ()
        self._asked = 0.0
        self._seconds: float | None = None
        self._last_saved = ""
        self._asking = self._saving = False  # for the label; waiting until the drawing is saved

    def body(self) -> ComposeResult:
        yield DrawingPad(BESIDE, id="pad")
        with Vertical(id="side"):
            yield KeyValues(id="message")
            yield LineInput(id="label")
            yield KeyValues(id="meaning")
            candidates = ListTable(*CANDIDATE_COLUMNS, id="candidates", title=TITLE)
            candidates.add_class("pane")
            yield candidates
            with Container(id="model-input", classes="pane") as pane:
                pane.border_title = "model input"
                yield ImageView(id="image")
                yield KeyValues(id="model-details", name_width=9)
        yield LineageLine()

    def on_mount(self) -> None:
        self._show_label(saving=False)
        self._recogniser.start()

    def on_unmount(self) -> None:
        self._recogniser.close()

    def show_state(self) -> None:
        workspace = self.state.workspace
        if workspace is not None:
            model = workspace.model
            signature = (model.run, model.written) if model else workspace.onnx[:1]
            if signature != self._signature:
                self._signature, self._note = signature, OPENING
                self._recogniser.find_model()
        self._show_message()
        self._show_candidates()
        self._show_details()

    # the drawing pad

    @property
    def _pad(self) -> DrawingPad:
        return self.query_one(DrawingPad)

    def on_drawing_pad_drawn(self, message: DrawingPad.Drawn) -> None:
        if not message.pad.pen_down:
            if self._readable:
                self._ask()
            else:
                self._show_nothing()
        self._show_message()
        self.refresh_bindings()

    @property
    def _readable(self) -> bool:
        return bool(self._pad.strokes) and not self._pad.holds_dot

    def _ask(self) -> None:
        self._asked = time.monotonic()
        self._recogniser.recognise(self._pad.strokes)
        if not self._candidates:
            self._show_candidates()

    def _show_nothing(self) -> None:
        self._candidates, self._seconds = (), None
        self.query_one(ImageView).show(b"", 0)
        self._show_candidates()
        self._show_details()

    # replies of the recogniser

    def on_recogniser_replied(self, message: RecogniserReplied) -> None:
        match message.value:
            case Note(text):
                self._note = text
                self._show_details()
            case ReadyModel() as model:
                self._show_model(model)
            case Recognition() as recognition if self._readable:
                self._show_recognition(recognition)
            case SavedDrawing() as saved:
                self._show_saved(saved)
            case Failed(request, error) if request == "save":
                self._show_unsaved(error)
            case Failed(_, error):
                self._note, self._problem = "", error
                self._show_candidates()
                self._show_details()
        self._show_message()

    def _show_model(self, model: ReadyModel) -> None:
        self._model, self._note = model, ""
        self._problem = KanjiError(model.problem, model.remedy) if model.problem else None
        if self._readable and not self._pad.pen_down:
            self._ask()
        self._show_candidates()
        self._show_details()

    def _show_recognition(self, recognition: Recognition) -> None:
        self._seconds = time.monotonic() - self._asked
        self._candidates = recognition.candidates
        self.query_one(ImageView).show(recognition.image, recognition.size)
        self._show_candidates(keep=False)
        self._show_details()
        if self._asking and not self._label:
            self._show_wanted()

    def _show_saved(self, saved: SavedDrawing) -> None:
        path = Path(saved.path)
        self._saving = False
        self._last_saved = f"{path.parent.name} x {saved.count}"
        self.notify(str(path), title="saved", timeout=4, markup=False)
        self._show_details()
        self.action_back()

    def _show_unsaved(self, error: KanjiError) -> None:
        """Show why the drawing was not saved: below the label if that is still asked for."""
        self._saving = False
        if self._asking:
            self.query_one("#meaning", KeyValues).show_line(Styled(error.message, "bad"))
        else:
            self.show_error(error.message, error.remedy)

    def on_label_read(self, message: LabelRead) -> None:
        if message.key == self._label:
            self._show_meaning(message.value)

    # showing

    def _show_message(self) -> None:
        self.set_class(self._problem is not None, "-problem")
        self.query_one("#message", KeyValues).show_line(self._message())

    def _message(self) -> Line:
        """What to do next, or what is wrong."""
        workspace, pad = self.state.workspace, self._pad
        if pad.by_keys:
            return Styled("pen down: ", "accent strong"), "press space to lift it"
        if self._problem and workspace is not None and workspace.model is None and not workspace.onnx:
            return join("\n", [model_missing(self.state), quiet("drawings can be saved without one")])
        if self._problem:
            return Styled(self._problem.message, "bad"), f"  {self._problem.remedy}"
        if not pad.strokes:
            return quiet("draw with the mouse, or with arrows"), "\n", quiet("and space (pen down, pen up)")
        return quiet("press w to save it as a sample,"), "\n", quiet("or tab and enter on a candidate")

    def _show_candidates(self, keep: bool = True) -> None:
        rows = self.query_one("#candidates", ListTable)
        width = max(1, rows.scrollable_content_region.width - BESIDE_BAR)
        found = candidate_table(self._candidates, width).rows
        empty = POINT if self._pad.holds_dot else READING if self._pad.strokes else NOTHING
        rows.show(found, empty="" if self._problem else empty, keep=keep)
        self._show_readings()

    def _show_readings(self) -> None:
        """The readings of the candidate under the cursor, in the title of the list."""
        rows = self.query_one("#candidates", ListTable)
        candidate = next((each for each in self._candidates if rows.current and each.jis == rows.current.key), None)
        room = rows.size.width - BESIDE_READINGS
        readings = shown_readings(candidate.readings, room - 3) if candidate else ""
        rows.set_title(TITLE, f"{candidate.character} {readings}" if candidate and readings else "")

    def _show_details(self) -> None:
        seconds = self._seconds if self._candidates else None
        details = recogniser_key_values(self._model, seconds, self._last_saved)
        note = (("", quiet(self._note)),) if self._note else ()
        self.query_one("#model-details", KeyValues).show((*note, *details.pairs))
        if self.state.workspace is not None:
            lineage = drawing_lineage(self.state.workspace, self._model, self.state.runs)
            self.query_one(LineageLine).show(lineage)

    # saving

    def action_undo(self) -> None:
        self._pad.undo()

    def action_redo(self) -> None:
        self._pad.redo()

    def action_clear(self) -> None:
        self._pad.clear()

    def action_save(self) -> None:
        """Ask for the label: typed, or the number of a candidate."""
        if not self._pad.strokes:
            self.notify(f"{NOTHING}: draw with the mouse, or with arrows and space", timeout=4)
            return
        field = self.query_one("#label", LineInput)
        field.value = ""
        self._show_label(saving=True)
        self.set_focus(field)  # at once: the next keys are the label
        self._show_wanted()

    def _show_wanted(self) -> None:
        """Say what can be typed, and what enter alone would save."""
        first = f"; enter: {self._candidates[0].character}" if self._candidates else ""
        self.query_one("#label", LineInput).placeholder = f"1-10, 田, 4544, U+7530{first}"
        self._show_meaning(self._jis_of(""))

    def action_back(self) -> None:
        self._show_label(saving=False)
        self.set_focus(self._pad)

    def _show_label(self, saving: bool) -> None:
        """Show the label's two lines instead of the message, or the message again."""
        self._asking = saving
        self.query_one("#label").display = self.query_one("#meaning").display = saving
        self.query_one("#message").display = not saving

    def on_input_changed(self, event: Input.Changed) -> None:
        text = self._label
        jis = self._jis_of(text)
        if jis is not None or not text:
            self._show_meaning(jis)
        else:
            self.worker.ask(self, LabelRead, lambda: code_of(text), text)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text = self._label
        jis = self._jis_of(text)
        if text or jis is not None:
            self._save(name_jis(jis) if jis is not None else text)
        else:
            self._show_meaning(None)

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        self._show_readings()

    def on_list_table_chosen(self, message: ListTable.Chosen) -> None:
        self._save(message.row.key)

    def _save(self, label: str) -> None:
        """Save the drawing; the field for the label stays open until that is done."""
        if self._pad.strokes and not self._saving:
            self._saving = True
            self._recogniser.save(self._pad.strokes, label)

    @property
    def _label(self) -> str:
        return self.query_one("#label", LineInput).value.strip()

    def _jis_of(self, text: str) -> int | None:
        """The candidate with this number; without a text the first one."""
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 0 if text else 1
        return int(self._candidates[number - 1].jis, 16) if 0 < number <= len(self._candidates) else None

    def _show_meaning(self, jis: int | None) -> None:
        wanted = "a character, its JIS code or code point"
        meaning: Line = Styled(f"no such character: type {wanted}", "warning") if self._label else quiet(wanted)
        if jis is not None:
            character = character_of(jis)
            meaning = (Styled(character, "good strong"), f" {name_jis(jis)}  -> samples/{character}/")
        self.query_one("#meaning", KeyValues).show_line(meaning)


def code_of(text: str) -> int | None:
    """The JIS code of a typed label, or None."""
    from kanji_tui.data.folder_names import parse_class

    return parse_class(text, "jis")
