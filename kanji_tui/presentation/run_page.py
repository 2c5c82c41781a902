"""Everything about one run: settings beside those of compared runs, results, environment, load of the machine."""

from collections.abc import Sequence
from dataclasses import replace

from kanji_tui.presentation import marks
from kanji_tui.presentation.charts import LETTERS, MOST_RUNS, RUN_STYLES, line_of
from kanji_tui.presentation.curve_data import Chart, Series
from kanji_tui.presentation.document import Column, KeyValues, Line, Row, Styled, Table, join, quiet, text_of
from kanji_tui.presentation.lineage import lineage_line
from kanji_tui.presentation.recognition import confusion_table
from kanji_tui.presentation.run_tables import field_text, note_line
from kanji_tui.presentation.status import GAP, state_of
from kanji_tui.runs.environment import Environment
from kanji_tui.system import numbers
from kanji_tui.training.results import ClassRecall, Trained
from kanji_tui.workspace.lineage import Link
from kanji_tui.workspace.run_curves import LOADS
from kanji_tui.workspace.run_fields import PLACES, SETTING_NAMES, fields_of_view
from kanji_tui.workspace.run_query import fits
from kanji_tui.workspace.run_views import RunView

SETTING_WIDTH, VALUE_WIDTH = 19, 14  # the longest name, and of the value of another run
NOTE_SHOWN, PARTS_SHOWN = 240, 4  # characters of the note and parts of the training in the head, at most
LOAD_STYLES = ("primary", "accent")  # of the two curves of a chart


def page_head(view: RunView, parts: Sequence[RunView], lineage: Sequence[Link]) -> tuple[Line, ...]:
    """Name, state and times; the samples' source; why it failed; what it was made from; parts; the note.

    What may be long comes last: it is cut where there is no room.
    """
    ended = f"last event {numbers.moment(view.last_event_at)}" if view.last_event_at else ""
    first: list[Line] = [Styled(view.label, "strong"), state_of(view), quiet(view.name)]
    first += [quiet(f"started {numbers.moment(view.started)}")] + ([quiet(ended)] if ended else [])
    lines: list[Line] = [join(GAP, first)]
    if view.source:
        lines.append(join(" ", [quiet("trained on"), marks.source(view.source, short=False)]))
    if view.failure:
        lines.append(join(GAP, [Styled(view.failure.message, "bad"), view.failure.remedy]))
    if lineage:
        lines.append(lineage_line(lineage))
    if len(parts) > 1:
        names = [f"{number}. {part.name} ({state_of(part).text})" for number, part in enumerate(parts, start=1)]
        if len(names) > PARTS_SHOWN:
            names[1 : 1 - PARTS_SHOWN] = ["..."]
        lines.append(quiet(f"{len(parts)} parts: {', '.join(names)}"))
    if view.about.note:
        lines.append(note_line(view.about.note, NOTE_SHOWN))
    return tuple(lines)


def whole_note(view: RunView) -> str:
    """The note where it is too long for the head, else nothing."""
    return view.about.note if len(view.about.note) > NOTE_SHOWN else ""


def setting_table(views: Sequence[RunView], letters: Sequence[str] = LETTERS) -> Table:
    """The settings of the first run beside those of the others; the ones that differ come first, marked.

    `letters` are those of the runs' curves.
    """
    columns = (
        Column("", 1),
        Column("setting", SETTING_WIDTH),
        *(
            Column(_title(letters[number], view, len(views)), 0 if number == 0 else VALUE_WIDTH)
            for number, view in enumerate(views)
        ),
    )
    every = [fields_of_view(view) for view in views]
    rows = []
    for name in (*SETTING_NAMES, *PLACES):
        cells: tuple[Line, ...] = tuple(field_text(name, fields[name]) or quiet("-") for fields in every)
        differs = len({fields[name] for fields in every}) > 1
        mark = Styled("*", "accent strong") if differs else ""
        label: Line = Styled(name.replace("_", " "), "accent") if differs else quiet(name.replace("_", " "))
        rows.append((not differs, Row(name, (mark, label, *cells))))
    rows.sort(key=lambda pair: pair[0])
    differing = sum(not same for same, _ in rows)
    about = f"{differing} of {len(rows)} differ, marked *" if len(views) > 1 else ""
    return Table(columns, [row for _, row in rows], "settings", about)


def chosen_settings(view: RunView, compared: Sequence[RunView], pattern: str = "") -> Table:
    """The settings of `view` beside those of the compared runs, by the letters of their curves.

    With a pattern only the rows that match it; `*` means those that differ.
    """
    letter_of = {each.name: letter for each, letter in zip(compared, LETTERS, strict=False)}
    views = [view, *(other for other in compared if other.name != view.name)]
    table = setting_table(views, [letter_of.get(each.name, "") for each in views])
    if not pattern:
        return table
    rows = [row for row in table.rows if fits(pattern, " ".join(map(text_of, row.cells[:3])))]
    return replace(table, rows=rows, about=f"{pattern}  {len(rows)} of {len(table.rows)}")


def _title(letter: str, view: RunView, many: int) -> str:
    return f"{letter} {view.label}".strip() if many > 1 else view.label


def environment_pairs(environment: Environment | None) -> KeyValues:
    """Program, commit, packages and machine of a run."""
    if environment is None:
        return KeyValues((("", quiet("this run did not record its environment")),))
    packages = ", ".join(f"{name} {version}" for name, version in environment.packages.items())
    machine = f"{environment.processor}, {environment.cores} cores, {numbers.size(environment.memory)}"
    return KeyValues(
        (
            ("program", f"kanji-tui {environment.program}"),
            ("commit", environment.commit or quiet("an installed package")),
            ("python", environment.python),
            ("packages", packages),
            ("host", f"{environment.host}, {environment.system}"),
            ("processor", machine),
            ("GPU", ", ".join(environment.gpus) or quiet("none")),
        )
    )


def load_charts(view: RunView) -> tuple[Chart, ...]:
    """The load over the time of the run: processor and memory of the machine and of the run, disk, network, GPUs.

    A curve that the run did not report is not among them.
    """
    last = max([1.0, *(load.seconds for load in view.loads)])
    charts = []
    for load_chart in LOADS:
        found = []
        for (name, of), style in zip(load_chart.curves, LOAD_STYLES, strict=True):
            points = tuple((load.seconds, y) for load in view.loads if (y := of(load)) is not None)
            found += [Series(name, style, points, mark=name[0])] if points else []
        series = tuple(found) if len(found) > 1 else tuple(replace(only, mark="") for only in found)
        charts.append(Chart(load_chart.title, series, (0.0, last), load_chart.percent, x="time"))
    return (*charts, *_gpu_charts(view, last))


def _gpu_charts(view: RunView, last: float) -> list[Chart]:
    """The utilisation of each GPU; its readings are evenly apart over the run."""
    if not view.gpus:
        return []
    series = []
    for number, gpu in enumerate(view.gpus[:MOST_RUNS]):
        values = gpu.values["utilisation"]
        step = last / max(1, len(values) - 1)
        points = tuple((place * step, y) for place, y in enumerate(values) if y is not None)
        name, letter = f"GPU {gpu.index}", LETTERS[number]
        series.append(Series(name, RUN_STYLES[number], points, mark=letter, line=line_of(number)))
    return [Chart("GPU", tuple(series), (0.0, last), percent=True, x="time")]


def error_tables(view: RunView) -> tuple[Table, ...]:
    """What the run's best model confuses, and the classes it recognises worst, in the validation split."""
    result = view.result
    if not isinstance(result, Trained):
        return ()
    weakest = Table(
        (Column("class", 9), Column("samples", 7, right=True), Column("recall", 9, right=True), Column("")),
        [_recall_row(known) for known in result.weakest_classes],
        "weakest classes",
    )
    return weakest, confusion_table(result.confusions, "most frequent confusions")


def _recall_row(known: ClassRecall) -> Row:
    cells = (f"{known.character} {known.jis}", numbers.count(known.samples), numbers.percent(known.top1), "")
    return Row(known.jis, cells)
