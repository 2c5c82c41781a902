"""The classes and samples of a dataset with the published model's predictions, as the Browser shows them."""

from kanji_tui.characters.jis import name_jis
from kanji_tui.characters.readings import readings_of
from kanji_tui.errors import KanjiError
from kanji_tui.presentation.data import dataset_command
from kanji_tui.presentation.document import Column, Document, KeyValues, LazyRows, Line, Row, Styled, Table, quiet
from kanji_tui.presentation.marks import GRADE_STYLES, grade
from kanji_tui.presentation.recognition import confusion_table, shown_readings
from kanji_tui.presentation.status import running_sentences
from kanji_tui.system import numbers
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.sample_browser import Catalogue, ClassLine, Sample, SampleBrowser
from kanji_tui.workspace.sample_list import Query, SampleLine, SampleList
from kanji_tui.workspace.snapshot import WorkspaceSnapshot
from kanji_tui.workspace.state import State

CLASSES_SHOWN, PAIRS_SHOWN = 20, 20
UNKNOWN = "unknown"  # to the model
NAME, CODES = 10, 29  # cells before a value, of a character with its codes and strokes

CLASS_COLUMNS = (
    Column("", 2),
    Column("JIS", 4),
    Column("readings"),
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
    """Classes with their codes, counts and accuracies; rows are made on demand."""
    return Table(CLASS_COLUMNS, LazyRows(classes, class_row), title)


def class_row(known: ClassLine) -> Row:
    """A class, its accuracy in the style of its grade."""
    accuracy = numbers.percent(known.accuracy) if known.known else UNKNOWN
    cells: tuple[Line, ...] = (
        known.character if known.known else quiet(known.character),
        name_jis(known.jis),
        quiet(_readings(known)),
        str(known.strokes or "-"),
        Styled(accuracy, GRADE_STYLES[grade(known.accuracy)]),
        numbers.count(known.count),
        code_point(known.character),
    )
    return Row(name_jis(known.jis), cells)


def class_lines(known: ClassLine) -> tuple[Line, Line]:
    """Two lines about a class, with its codes for terminals whose font lacks the character."""
    accuracy = f", {numbers.percent(known.accuracy, 1)} correct" if known.accuracy is not None else ""
    accuracy = accuracy if known.known else ", a class that the model does not know"
    second = f"{numbers.count(known.count)} sample{'' if known.count == 1 else 's'}{accuracy}"
    return (*_codes(known), f"  {_strokes(known)}"), quiet(f"{second}  {_readings(known)}".rstrip())


def _codes(known: ClassLine | Sample) -> tuple[str | Styled, ...]:
    """`田  4544  U+7530`."""
    return Styled(known.character, "strong"), f"  {name_jis(known.jis)}  {code_point(known.character)}".rstrip()


def _readings(known: ClassLine | Sample) -> str:
    """The readings of a character; where they are not known, that of its records, which may be empty."""
    return " ".join(readings_of(known.character)) or known.reading


def _strokes(known: ClassLine | Sample) -> str:
    return f"{known.strokes} strokes" if known.strokes else "strokes unknown"


def code_point(character: str) -> str:
    """`U+7530`; empty if `character` is not one code point."""
    return f"U+{ord(character):04X}" if len(character) == 1 else ""


def sample_table(found: SampleList) -> Table:
    """The samples of a query; rows are made on demand."""
    return Table(SAMPLE_COLUMNS, LazyRows(found, sample_row), found.query.title, numbers.count(len(found)))


def sample_row(line: SampleLine) -> Row:
    """A sample; a wrong prediction is marked with `!`, the confidence is in percent."""
    wrong = line.confidence is not None and not line.correct
    cells: tuple[Line, ...] = (
        line.character,
        (line.predicted, Styled(" !", "bad")) if wrong else line.predicted,
        "" if line.confidence is None else numbers.bare_percent(line.confidence),
        line.split,
        line.file,
        str(line.record),
        str(line.set),
    )
    return Row(str(line.number), cells)


def sample_key_values(sample: Sample, saliency: str, short: bool, width: int) -> KeyValues:
    """Label, readings, record, split, probability of the label, the text of a saliency map.

    `short`: on two or three lines, for a low screen. `width`: cells of a line, which readings do not exceed.
    """
    record = f"{sample.file} record {sample.record} set {sample.set}"
    pairs: list[tuple[str, Line]]
    if short:
        readings = shown_readings(_readings(sample).split(), width - CODES)
        label = (*_codes(sample), f"  {_strokes(sample)}", quiet(f"  {readings}".rstrip()))
        pairs = [("", label), ("", (f"{record}  ", Styled(sample.split, "primary")))]
        return KeyValues((*pairs, *([("", quiet(saliency))] if saliency else [])))
    pairs = [
        ("label", _codes(sample)),
        # always one line, so that nothing below it moves
        ("readings", shown_readings(_readings(sample).split(), width - NAME) or quiet("not known")),
        ("strokes", str(sample.strokes or "unknown")),
        ("record", record),
        ("split", sample.split or quiet("no model was trained on it")),
    ]
    if sample.other is not None and sample.label_probability is not None:
        pairs.append(("p(label)", f"{sample.character} {numbers.percent(sample.label_probability)}"))
    return KeyValues((*pairs, *([("saliency", saliency)] if saliency else [])))


def mixed_splits(catalogue: Catalogue) -> str:
    """That the samples which the model learned from are among those it was measured on; else empty."""
    return "train too" if catalogue.predicted == "all" and catalogue.split_known else ""


def unknown_classes(catalogue: Catalogue) -> str:
    """How many classes the published model does not know, in a sentence; empty for none."""
    if not catalogue.unknown:
        return ""
    known = len(catalogue.classes) - catalogue.unknown
    many = f"{numbers.count(catalogue.unknown)} of {numbers.count(len(catalogue.classes))} classes"
    return f"{many} are unknown to this model; accuracies are of the other {numbers.count(known)}"


def pair_query(key: str) -> Query:
    """The query for the samples of a row of confusions, by its key."""
    label, predicted = (int(code, 16) for code in key.split(">"))
    return Query(jis=label, predicted=predicted, order="confidence")


def browser_screen(state: State) -> Document:
    """The Browser screen as text: the published model's accuracy by class, and its confusions."""
    workspace = state.workspace or WorkspaceSnapshot()
    jobs = running_sentences(state.active("evaluate"))
    if workspace.dataset is None:
        return (*jobs, f"There is no dataset to browse. To do: {dataset_command(workspace.files)}")
    try:
        catalogue = SampleBrowser(OpenedDataset()).catalogue()
    except KanjiError as error:
        return (*jobs, f"The dataset cannot be browsed: {error.message}. To do: {error.remedy}")
    classes = numbers.count(len(catalogue.classes))
    document: Document = (*jobs, f"The dataset has {classes} classes; not predicted yet.")
    if catalogue.predicted:
        split = ", ".join(filter(None, (catalogue.predicted, mixed_splits(catalogue))))
        document = (
            *jobs,
            f"The published model has predicted the split {split}: top-1 "
            f"{numbers.accuracy(catalogue.accuracy, catalogue.samples)} over "
            f"{numbers.count(len(catalogue.classes) - catalogue.unknown)} classes.",
            *([f"{unknown_classes(catalogue)}."] if catalogue.unknown else []),
        )
    else:
        document += (f"To do: kanji-tui {'evaluate --split all' if workspace.model else 'train'}",)
    return (*document, "", _worst_classes(catalogue), *_confusions(catalogue))


def _worst_classes(catalogue: Catalogue) -> Table:
    """The classes with the lowest accuracy, or the first classes if nothing was predicted."""
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
