"""Exports and pooling types as key-values and tables."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from kanji_tui.events import Failure
from kanji_tui.export.results import ExportedMapping, ExportedSafetensors
from kanji_tui.presentation.document import text_of
from kanji_tui.presentation.export import (
    ended_table,
    mapping_key_values,
    onnx_key_values,
    pooling_table,
    safetensors_key_values,
)
from kanji_tui.workspace.log_times import LogLine
from kanji_tui.workspace.run_views import RunView
from tests.tui.inspector_results import compared, exported, pooled

TENSORS = ExportedSafetensors("m/a.safetensors", 4_000_000, 12, 1_000_000, {"format": "pt", "card": "{}"}, True)


def view(job: str, result: Any = None, **known: Any) -> RunView:
    return RunView("run", Path("run"), job, "finished", result=result, **known)


def test_an_export_names_how_it_was_verified_and_measured() -> None:
    found = onnx_key_values(exported())
    pairs = {name: text_of(value) for name, value in found.pairs}
    assert found.title.endswith("_int8_static.onnx")
    assert pairs["pooling"] == "adaptive_avg: GlobalAveragePool whole image"
    assert pairs["top-1"] == (
        "96.98 % (93.97-98.51), as trained 97.12 % (94.15-98.60), 240 samples: drawn sample, test split"
    )
    assert pairs["tract"].startswith("max abs. difference 3.1e-01, exceeds tolerance 1.4e-03")
    assert pairs["ranges from"] == "drawn sample, train split"
    assert "variant" not in pairs
    latencies = [value for name, value in found.pairs if name == "latency"]
    assert latencies == [
        "tract, batch 1: median 0.80 ms, spread 0.08 ms, 30 runs, 1 thread",
        "tract, batch 32: its batch is fixed at 1",
    ]


def test_safetensors_were_read_back_or_not() -> None:
    pairs = dict(safetensors_key_values(TENSORS).pairs)
    assert pairs["verified"] == "read back: equal to the model bit by bit"
    assert pairs["metadata"] == "format, card"
    bare = dict(safetensors_key_values(replace(TENSORS, verified=None, metadata={})).pairs)
    assert bare["verified"] == "no: --verify reads it back"
    assert bare["metadata"] == "none"


def test_a_mapping_has_its_statistics() -> None:
    result = ExportedMapping("m.json", 2048, 71, {"hiragana_count": 71, "average_stroke_count": 2.5})
    assert dict(mapping_key_values(result).pairs) == {
        "size": "2.0 KiB",
        "classes": "71",
        "statistics": "hiragana count 71, average stroke count 2.50",
    }


def test_each_pooling_type_is_measured_or_has_a_reason() -> None:
    kept, refused = pooling_table(pooled()).rows
    assert [text_of(cell) for cell in kept.cells] == [
        "adaptive_avg *", "4.3 MiB", "97.12 %", "29", "1.00", "32.0", "1.00", "32.0",
        "GlobalAveragePool whole image",
    ]  # fmt: skip
    assert refused.details == ("avg_2x2 needs training again",)
    assert len(refused.cells) == len(kept.cells)


def test_every_ended_run_has_a_table() -> None:
    failure = Failure("there is no model", "train one", 1)
    tables = {
        "compare": ended_table(view("compare", compared())),
        "pooling": ended_table(view("pooling", pooled())),
        "export_onnx": ended_table(view("export_onnx", exported())),
        "export_safetensors": ended_table(view("export_safetensors", TENSORS)),
        "failed": ended_table(view("export_onnx", failure=failure)),
        "unreadable": ended_table(
            view("pooling", notices=(LogLine("the result cannot be shown: of another version"),))
        ),
    }
    for name, table in tables.items():
        assert table.rows, name
        assert len({row.key for row in table.rows}) == len(table.rows), name
        assert all(row.heading or row.details for row in table.rows), name
        assert all(len(row.cells) <= len(table.columns) or row.heading for row in table.rows), name
    assert [row.details for row in tables["failed"].rows] == [("there is no model",), ("train one",)]
    assert tables["unreadable"].rows[-1].details == ("the result cannot be shown: of another version",)
    assert tables["export_safetensors"].rows[-1].details == ("{}",)
