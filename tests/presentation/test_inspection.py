"""An inspected model as tables and key-values."""

from dataclasses import replace

from kanji_tui.cli.render import plain_lines
from kanji_tui.engines.results import AS_IT_IS, WITHOUT_SHAPES, Latency
from kanji_tui.inspection.results import Attempt, FailedModel, FileError, Inspected, Support, UnsupportedNode
from kanji_tui.presentation.document import Document, Table, text_of
from kanji_tui.presentation.inspection import (
    GIVE_INPUTS,
    engine_table,
    input_lines,
    inspection_document,
    layer_table,
    model_key_values,
    node_table,
    operator_table,
    row_text,
    unsupported_by,
    unsupported_lines,
)
from tests.tui.recorded import INSPECTED

TWICE = tuple(UnsupportedNode(f"/{name}", "Det", "no rule for [batch]") for name in "ab")


def text(document: Document) -> str:
    return "\n".join(plain_lines(document))


def cells(table: Table, key: str) -> list[str]:
    return next([text_of(cell) for cell in row.cells] for row in table.rows if row.key == key)


def test_key_values_name_versions_weights_and_work() -> None:
    model = replace(INSPECTED, opsets={"ai.onnx": 12, "com.microsoft": 1}, macs_unknown=1)
    pairs = {name: text_of(value) for name, value in model_key_values(model).pairs}
    assert pairs == {
        "opset": "12, com.microsoft 1, IR 7, pytorch",
        "weights": "1,127,380 parameters, 76.6 KiB; the file has 4.3 MiB",
        "MACs": "27,449,344 for an input of 1x1x32x32; not counted: 1 node",
        "pooling": "1 GlobalAveragePool whole image",
        "interface": "input float batchx1x32x32  ->  logits float batchx6",
    }


def test_operators_are_counted_most_frequent_first() -> None:
    assert [row.key for row in operator_table(INSPECTED).rows] == ["Conv", "Gemm", "GlobalAveragePool", "Relu"]


def test_an_engine_runs_or_names_what_it_does_not_support() -> None:
    table = engine_table(INSPECTED)
    assert cells(table, "onnxruntime") == ["onnxruntime", "runs", "1.22, 5 nodes tested"]
    assert cells(table, "tract") == [
        "tract",
        "FAILS",
        "1 node unsupported: GlobalAveragePool /pool: not for this shape",
    ]
    assert cells(table, "onnxruntime-web")[1:] == ["not tried", "by its table of WebGPU operators"]


def test_an_engine_without_a_fitting_input_is_no_failure() -> None:
    tried = (Attempt(AS_IT_IS, {"x": (1, 64)}, 1, "not a multiple of 707"),)
    support = Support(None, reason="no made-up input fits; 1 tried, the first gave: not a multiple", tried=tried)
    model = replace(INSPECTED, backends={"onnxruntime": support})
    assert cells(engine_table(model), "onnxruntime")[1:] == ["not tried", support.reason]
    assert input_lines(model) == (GIVE_INPUTS,)
    assert GIVE_INPUTS in engine_table(model).rows[0].details
    assert GIVE_INPUTS in inspection_document(Inspected((model,)))
    assert input_lines(INSPECTED) == ()


def test_an_unusual_opening_is_named() -> None:
    dropped = Support(True, version="0.23", opening=WITHOUT_SHAPES)
    usual = Support(True, version="1.31", opening=AS_IT_IS)
    table = engine_table(replace(INSPECTED, backends={"tract": dropped, "onnxruntime": usual}))
    assert cells(table, "tract")[2] == f"0.23, opened {WITHOUT_SHAPES}"
    assert cells(table, "onnxruntime")[2] == "1.31"


def test_files_that_failed_are_not_among_the_documents() -> None:
    failed = FailedModel("bad.onnx", FileError("bad.onnx is empty", "export it again", 1))
    assert text(inspection_document(Inspected((failed, INSPECTED)))) == text(
        inspection_document(Inspected((INSPECTED,)))
    )


def test_nodes_unsupported_for_one_reason_stand_together() -> None:
    model = replace(INSPECTED, backends={"tract": Support(False, TWICE, "no rule for [batch]", "0.23", 5)})
    assert [text_of(line) for line in unsupported_lines(model)] == [  # type: ignore[arg-type]
        "tract  unsupported Det /a and 1 more: no rule for [batch]"
    ]
    assert cells(engine_table(model), "tract")[2] == "2 nodes unsupported, first Det /a: no rule for [batch]"


def test_macs_and_milliseconds_name_the_inputs_that_they_hold_for() -> None:
    shapes = {"x": (1, 8), "state": (2, 1, 8)}
    support = Support(True, version="1.22", latency=Latency(0.35e-3, 0.01e-3, 30, 1, shapes))
    nodes = (replace(INSPECTED.nodes[0], macs=1200),)
    model = replace(INSPECTED, ran_on=shapes, nodes=nodes, backends={"onnxruntime": support})
    sizes = "for an input of x 1x8 and state 2x1x8"
    assert dict(model_key_values(model).pairs)["MACs"] == f"27,449,344 {sizes}"
    assert cells(engine_table(model), "onnxruntime")[2].startswith(
        "1.22, 0.35 ms on x 1x8 and state 2x1x8, median of 30 runs, spread 0.01 ms"
    )
    assert layer_table(model).about.endswith(f"MACs {sizes}")
    assert text_of(node_table(model).rows[0].details[-1]).endswith(f"1,200 MACs {sizes}")
    not_run = replace(model, ran_on={})
    assert dict(model_key_values(not_run).pairs)["MACs"] == "27,449,344 for the sizes in the file"


def test_a_filter_finds_the_nodes_that_an_engine_does_not_support() -> None:
    web = Support(None, (UnsupportedNode("/stem.1", "Relu", "no WebGPU kernel"),))
    rows = node_table(replace(INSPECTED, backends={**INSPECTED.backends, "onnxruntime-web": web})).rows

    def found(words: str) -> list[str]:
        return [row.key for row in rows if all(word in row_text(row) for word in words.split())]

    assert found("1x64x4x4") == ["2"]
    assert found(unsupported_by("tract")) == ["3"]
    assert found(unsupported_by("onnxruntime-web")) == ["1"]
    assert found(unsupported_by("onnxruntime")) == []


def test_layers_have_their_share_of_the_weights() -> None:
    table = layer_table(INSPECTED)
    assert cells(table, "body.0")[2:] == ["93.94 %", "72.0 KiB", "18,432", "1,179,648", "Conv"]
    assert table.about == "3 layers hold 76.6 KiB; the file has 4.3 MiB; MACs for an input of 1x1x32x32"


def test_the_command_prints_everything_and_the_nodes_when_asked() -> None:
    result = Inspected((INSPECTED, replace(INSPECTED, path="models/[other].onnx")))
    short, long = text(inspection_document(result)), text(inspection_document(result, nodes=True))
    for part in ("models/[other].onnx", "2 Conv, 1 Relu", "unsupported GlobalAveragePool /pool", "size by layer"):
        assert part in short
    assert "strides=[2, 2]" not in short
    assert long.count("strides=[2, 2]") == 4
