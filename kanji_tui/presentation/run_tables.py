"""Runs with chosen fields: as a table, a cell in a list, or comma-separated values."""

import csv
import io
from collections.abc import Sequence

from kanji_tui.epoch_metrics import METRICS
from kanji_tui.presentation import marks
from kanji_tui.presentation.document import Column, Line, Row, Table
from kanji_tui.system import numbers
from kanji_tui.workspace.run_fields import NAMES, PERCENT, Fields, Value

TITLES = {"val_top1": "val top-1", "test_top1": "test top-1", "started": "start", "total_seconds": "time"}
WIDTHS = {"started": 11, "state": 8, "name": 14, "note": 20, "network": 12, "run": 24, "continues": 24, "source": 9}
NUMBER_WIDTH, NOTE_WIDTH = 9, 80
DURATIONS = frozenset({"seconds", "total_seconds"})
FORMULAS = ("=", "+", "-", "@")  # begin what a spreadsheet computes when it opens a file, programs among it
NUMBERS = frozenset({metric.field for metric in METRICS})


def field_table(runs: Sequence[Fields], columns: Sequence[str]) -> Table:
    """The runs with their names and these fields."""
    shown = ("run", *(name for name in columns if name != "run"))
    rows = [Row(str(run["run"]), tuple(field_text(name, run[name]) for name in shown)) for run in runs]
    return Table(tuple(field_column(name, 0) for name in shown), rows)


def field_column(name: str, width: int | None = None) -> Column:
    """The column of a field; `width` None: the usual one in the workbench."""
    title = TITLES.get(name, name.replace("_", " "))
    usual = WIDTHS.get(name) or max(NUMBER_WIDTH, len(title))
    return Column(title, usual if width is None else width, right=name not in WIDTHS)


def field_text(name: str, value: Value) -> Line:
    """A field's value as lists show it: percent, durations, at most six digits; empty where it is not known."""
    if value is None:
        return ""
    if name == "state":
        return marks.state(str(value))
    if name == "note":
        return note_line(str(value))
    if isinstance(value, str):
        return value.replace("T", " ")[5:16] if name == "started" else value
    if name in PERCENT:
        return numbers.percent(value)
    if name in DURATIONS:
        return numbers.duration(value)
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"


def note_line(note: str, most: int = NOTE_WIDTH) -> str:
    """A note in one line, or its beginning."""
    line = " ".join(note.split())
    return line if len(line) <= most else f"{line[:most].rstrip()} ..."


def run_csv(runs: Sequence[Fields], columns: Sequence[str] = ()) -> str:
    """The runs as comma-separated values by RFC 4180 with a header: the fields' names and plain values.

    Fractions 0-1, seconds; an unknown value is empty. Without `columns` every field there is. A text that a
    spreadsheet would take for a formula begins with an apostrophe.
    """
    shown = ("run", *(name for name in columns if name != "run")) if columns else NAMES
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(shown)
    writer.writerows([[_csv_cell(run[name]) for name in shown] for run in runs])
    return text.getvalue()


def _csv_cell(value: Value) -> str | float:
    if isinstance(value, str):
        return f"'{value}" if value.lstrip().startswith(FORMULAS) else value
    return "" if value is None else value
