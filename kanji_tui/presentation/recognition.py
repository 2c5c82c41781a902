"""Results of a model: predictions, evaluations, suspected label errors, saliency maps, drawings."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from kanji_tui.data.defaults import SYNTHETIC, SYNTHETIC_SOURCE
from kanji_tui.paths import BUILT_IN, DEFAULT_MODEL, SAMPLES_DIR
from kanji_tui.presentation.document import Column, Document, KeyValues, Line, Row, Styled, Table, cells_of, quiet
from kanji_tui.presentation.marks import bar
from kanji_tui.recognition.drawing.results import ReadyModel
from kanji_tui.recognition.drawing.server import published_card
from kanji_tui.recognition.results import (
    Candidate,
    Confusion,
    Evaluation,
    Explained,
    Explanations,
    Predicted,
    Prediction,
    Suspect,
    Suspects,
    Unreadable,
)
from kanji_tui.system import numbers
from kanji_tui.workspace.snapshot import WorkspaceSnapshot
from kanji_tui.workspace.state import State

CONFUSIONS_SHOWN, SUSPECTS_SHOWN = 10, 20
BAR = 20
READINGS = 30  # cells
SHADES = " ░▒▓█"
MAP_SIDE = 16  # values across a map, each two cells wide

CANDIDATE_COLUMNS = (
    Column("", 2, right=True),
    Column("", 2),
    Column("", 11),  # the code and up to three look-alikes
    Column(""),
    Column("", 8, right=True),
)
CONFUSION_COLUMNS = (Column("label", 7), Column("predicted as", 12), Column("count", right=True))
SUSPECT_COLUMNS = (
    Column("label"),
    Column("predicted as"),
    Column("p(label)", right=True),
    Column("p(predicted)", right=True),
    Column("split"),
    Column("sample", right=True),
    Column("file"),
)


# candidates


def candidate_table(candidates: Sequence[Candidate], width: int = BAR, title: str = "") -> Table:
    """Candidates by rank, each probability with a bar of `width` cells."""
    return Table(
        CANDIDATE_COLUMNS, [_candidate_row(n, found, width) for n, found in enumerate(candidates, 1)], title
    )


def _candidate_row(rank: int, found: Candidate, width: int) -> Row:
    cells: tuple[Line, ...] = (
        quiet(str(rank)),
        Styled(found.character, "strong"),
        (quiet(found.jis), f" {''.join(found.lookalikes)}" if found.lookalikes else ""),
        bar(found.probability, width),
        numbers.percent(found.probability),
    )
    return Row(found.jis, cells)


def shown_readings(readings: Sequence[str], width: int) -> str:
    """As many of the readings as fit into `width` cells, then `…` for the others."""
    shown = ""
    for number, reading in enumerate(readings, start=1):
        longer = f"{shown} {reading}".lstrip()
        if cells_of(longer) + 2 * (number < len(readings)) > width:
            return f"{shown} …".lstrip() if width > 0 else ""
        shown = longer
    return shown


def candidate_line(found: Candidate, label_jis: str, width: int) -> Line:
    """A candidate for a sample with this label; the correct one has its own style."""
    style = "good strong" if found.jis == label_jis else "strong"
    probability = f" {numbers.percent(found.probability):>8}"
    return Styled(found.character, style), quiet(f" {found.jis} "), *bar(found.probability, width), probability


def prediction_document(result: Predicted) -> Document:
    """The candidates for each image, or why there are none."""
    return (*_answering(result.model_path), *(block for one in result.predictions for block in _prediction(one)))


def _answering(model_path: str) -> Document:
    """Says so where the built-in model answers."""
    return (quiet("read by the built-in model"),) if model_path == BUILT_IN.name else ()


def _prediction(one: Prediction | Unreadable) -> Document:
    if isinstance(one, Unreadable):
        remedy = (f"  to do: {one.error.remedy}",) if one.error.remedy else ()
        return (Table((), (), title=one.path), (Styled("  error: ", "bad"), one.error.message), *remedy)
    doubt = ((Styled("  doubtful: ", "warning"), one.doubtful),) if one.doubtful else ()
    shown = tuple(f"  {row}" for row in pixel_lines([bytes.fromhex(row) for row in one.image]))
    table = candidate_table(one.candidates, title=one.path)
    rows = [
        replace(row, cells=(*row.cells, quiet(shown_readings(found.readings, READINGS))))
        for row, found in zip(table.rows, one.candidates, strict=True)
    ]
    return (replace(table, columns=(*CANDIDATE_COLUMNS, Column("")), rows=rows), *doubt, *shown)


def pixel_lines(rows: Sequence[bytes]) -> list[str]:
    """An image, rows of levels 0-255, as lines of shade characters: a cell for one pixel and the one below it."""
    pairs = (zip(*two, strict=True) for two in zip(rows[::2], rows[1::2], strict=True))
    return ["".join(SHADES[round((a + b) / 510 * (len(SHADES) - 1))] for a, b in pair) for pair in pairs]


# evaluation


def confusion_table(confusions: Sequence[Confusion], title: str = "") -> Table:
    """Pairs of a label and a wrong prediction, the most frequent first."""
    return Table(CONFUSION_COLUMNS, list(map(_confusion_row, confusions)), title)


def _confusion_row(pair: Confusion) -> Row:
    cells = (
        f"{pair.truth} {pair.truth_jis}",
        f"{pair.predicted} {pair.predicted_jis}",
        numbers.count(pair.count),
    )
    return Row(f"{pair.truth_jis}>{pair.predicted_jis}", cells)


def evaluation_document(result: Evaluation) -> Document:
    """Accuracies of a split, and the most frequent confusions."""
    synthetic = (SYNTHETIC,) if result.source == SYNTHETIC_SOURCE else ()
    ensemble = (f"ensemble of {len(result.models)}: {', '.join(result.models)}",) if result.models else ()
    strict: tuple[tuple[str, Line], ...] = ()
    if result.top1_strict != result.top1:
        of_lookalikes = quiet("  of look-alikes only the one shown is right")
        strict = (("top-1 strict", (numbers.percent(result.top1_strict), of_lookalikes)),)
    mixed = ("train too",) if result.learned_from else ()
    unknown: tuple[str, ...] = ()
    known: tuple[tuple[str, Line], ...] = ()
    if result.unknown_samples:
        lacking, classes = numbers.count(len(result.unknown_classes)), numbers.count(result.classes or None)
        unknown = (
            f"{lacking} of {classes} classes are unknown to this model: their "
            f"{numbers.count(result.unknown_samples)} samples count as errors",
        )
        rest = result.samples - result.unknown_samples
        known = (
            ("top-1 known", f"{numbers.accuracy(result.top1_known, rest)} of the other {numbers.count(rest)}"),
        )
    pairs = (
        ("samples", ", ".join((numbers.count(result.samples), *mixed, *synthetic, *unknown))),
        ("top-1", numbers.accuracy(result.top1, result.samples)),
        *known,
        ("top-3", numbers.accuracy(result.top3, result.samples)),
        ("top-5", numbers.accuracy(result.top5, result.samples)),
        *strict,
        ("balanced", numbers.percent(result.balanced)),
        ("loss", numbers.loss(result.loss)),
    )
    document: Document = (*_answering(result.model_path), *ensemble, KeyValues(pairs))
    if not result.confusions:
        return document
    return (*document, confusion_table(result.confusions[:CONFUSIONS_SHOWN], "most frequent confusions"))


# suspected label errors


def suspect_table(suspects: Sequence[Suspect]) -> Table:
    """Samples whose label disagrees with a confident model, the most suspect first."""
    return Table(SUSPECT_COLUMNS, list(map(_suspect_row, suspects)))


def _suspect_row(suspect: Suspect) -> Row:
    cells = (
        f"{suspect.label} {suspect.label_jis}",
        f"{suspect.predicted} {suspect.predicted_jis}",
        numbers.percent(suspect.label_probability),
        numbers.percent(suspect.predicted_probability),
        suspect.split,
        str(suspect.sample),
        suspect.path or f"{suspect.file} record {suspect.record} set {suspect.data_set}",
    )
    return Row(str(suspect.sample), cells)


def suspects_document(result: Suspects) -> Document:
    """The most suspect samples; a TSV file or --json lists all."""
    found = result.suspects
    document: Document = (
        f"suspected label errors: {numbers.count(len(found))} of {numbers.count(result.samples)} samples, "
        f"split {result.split}",
    )
    if result.unknown_samples:
        document += (f"not examined: {numbers.count(result.unknown_samples)} samples of classes the model lacks",)
    if found:
        document += (suspect_table(found[:SUSPECTS_SHOWN]),)
    if result.output_path:
        document += (f"all of them: {result.output_path}",)
    elif len(found) > SUSPECTS_SHOWN:
        document += ("--json lists all, --output-path FILE.tsv writes them to a file",)
    return document


# saliency maps


def saliency_document(result: Explanations) -> Document:
    """Each saliency map in shade characters."""
    written = (f"{result.picture_path}, {result.array_path}",) if result.picture_path else ()
    maps = (block for one in result.explained for block in _map(one))
    return (*_answering(result.model_path), *maps, *written)


def _map(one: Explained) -> Document:
    what = f"sample {one.sample}, label {one.truth}" if one.sample is not None else "image"
    line = (
        f"{what}: saliency map of {one.character} {one.jis} (probability {numbers.percent(one.probability, 1)}), "
        f"{one.method}"
    )
    return (line, *(f"  {row}" for row in shades(one.map)))


def shades(rows: Sequence[Sequence[float]], side: int = MAP_SIDE) -> list[str]:
    """A map of S rows of S numbers 0-1 as about `side` lines of shade characters, two cells for each value."""
    step = max(1, len(rows) // side)
    lines = []
    for top in range(0, len(rows), step):
        line = ""
        for left in range(0, len(rows), step):
            part = [value for row in rows[top : top + step] for value in row[left : left + step]]
            line += 2 * SHADES[round(sum(part) / len(part) * (len(SHADES) - 1))]
        lines.append(line)
    return lines


# drawings


def recogniser_key_values(model: ReadyModel | None, seconds: float | None, saved: str) -> KeyValues:
    """The model that recognises drawings, its last latency, and the last saved drawing."""
    pairs: list[tuple[str, Line]] = []
    if model is not None and model.name:
        name = BUILT_IN.name if model.name == BUILT_IN.name else model.network
        pairs += [("model", name), ("classes", numbers.count(model.classes))]
        pairs.append(("image", f"{model.size}x{model.size}"))
    if model is not None:
        pairs.append(("stroke", f"{numbers.percent(model.style.width, 1)} wide"))
    if seconds is not None:
        pairs.append(("latency", f"{1000 * seconds:.0f} ms"))
    if saved:
        pairs.append(("saved", saved))
    return KeyValues(tuple(pairs))


def draw_screen(state: State) -> Document:
    """The Draw screen as text: the model that recognises drawings, and the saved drawings."""
    workspace = state.workspace or WorkspaceSnapshot()
    document: Document = (
        "To draw, open the workbench in a terminal and press 6.",
        _recognising_model(workspace),
    )
    counts = [(folder.name, len(list(folder.glob("*.png")))) for folder in sorted(SAMPLES_DIR.glob("*/"))]
    if not counts:
        return (*document, f"No drawing was saved in {SAMPLES_DIR}/ yet.")
    total = numbers.count(sum(count for _, count in counts))
    title = f"Drawings saved in {SAMPLES_DIR}/, {total} of {len(counts)} characters:"
    rows = [Row(name, (name, numbers.count(count))) for name, count in counts]
    table = Table((Column("character"), Column("drawings", right=True)), rows, title)
    return (*document, table, f"To do: kanji-tui prepare --etl-dir {SAMPLES_DIR} --format images")


def _recognising_model(workspace: WorkspaceSnapshot) -> str:
    if workspace.model is not None:
        card = published_card(DEFAULT_MODEL)
        export = DEFAULT_MODEL.with_name(f"{card.export_name('tract')}.onnx") if card else None
        if export is not None and export.is_file():
            return f"Drawings are recognised by the published model, or by its export {export} if that is current."
        return (
            f"Drawings are recognised by the published model {DEFAULT_MODEL}, converted to ONNX at each start. An "
            "export makes the start faster. To do: kanji-tui export onnx"
        )
    exports = [
        path for path in workspace.onnx if path.parent == DEFAULT_MODEL.parent and path.stem.endswith("_tract")
    ]
    if exports:
        return f"Drawings are recognised by {exports[0]}, the newest export."
    return "Drawings are recognised by the built-in model, until you train one. To do: kanji-tui train"


PRESENTERS: dict[type, Callable[[Any], Document]] = {
    Predicted: prediction_document,
    Evaluation: evaluation_document,
    Suspects: suspects_document,
    Explanations: saliency_document,
}
