"""Exported files with their measurements, and the comparison of pooling types."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kanji_tui.engines.results import Timing
from kanji_tui.export.results import (
    Accuracy,
    ExportedMapping,
    ExportedOnnx,
    ExportedSafetensors,
    PoolingRow,
    PoolingTable,
)
from kanji_tui.inspection.results import Compared
from kanji_tui.presentation.comparison import comparison_table, parity_text, timing_text
from kanji_tui.presentation.document import Column, Document, KeyValues, Line, Row, Table, quiet
from kanji_tui.presentation.status import state_of
from kanji_tui.presentation.web import page_key_values, served_key_values
from kanji_tui.system import numbers
from kanji_tui.web.results import ExportedPage, Served
from kanji_tui.workspace.run_views import RunView

JOBS = ("compare", "pooling", "export_onnx", "export_safetensors", "export_mapping", "export_web")
RESULTS = (*JOBS, "serve")
VERIFIED = {True: "read back: equal to the model bit by bit", None: "no: --verify reads it back", False: ""}

POOLING_COLUMNS = (
    Column("type"),
    Column("size", 8, right=True),
    Column("top-1", 8, right=True),
    Column("nodes", 5, right=True),
    Column("ORT 1", 6, right=True),
    Column("ORT 32", 6, right=True),
    Column("tract 1", 7, right=True),
    Column("tract 32", 8, right=True),
    Column("pooling nodes", 30),
)


def onnx_key_values(result: ExportedOnnx) -> KeyValues:
    """An exported ONNX file: how it was made, verified and measured."""
    pairs = (
        ("size", numbers.size(result.bytes)),
        ("opset", str(result.opset)),
        ("exporter", result.exporter),
        ("pooling", f"{result.pooling_type}: {result.pooling}"),
        ("precision", result.quantization),
        ("variant", result.changed),
        ("ranges from", result.calibration),
        ("verified on", result.samples_source),
        *((engine, parity_text(parity)) for engine, parity in result.parity.items()),
        ("top-1", _accuracy(result.accuracy)),
        *_latencies(result.latency),
        ("target", f"{result.target}: {result.note}"),
        ("classes", f"{numbers.count(result.classes)}, {result.size}x{result.size} images"),
        ("mapping", result.mapping_path),
    )
    return _key_values(result.path, pairs)


def _accuracy(accuracy: Accuracy | None) -> str:
    if accuracy is None:
        return ""
    top1, before = (numbers.accuracy(share, accuracy.samples) for share in (accuracy.top1, accuracy.before))
    return f"{top1}, as trained {before}, {numbers.count(accuracy.samples)} samples: {accuracy.source}"


def _latencies(latency: Mapping[str, tuple[Timing, ...]]) -> list[tuple[str, str]]:
    return [
        ("latency", f"{engine}, batch {timing.batch}: {timing_text(timing)}")
        for engine, timings in latency.items()
        for timing in timings
    ]


def safetensors_key_values(result: ExportedSafetensors) -> KeyValues:
    """An exported SafeTensors file."""
    pairs = (
        ("size", numbers.size(result.bytes)),
        ("tensors", f"{numbers.count(result.tensors)}, {numbers.count(result.parameters)} parameters"),
        ("verified", VERIFIED[result.verified]),
        ("metadata", ", ".join(result.metadata) or "none"),
    )
    return _key_values(result.path, pairs)


def mapping_key_values(result: ExportedMapping) -> KeyValues:
    """An exported mapping of class numbers to characters."""
    counts = (f"{name.replace('_', ' ')} {_number(number)}" for name, number in result.statistics.items())
    pairs = (
        ("size", numbers.size(result.bytes)),
        ("classes", numbers.count(result.classes)),
        ("statistics", ", ".join(counts)),
    )
    return _key_values(result.path, pairs)


def _number(number: int | float) -> str:
    return numbers.count(number) if isinstance(number, int) else f"{number:.2f}"


def _key_values(title: str, pairs: tuple[tuple[str, str], ...]) -> KeyValues:
    """The pairs that have a value."""
    return KeyValues(tuple(pair for pair in pairs if pair[1]), title)


# pooling types


def pooling_table(result: PoolingTable) -> Table:
    """A row per pooling type: the measurements of its file, or why the model must be trained again for it."""
    timings = (timing for row in result.poolings for found in (row.latency or {}).values() for timing in found)
    inputs = dict.fromkeys(numbers.shapes(timing.inputs) for timing in timings if timing.inputs)
    about = (
        f"{numbers.count(result.samples)} samples: {result.samples_source}; * as trained\n"
        f"ORT 32: median ms in ONNX Runtime, batch 32{'; inputs ' if inputs else ''}{' and '.join(inputs)}"
    )
    return Table(POOLING_COLUMNS, [_pooling_row(row) for row in result.poolings], "", about)


def _pooling_row(row: PoolingRow) -> Row:
    name: Line = (row.type, quiet(" *" if row.trained else ""))
    if row.refused:
        cells: tuple[Line, ...] = (name, *(quiet("-"),) * 7, row.refused)
        return Row(row.type, cells, details=(row.refused,))
    timings = [timing for engine in (row.latency or {}).values() for timing in engine]
    operators = row.operators or {}
    cells = (
        name,
        numbers.size(row.bytes),
        numbers.percent(row.top1),
        numbers.count(sum(operators.values())),
        *(numbers.milliseconds(timing.median) for timing in timings),
        row.pooling,
    )
    details = (
        row.pooling,
        ", ".join(f"{times} {operator}" for operator, times in operators.items()),
        f"top-1 {numbers.with_interval(row.top1, row.top1_interval)}",
        f"max abs. difference of logits {numbers.difference(row.max_logit_difference)}",
        *(timing.reason for timing in timings if timing.reason),
    )
    return Row(row.type, cells, details=details)


def pooling_document(result: PoolingTable) -> Document:
    """The table, and above it the model it is about."""
    line = f"{result.model_path}, trained by {result.trained}; files for the target tract"
    return (line, pooling_table(result))


# results in the Inspector


def ended_table(view: RunView) -> Table:
    """The result of an ended run of one of JOBS, or why it has none."""
    title = f"{view.title}  {numbers.moment(view.started)}"
    result = view.result
    if isinstance(result, Compared):
        table = comparison_table(result)
    elif isinstance(result, PoolingTable):
        table = pooling_table(result)
    elif isinstance(result, ExportedOnnx):
        table = pair_table(onnx_key_values(result))
    elif isinstance(result, ExportedSafetensors):
        found = safetensors_key_values(result)
        card = ("card", result.metadata.get("card", "none"))
        table = pair_table(KeyValues((*found.pairs, card), found.title))
    elif isinstance(result, ExportedMapping):
        table = pair_table(mapping_key_values(result))
    elif isinstance(result, ExportedPage):
        table = pair_table(page_key_values(result))
    elif isinstance(result, Served):
        table = pair_table(served_key_values(result))
    else:
        table = pair_table(_without_result(view))
    return replace(table, title=title)


def _without_result(view: RunView) -> KeyValues:
    """How a run without a result ended."""
    failure, state = view.failure, state_of(view).text
    found = (("message", failure.message), ("to do", failure.remedy)) if failure else (("state", state),)
    notices = tuple(("notice", notice.text) for notice in view.notices[-1:])
    return _key_values(f"{view.title} {state}", (*found, *notices))


def pair_table(key_values: KeyValues) -> Table:
    """Names and values as a table; the details of a row are its full value."""
    rows = [
        Row(f"{number} {name}", (quiet(name), value), details=(value,))
        for number, (name, value) in enumerate(key_values.pairs)
    ]
    return Table((Column("", 14), Column("")), rows, about=key_values.title)


PRESENTERS: dict[type, Callable[[Any], Document]] = {
    ExportedOnnx: lambda result: (onnx_key_values(result),),
    ExportedSafetensors: lambda result: (safetensors_key_values(result),),
    ExportedMapping: lambda result: (mapping_key_values(result),),
    PoolingTable: pooling_document,
}
