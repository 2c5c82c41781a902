"""Classes, confusions and samples in the words and rows of the Browser screen."""

from textual.content import Content

from kanji_tui.characters.jis import name_jis
from kanji_tui.presentation.document import Row
from kanji_tui.tui.widgets import formatting
from kanji_tui.tui.widgets.character_grid import GRADES, Tile, grade
from kanji_tui.tui.widgets.key_values import KeyValue
from kanji_tui.workspace.sample_browser import ClassLine, Sample
from kanji_tui.workspace.sample_list import Query, SampleLine

STYLES = {"unknown": "", "good": "$success", "fair": "$warning", "poor": "$error", "bad": "bold $error"}


def class_tile(known: ClassLine) -> Tile:
    return Tile(name_jis(known.jis), known.character, grade(known.accuracy))


def class_row(known: ClassLine) -> Row:
    accuracy: str | Content = ""
    if known.accuracy is not None:
        accuracy = Content.styled(f"{100 * known.accuracy:.1f}", STYLES[GRADES[grade(known.accuracy)][0]])
    cells = (
        known.character,
        name_jis(known.jis),
        formatting.quiet(known.reading),
        str(known.strokes or ""),
        str(known.count),
        accuracy,
    )
    return Row(name_jis(known.jis), cells)


def class_words(known: ClassLine | None) -> Content:
    """Two lines on the class under the grid's cursor; its codes, for those whose font lacks the character."""
    if known is None:
        return Content()
    strokes = f"{known.strokes} strokes" if known.strokes else "strokes unknown"
    first = Content.assemble((known.character, "bold"), f"  {codes(known.jis, known.character)}  {strokes}")
    accuracy = f", {formatting.percent(known.accuracy)} read right" if known.accuracy is not None else ""
    second = f"{formatting.count(known.count)} samples{accuracy}"
    return first + "\n" + formatting.quiet(f"{known.reading}  {second}" if known.reading else second)


def codes(jis: int, character: str) -> str:
    """`4544  U+7530`."""
    return f"{name_jis(jis)}  U+{ord(character):04X}" if len(character) == 1 else name_jis(jis)


def confusion_row(truth: ClassLine, predicted: str, predicted_jis: int, times: int) -> Row:
    cells = (f"{truth.character} {name_jis(truth.jis)}", f"{predicted} {name_jis(predicted_jis)}", str(times))
    return Row(f"{name_jis(truth.jis)}>{name_jis(predicted_jis)}", cells)


def pair_query(key: str) -> Query:
    """The samples that a confusion's row stands for."""
    truth, predicted = (int(code, 16) for code in key.split(">"))
    return Query(jis=truth, predicted=predicted, order="unsure")


def sample_facts(sample: Sample, looks: str, low: bool) -> list[KeyValue]:
    """Character, record, split, what the model gives the label, where it looks; short where the screen is `low`."""
    strokes = f"{sample.strokes} strokes" if sample.strokes else "strokes unknown"
    label = Content.assemble((sample.character, "bold"), f"  {codes(sample.jis, sample.character)}  {strokes}")
    where = f"{sample.file} record {sample.record} set {sample.set}"
    own = "" if sample.label_probability is None else f"{100 * sample.label_probability:.2f} %"
    wrong = sample.other is not None
    if low:
        reading = f"  {sample.reading}" if sample.reading else ""
        facts: list[KeyValue] = [
            ("", label + formatting.quiet(reading)),
            ("", Content(f"{where}  ") + Content.styled(sample.part, "$primary")),
        ]
        return [*facts, ("", formatting.quiet(looks))] if looks else facts
    facts = [
        ("character", label),
        ("reading", sample.reading or formatting.quiet("none in the records")),
        ("record", where),
        ("split", sample.part or formatting.quiet("no model was trained on it")),
    ]
    if wrong and own:
        facts.append(("its label", f"{sample.character} gets {own}"))
    return [*facts, ("looks at", looks)] if looks else facts


def sample_row(line: SampleLine) -> Row:
    """A line of the sample list."""
    confidence = "" if line.confidence is None else f"{'' if line.correct else '! '}{100 * line.confidence:.1f}"
    where = (line.file, str(line.record), str(line.set))
    return Row(str(line.number), (line.character, line.predicted, confidence, line.part, *where))
