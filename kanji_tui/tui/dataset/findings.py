"""What verification found in a dataset, one view at a time: samples, checks, mean image, classes, outliers."""

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.reactive import reactive

from kanji_tui.characters.jis import jis_to_character
from kanji_tui.data.results import Verification
from kanji_tui.presentation.data import (
    CLASS_COLUMNS,
    OUTLIER_COLUMNS,
    OUTLIERS_LISTED,
    SET_COLUMNS,
    class_count_table,
    incomplete_table,
    mean_image_details,
    outlier_table,
)
from kanji_tui.presentation.document import join
from kanji_tui.presentation.preflight import CHECK_COLUMNS, brief_check_table
from kanji_tui.tui.widgets.heat_map import HeatMap
from kanji_tui.tui.widgets.key_values import KeyValues
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.pane_title import set_pane_title
from kanji_tui.tui.widgets.thumbnails import Thumbnails
from kanji_tui.workspace.opened_dataset import Overview
from kanji_tui.workspace.thumbnails import Thumbnail

VIEWS = ("samples", "checks", "ink", "classes", "outliers")


class Findings(Vertical):
    """Filled with show(); `view` is the visible view, `of_class` the class of the outliers ("": all classes)."""

    view: reactive[str] = reactive("samples")
    of_class: reactive[str] = reactive("")

    class OutlierSelected(Message):
        """The cursor is on another outlier; answer with show_thumbnails()."""

        def __init__(self, sample: int) -> None:
            super().__init__()
            self.sample = sample

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._overview: Overview | None = None
        self._result: Verification | None = None
        self._outliers: Verification | None = None
        self._selected = -1  # the outlier whose images were asked for

    def compose(self) -> ComposeResult:
        with Vertical(id="samples-pane", classes="pane samples") as pane:
            pane.border_title = "samples"
            yield Thumbnails(id="thumbnails")
        with Horizontal(id="found"):
            with Vertical(id="checks-pane", classes="pane checks") as pane:
                pane.border_title = "checks"
                yield ListTable(*CHECK_COLUMNS, id="checks")
                yield KeyValues(id="check")
            with Horizontal(id="ink-pane", classes="pane ink") as pane:
                pane.border_title = "mean image"
                yield HeatMap(id="map")
                with VerticalScroll(can_focus=False):
                    yield KeyValues(id="ink")
            with Vertical(id="classes-pane", classes="pane classes") as pane:
                pane.border_title = "classes"
                yield ListTable(*CLASS_COLUMNS, id="classes")
            with Vertical(id="sets-pane", classes="pane classes") as pane:
                pane.border_title = "writers with missing classes"
                yield ListTable(*SET_COLUMNS, id="sets")
            with Horizontal(id="outliers-pane", classes="pane outliers") as pane:
                pane.border_title = "outliers"
                yield ListTable(*OUTLIER_COLUMNS, id="outliers")
                yield Thumbnails(id="compared")

    def show(self, overview: Overview | None, verified: Verification | None, outliers: Verification | None) -> None:
        """Show the dataset, its newest verification, and the newest verification that searched for outliers."""
        if overview is not self._overview:
            self._overview = overview
            self.query_one("#thumbnails", Thumbnails).show(overview.thumbnails if overview else ())
            self.query_one("#classes", ListTable).show(class_count_table(overview).rows if overview else [])
        if verified != self._result:
            self._result = verified
            self._show_result()
            self._focus_list()
        if outliers != self._outliers:
            self._outliers = outliers
            self._selected = -1
            self._show_outliers()
            self._focus_list()
        hint = "press v to verify" if overview else "no dataset yet"
        checks, sets = self.query_one("#checks", ListTable), self.query_one("#sets", ListTable)
        self.query_one("#ink", KeyValues).show_line(join("\n", mean_image_details(self._result)))
        checks.show(checks.rows, hint)
        sets.show(sets.rows, "none" if self._result else hint)

    def _show_result(self) -> None:
        result = self._result
        rows = brief_check_table(result.checks if result else ()).rows
        bad = [check.name for check in (result.checks if result else ()) if check.verdict != "ok"]
        note = f"{len(bad)} of {len(rows)} not ok" if bad else f"{len(rows)}, all ok" if rows else ""
        set_pane_title(self.query_one("#checks-pane"), "checks", note)
        checks = self.query_one("#checks", ListTable)
        checks.show(rows)
        if bad:
            self.call_after_refresh(checks.select, bad[0])  # when the list knows how far it scrolls
        self._show_check()
        self.query_one("#sets", ListTable).show(incomplete_table(result.incomplete_sets if result else ()).rows)
        sheet = result.contact_sheet if result else ""
        set_pane_title(
            self.query_one("#samples-pane"), "samples", f"contact sheet: {Path(sheet).name}" if sheet else ""
        )
        self.query_one("#map", HeatMap).show(result.heat_map if result else ())

    def _show_check(self) -> None:
        row = self.query_one("#checks", ListTable).current
        self.query_one("#check", KeyValues).show_line(join("\n", row.details) if row else "")

    def _show_outliers(self) -> None:
        rows = outlier_table(self._outliers.unusual if self._outliers else (), self.of_class).rows
        of_class = f" of {jis_to_character(int(self.of_class, 16))}" if self.of_class else ""
        note = "verify --unusual --json lists all" if len(rows) == OUTLIERS_LISTED else ""
        set_pane_title(self.query_one("#outliers-pane"), f"outliers{of_class}", note)
        self.query_one("#outliers", ListTable).show(rows, "press b to find outliers", keep=False)
        self._ask_thumbnails()

    def show_thumbnails(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        """Show the images of an outlier and of others of its class."""
        self.query_one("#compared", Thumbnails).show(thumbnails)

    def _ask_thumbnails(self) -> None:
        """Ask once for the images of the outlier under the cursor."""
        row = self.query_one("#outliers", ListTable).current
        selected = int(row.key) if row else -1
        if self.view == "outliers" and selected != self._selected:
            self._selected = selected
            if row:
                self.post_message(self.OutlierSelected(selected))
            else:
                self.show_thumbnails(())

    def on_list_table_highlighted(self, message: ListTable.Highlighted) -> None:
        if message.table.id == "outliers":
            self._ask_thumbnails()
        elif message.table.id == "checks":
            self._show_check()

    def on_list_table_chosen(self, message: ListTable.Chosen) -> None:
        if message.table.id == "classes" and self._outliers:
            self.of_class = message.row.key
            self.view = "outliers"

    def watch_of_class(self) -> None:
        if self.is_mounted:
            self._show_outliers()

    def watch_view(self) -> None:
        self.remove_class(*(f"-{view}" for view in VIEWS))
        self.add_class(f"-{self.view}")
        if self.is_mounted:
            self._ask_thumbnails()
            self._focus_list()

    def _focus_list(self) -> None:
        """Focus the visible list if it has rows."""
        lists = [each for each in self.query(f".{self.view} ListTable").results(ListTable) if each.rows]
        if lists and not lists[0].has_focus:
            lists[0].focus()
