"""Classes, confusions and samples in the words and rows of the Browser screen."""

from textual.content import Content

from kanji_tui.characters.jis import name_jis
from kanji_tui.tui.browse import ClassLine, Query, Sample
from kanji_tui.tui.widgets import words
from kanji_tui.tui.widgets.facts import Fact
from kanji_tui.tui.widgets.rows import Row


def class_row(known: ClassLine) -> Row:
    accuracy: str | Content = ""
    if known.accuracy is not None:
        style = "$success" if known.accuracy >= 0.99 else "$warning" if known.accuracy >= 0.9 else "bold $error"
        accuracy = Content.styled(f"{100 * known.accuracy:.1f}", style)
    cells = (
        known.character,
        name_jis(known.jis),
        words.quiet(known.reading),
        str(known.strokes or ""),
        str(known.count),
        accuracy,
    )
    return Row(name_jis(known.jis), cells)


def confusion_row(truth: ClassLine, predicted: str, predicted_jis: int, times: int) -> Row:
    cells = (f"{truth.character} {name_jis(truth.jis)}", f"{predicted} {name_jis(predicted_jis)}", str(times))
    return Row(f"{name_jis(truth.jis)}>{name_jis(predicted_jis)}", cells)


def pair_query(key: str) -> Query:
    """The samples that a confusion's row stands for."""
    truth, predicted = (int(code, 16) for code in key.split(">"))
    return Query(jis=truth, predicted=predicted, order="unsure")


def sample_facts(sample: Sample, low: bool) -> list[Fact]:
    strokes = f"{sample.strokes} strokes" if sample.strokes else "strokes unknown"
    code = (
        f"{name_jis(sample.jis)}  U+{ord(sample.character):04X}"
        if len(sample.character) == 1
        else name_jis(sample.jis)
    )
    label = Content.assemble((sample.character, "bold"), f"  {code}  {strokes}")
    where = f"{sample.file} record {sample.record} set {sample.set}"
    if low:
        reading = f"  {sample.reading}" if sample.reading else ""
        return [
            ("", label + words.quiet(reading)),
            ("", Content(f"{where}  ") + Content.styled(sample.part, "$primary")),
        ]
    unknown = "unknown: no model was trained on this dataset"
    return [
        ("character", label),
        ("reading", sample.reading or words.quiet("none in the records")),
        ("record", where),
        ("split", sample.part or words.quiet(unknown)),
    ]
