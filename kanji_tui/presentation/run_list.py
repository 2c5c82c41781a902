"""The list of trainings: the usual columns, or fields that the user chose."""

from collections.abc import Sequence

from kanji_tui.data.defaults import SYNTHETIC_SOURCE
from kanji_tui.presentation import marks
from kanji_tui.presentation.charts import LETTERS, RUN_STYLES
from kanji_tui.presentation.document import Column, Line, Row, Styled, Table, join, quiet
from kanji_tui.presentation.run_tables import field_column, field_text
from kanji_tui.presentation.status import state_of
from kanji_tui.system import numbers
from kanji_tui.workspace.run_fields import fields_of_view
from kanji_tui.workspace.run_views import RunView
from kanji_tui.workspace.trainings import Training

RUN_COLUMNS = (Column("start", 5), Column("run"), Column("state", 8), Column("best", 4, right=True))
NAME_WIDTH = 18  # of the run's name beside chosen columns, at least


def run_table(
    listed: Sequence[Training], marked: Sequence[str] = (), published: str = "", columns: Sequence[str] = ()
) -> Table:
    """A row for each training, by the name of its last part.

    `marked` runs have the letter of their curves, the one with the `published` run a note. `columns` are fields
    that are shown in place of the usual columns.
    """
    shown = (Column("run"), *map(field_column, columns)) if columns else RUN_COLUMNS
    return Table(shown, [_row(training, marked, published, columns) for training in listed])


def width_of(columns: Sequence[Column]) -> int:
    """The cells that a list with these columns needs."""
    return sum((column.width or NAME_WIDTH) + 1 for column in columns)


def _row(training: Training, marked: Sequence[str], published: str, columns: Sequence[str]) -> Row:
    view = training.last
    label = _label(training, marked, bool(published) and training.has(published))
    if columns:
        fields = fields_of_view(view)
        return Row(view.name, (label, *(_cell(view, name, fields[name]) for name in columns)))
    return Row(view.name, (numbers.moment(view.started)[:5], label, state_of(view), _best(view)))


def _best(view: RunView) -> Line:
    """The best validation top-1; `none` of a run that ended without one, as where the loss was no number."""
    if view.best:
        return numbers.bare_percent(view.best.val_top1, 1)
    return "" if view.active else quiet("none")


def _cell(view: RunView, name: str, value: str | float | None) -> Line:
    return state_of(view) if name == "state" else field_text(name, value)


def _label(training: Training, marked: Sequence[str], published: bool) -> Line:
    """The letter of its curves, the name, how many parts it has, what a person must know of its model."""
    view = training.last
    label: list[Line] = [view.label or "?"]
    if view.name in marked:
        number = marked.index(view.name)
        label.insert(0, Styled(LETTERS[number], f"{RUN_STYLES[number]} strong"))
    if len(training.parts) > 1:
        label.append(quiet(f"{len(training.parts)} parts"))
    if published:
        label.append(Styled("published", "accent"))
    if view.source == SYNTHETIC_SOURCE:
        label.append(marks.source(view.source))
    return join(" ", label)
