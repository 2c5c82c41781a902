"""The classes and samples of a dataset, with what the published model predicts of them: what the Browser shows."""

from kanji_tui.characters.jis import name_jis
from kanji_tui.errors import KanjiError
from kanji_tui.presentation.document import Column, Document, KeyValues, LazyRows, Line, Row, Styled, Table, quiet
from kanji_tui.presentation.marks import GRADE_STYLES, grade
from kanji_tui.presentation.recognition import confusion_table
from kanji_tui.presentation.status import running_sentences
from kanji_tui.system import numbers
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.sample_browser import Catalogue, ClassLine, Sample, SampleBrowser
from kanji_tui.workspace.sample_list import Query, SampleLine, SampleList
from kanji_tui.workspace.snapshot import WorkspaceSnapshot
from kanji_tui.workspace.state import State

CLASSES_SHOWN, PAIRS_SHOWN = 20, 20

CLASS_COLUMNS = (
    Column("", 2),
    Column("JIS", 4),
    Column("reading"),
    Column("strokes", 7, right=True),
    Column("top-1", 8, right=True),
    Column("samples", 7, right=True),
    Column("code point", 10),
)
SAMPLE_COLUMNS = (
    Column("label", 5),
    Column("pred", 4),
    Column("conf", 5, right=True),
    Column("split", 5),
    Column("file", 8, tail=True),
    Column("record", 6, right=True),
    Column("set", 3, right=True),
)


def class_table(classes: tuple[ClassLine, ...], title: str = "") -> Table:
    """Classes with their codes, counts and accuracies; rows are made when they are shown."""
    return Table(CLASS_COLUMNS, LazyRows(classes, class_row), title)


def class_row(known: ClassLine) -> Row:
    """A class; its accuracy in the colour of its grade."""
    accuracy = numbers.percent(known.accuracy)
    cells: tuple[Line, ...] = (
        known.character,
        name_jis(known.jis),
        quiet(known.reading),
        str(known.strokes or "-"),
        Styled(accuracy, GRADE_STYLES[grade(known.accuracy)]),
        numbers.count(known.count),
        code_point(known.character),
    )
    return Row(name_jis(known.jis), cells)


def class_lines(known: ClassLine) -> tuple[Line, Line]:
    """Two lines about a class; its codes, for those whose font lacks the character."""
    accuracy = f", {numbers.percent(known.accuracy, 1)} correct" if known.accuracy is not None else ""
    second = f"{numbers.count(known.count)} sample{'' if known.count == 1 else 's'}{accuracy}"
    return (*_codes(known), f"  {_strokes(known)}"), quiet(
        f"{known.reading}  {second}" if known.reading else second
    )


def _codes(known: ClassLine | Sample) -> tuple[str | Styled, ...]:
    """`田  4544  U+7530`."""
    return Styled(known.character, "strong"), f"  {name_jis(known.jis)}  {code_point(known.character)}".rstrip()


def _strokes(known: ClassLine | Sample) -> str:
    return f"{known.strokes} strokes" if known.strokes else "strokes unknown"


def code_point(character: str) -> str:
    """`U+7530`; empty for what is not one code point."""
    return f"U+{ord(character):04X}" if len(character) == 1 else ""


def sample_table(found: SampleList) -> Table:
    """The samples of a query; rows are made when they are shown."""
    return Table(SAMPLE_COLUMNS, LazyRows(found, sample_row), found.query.title, numbers.count(len(found)))


def sample_row(line: SampleLine) -> Row:
    """A sample; a wrong prediction has a mark, the confidence is in percent."""
    wrong = line.confidence is not None and not line.correct
    cells: tuple[Line, ...] = (
        line.character,
        (line.predicted, Styled(" !", "bad")) if wrong else line.predicted,
        "" if line.confidence is None else numbers.bare_percent(line.confidence),
        line.part,
        line.file,
        str(line.record),
        str(line.set),
    )
    return Row(str(line.number), cells)


def sample_key_values(sample: Sample, saliency: str, short: bool) -> KeyValues:
    """Character, reading, record, split, what the model gives the label, `saliency` in words.

    `short`: on two or three lines, where the screen is low.
    """
    record = f"{sample.file} record {sample.record} set {sample.set}"
    strokes = _strokes(sample)
    pairs: list[tuple[str, Line]]
    if short:
        reading = quiet(f"  {sample.reading}" if sample.reading else "")
        label = (*_codes(sample), f"  {strokes}", reading)
        pairs = [("", label), ("", (f"{record}  ", Styled(sample.part, "primary")))]
        return KeyValues((*pairs, *([("", quiet(saliency))] if saliency else [])))
    pairs = [
        ("label", _codes(sample)),
        ("reading", (sample.reading or quiet("none in the records"), f"  {strokes}")),
        ("record", record),
        ("split", sample.part or quiet("no model was trained on it")),
    ]
    if sample.other is not None and sample.label_probability is not None:
        pairs.append(("p(label)", f"{sample.character} {numbers.percent(sample.label_probability)}"))
    return KeyValues((*pairs, *([("saliency", saliency)] if saliency else [])))


def pair_query(key: str) -> Query:
    """The samples that a row of the confusions stands for."""
    truth, predicted = (int(code, 16) for code in key.split(">"))
    return Query(jis=truth, predicted=predicted, order="confidence")


def browser_screen(state: State) -> Document:
    """How well the published model predicts each class, and which it confuses."""
    place = state.place or WorkspaceSnapshot()
    jobs = running_sentences(state.active("evaluate"))
    if place.dataset is None:
        return (*jobs, "There is no dataset to browse. To do: kanji-tui prepare")
    try:
        catalogue = SampleBrowser(OpenedDataset()).catalogue()
    except KanjiError as error:
        return (*jobs, f"The dataset cannot be browsed: {error.message}. To do: {error.remedy}")
    classes = numbers.count(len(catalogue.classes))
    document: Document = (*jobs, f"The dataset has {classes} classes; not predicted yet.")
    if catalogue.predicted:
        document = (
            *jobs,
            f"The published model has predicted the split {catalogue.predicted}: top-1 "
            f"{numbers.percent(catalogue.accuracy)} over {classes} classes.",
        )
    else:
        document += (f"To do: kanji-tui {'evaluate --split all' if place.model else 'train'}",)
    return (*document, "", _worst_classes(catalogue), *_confusions(catalogue))


def _worst_classes(catalogue: Catalogue) -> Table:
    """The classes with the lowest accuracy, or the first where nothing was predicted."""
    worst = sorted(catalogue.classes, key=lambda known: 2.0 if known.accuracy is None else known.accuracy)
    order = "lowest accuracy first" if catalogue.predicted else "in the order of their codes"
    shown = worst[:CLASSES_SHOWN]
    return class_table(tuple(shown), f"{len(shown)} of {numbers.count(len(worst))} classes, {order}:")


def _confusions(catalogue: Catalogue) -> Document:
    pairs = catalogue.confusions
    if not pairs:
        return ()
    shown = min(PAIRS_SHOWN, len(pairs))
    return ("", confusion_table(pairs[:PAIRS_SHOWN], f"{shown} of {len(pairs)} confusions, most frequent first:"))
