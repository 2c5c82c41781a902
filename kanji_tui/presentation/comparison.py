"""Two to four ONNX files side by side, a column each; the first is the reference."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kanji_tui.engines.results import Parity, Timing
from kanji_tui.inspection.results import Agreement, Compared
from kanji_tui.presentation.document import (
    Column,
    Document,
    KeyValues,
    Line,
    Row,
    Styled,
    Table,
    join,
    quiet,
    stack,
)
from kanji_tui.system import numbers

WIDTHS = {0: 20, 1: 20, 2: 20, 3: 15, 4: 12}  # of a file's column, by how many there are


def comparison_document(result: Compared) -> Document:
    """The files by their numbers, their tables, and the details of what was measured."""
    files, differences, latencies, operators = comparison_tables(result)
    paths = tuple((f"{number} {name}", path) for number, name, path in _numbered(result))
    return (
        KeyValues(paths),
        files,
        differences,
        KeyValues(_details(result, differences)),
        latencies,
        *_reasons(result),
        operators,
    )


def comparison_table(result: Compared) -> Table:
    """All tables of the comparison as one list, for a screen."""
    files, *others = comparison_tables(result)
    if not result.compared:
        return stack(_failed_tables(result, files.columns), about="none of the files could be read")
    about = f"1 is {Path(result.compared[0].path).name}\non {result.parity.samples_source or 'no samples'}"
    return stack((files, *_failed_tables(result, files.columns), *others), about=about)


def _failed_tables(result: Compared, columns: Sequence[Column]) -> tuple[Table, ...]:
    """The files that were not compared, and why."""
    rows = [
        Row(
            f"failed {number}",
            (Styled(Path(model.path).name, "bad"), *("" for _ in result.compared)),
            details=(f"{model.error.message}.", model.error.remedy),
        )
        for number, model in enumerate(result.failed)
    ]
    return (Table(tuple(columns), rows, "not compared"),) if rows else ()


def comparison_tables(result: Compared) -> tuple[Table, Table, Table, Table]:
    """Files, differences, latencies, operators: tables with the same columns."""
    width = WIDTHS[len(result.compared)]
    columns = (Column(""), *(Column(f"{n} {name}", width, right=True) for n, name, _ in _numbered(result)))
    source = result.parity.samples_source
    differences = f"max abs. difference to 1, on {numbers.count(result.parity.samples)} samples"
    return (
        Table(columns, _file_rows(result), "files"),
        Table(columns, _difference_rows(result), differences, source),
        Table(columns, _latency_rows(result), "ms per run: median (spread); one thread, after warm-up"),
        Table(columns, _operator_rows(result), "operators"),
    )


def _file_rows(result: Compared) -> list[Row]:
    models = result.compared
    names = [Path(model.path).name for model in models]
    accuracies = [
        f"{name}  {numbers.with_interval(model.top1, model.top1_interval)}"
        for name, model in zip(names, models, strict=True)
    ]
    sizes = [f"{model.path}, weights {numbers.size(model.weight_bytes)}" for model in models]
    versions = [
        ", ".join([f"{domain} {version}" for domain, version in model.opsets.items()] + [model.producer])
        for model in models
    ]
    return [
        _row(result, "size", [numbers.size(model.bytes) for model in models], sizes),
        _row(result, "opset", [str(model.opset) for model in models], versions),
        _row(result, "parameters", [numbers.count(model.parameters) for model in models], names),
        _row(result, "top-1", [numbers.percent(model.top1) for model in models], accuracies),
    ]


def _difference_rows(result: Compared) -> list[Row]:
    found = {(one.model, one.backend): one for one in result.parity.results}
    rows = []
    for engine in dict.fromkeys(engine for _, engine in found):
        ones = [found[model.path, engine] for model in result.compared]
        lines = [agreement_text(one) for one in ones]
        rows.append(_row(result, engine, [difference(one.parity) for one in ones], lines, f"parity {engine}"))
    return rows


def _latency_rows(result: Compared) -> list[Row]:
    rows = []
    for engine, timings in result.latency.items():
        found = {(timing.model, timing.batch): timing for timing in timings}
        for batch in dict.fromkeys(timing.batch for timing in timings):
            ones = [found[model.path, batch] for model in result.compared]
            rows.append(
                _row(result, f"{engine} batch {batch}", list(map(spread, ones)), list(map(timing_text, ones)))
            )
    return [*_timed_input_rows(result), *rows]


def _timed_input_rows(result: Compared) -> list[Row]:
    """The inputs on which the runs of the smallest batch were timed; details of the other rows have theirs."""
    timed = [timing for timings in result.latency.values() for timing in timings if timing.inputs]
    batch = min((timing.batch for timing in timed), default=0)
    found = {timing.model: numbers.shapes(timing.inputs) for timing in timed if timing.batch == batch}
    shapes = [found.get(model.path, "") for model in result.compared]
    cells = [shape or quiet("-") for shape in shapes]
    return [_row(result, f"input, batch {batch}", cells, [shape or "not run" for shape in shapes])] if timed else []


def _operator_rows(result: Compared) -> list[Row]:
    return [
        _row(result, operator, [_count(n, counts[0]) for n in counts], [_change(n, counts[0]) for n in counts])
        for operator, counts in result.operators.items()
    ]


def _row(result: Compared, label: str, cells: Sequence[Line], lines: Sequence[str], key: str = "") -> Row:
    """A row with one cell per file, and one line of details per file."""
    details = tuple(
        (quiet(f"{number} {name}  "), line)
        for (number, name, _), line in zip(_numbered(result), lines, strict=True)
    )
    return Row(key or label, (label, *cells), details=details)


def _details(result: Compared, table: Table) -> tuple[tuple[str, Line], ...]:
    """The details of all rows, each with the label of its row."""
    return tuple((str(row.cells[0]), join("", [line])) for row in table.rows for line in row.details)


def _reasons(result: Compared) -> Document:
    """The reasons for missing latencies."""
    names = {path: f"{number} {name}" for number, name, path in _numbered(result)}
    pairs = tuple(
        (f"{engine} batch {timing.batch}", f"{names[timing.model]}  {timing.reason}")
        for engine, timings in result.latency.items()
        for timing in timings
        if timing.reason
    )
    return (KeyValues(pairs),) if pairs else ()


def _numbered(result: Compared) -> list[tuple[int, str, str]]:
    """(number, short name, path) of each file."""
    paths = [model.path for model in result.compared]
    return [
        (number, name, path) for number, (name, path) in enumerate(zip(short_names(paths), paths, strict=True), 1)
    ]


def short_names(paths: Sequence[str]) -> list[str]:
    """The names without the parts at the beginning that all of them share."""
    parts = [Path(path).stem.split("_") for path in paths]
    shared = 0
    while all(len(own) > shared for own in parts) and len({own[shared] for own in parts}) == 1:
        shared += 1
    return ["_".join(own[shared:]) or own[-1] for own in parts]


def difference(parity: Parity | None) -> Line:
    """The max abs. difference, marked where it exceeds the tolerance."""
    if parity is None:
        return quiet("-")
    return Styled(numbers.difference(parity.max_logit_difference), "good" if parity.passed else "warning")


def agreement_text(agreement: Agreement) -> str:
    """The outputs of a file in an engine against the reference, or why they were not compared."""
    parity = parity_text(agreement.parity) if agreement.parity else ""
    return "; ".join(part for part in (parity, agreement.reason) if part)


def parity_text(parity: Parity) -> str:
    """An engine's outputs against the reference, in a line."""
    verdict = "within" if parity.max_logit_difference <= parity.tolerance else "exceeds"
    top1 = "" if parity.top1_agreement is None else f"top-1 agreement {numbers.percent(parity.top1_agreement)} "
    return (
        f"max abs. difference {numbers.difference(parity.max_logit_difference)}, {verdict} tolerance "
        f"{numbers.difference(parity.tolerance)}; {top1}on {numbers.count(parity.samples)} samples"
    )


def spread(timing: Timing) -> Line:
    """Median and, in parentheses, spread in milliseconds."""
    if timing.median is None:
        return quiet("-")
    return f"{numbers.milliseconds(timing.median)} ({numbers.milliseconds(timing.spread)})"


def timing_text(timing: Timing) -> str:
    """A latency in a line, or why there is none."""
    if timing.median is None:
        return timing.reason
    threads = f"{timing.threads} thread{'s' if timing.threads > 1 else ''}"
    return (
        f"median {numbers.milliseconds(timing.median)} ms, spread {numbers.milliseconds(timing.spread)} ms, "
        f"{timing.runs} runs, {threads}{f', input {numbers.shapes(timing.inputs)}' if timing.inputs else ''}"
    )


def _count(count: int, first: int) -> Line:
    """The number of nodes of an operator, and the difference from the first file."""
    text = str(count) if count else "-"
    return quiet(text) if count == first else Styled(f"{text} ({count - first:+})", "strong")


def _change(count: int, first: int) -> str:
    if count == first:
        return f"{count}, as in the first"
    return f"{count}: {abs(count - first)} {'added' if count > first else 'removed'}"


PRESENTERS: dict[type, Callable[[Any], Document]] = {Compared: comparison_document}
