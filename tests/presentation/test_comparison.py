"""A comparison of ONNX files as tables."""

from dataclasses import replace

import pytest

from kanji_tui.cli.render import plain_lines
from kanji_tui.inspection.results import FailedModel, FileError, ParityTable
from kanji_tui.presentation.comparison import comparison_document, comparison_table, parity_text, short_names
from kanji_tui.presentation.document import text_of
from tests.tui.inspector_results import NAME, compared, parity


def test_a_comparison_shows_every_figure() -> None:
    table = comparison_table(compared())
    rows = {row.key: [text_of(cell) for cell in row.cells] for row in table.rows}
    details = {row.key: "\n".join(map(text_of, row.details)) for row in table.rows}
    assert rows["size"] == ["size", "4.3 MiB", "1.1 MiB", "4.3 MiB"]
    assert rows["top-1"] == ["top-1", "97.12 %", "96.98 %", "-"]
    assert rows["parity tract"] == ["tract", "1.0e-05", "3.1e-01", "-"]
    assert rows["tract batch 32"] == ["tract batch 32", "20.0 (2.00)", "28.0 (2.80)", "-"]
    assert rows["QuantizeLinear"] == ["QuantizeLinear", "-", "45 (+45)", "-"]
    assert "Unimplemented(ReverseSequence)" in details["tract batch 32"]
    assert "exceeds tolerance 1.4e-03" in details["parity tract"]
    assert "30 runs, 1 thread" in details["onnxruntime batch 1"]
    assert next(row.key for row in table.rows if row.heading) == "files"


def test_latencies_name_the_inputs_they_hold_for() -> None:
    """Above the latencies in each file's column, and in the details."""
    result = compared()
    shapes = {1: {"input": (1, 1, 32, 32)}, 32: {"input": (32, 1, 32, 32)}}
    latency = {
        engine: tuple(replace(one, inputs=shapes[one.batch]) if one.median else one for one in timings)
        for engine, timings in result.latency.items()
    }
    table = comparison_table(replace(result, latency={"tract": latency["tract"]}))
    rows = {row.key: [text_of(cell) for cell in row.cells] for row in table.rows}
    assert rows["input, batch 1"][1:] == ["1x1x32x32", "1x1x32x32", "-"]
    assert "input, batch 32" not in rows
    details = {row.key: "\n".join(map(text_of, row.details)) for row in table.rows}
    assert "30 runs, 1 thread, input 32x1x32x32" in details["tract batch 32"]


def test_outputs_without_classes_have_no_top1_agreement() -> None:
    text = parity_text(replace(parity(1e-5), top1_agreement=None, samples=8))
    assert text == "max abs. difference 1.0e-05, within tolerance 1.4e-03; on 8 samples"


def test_a_third_opinion_stands_beside_the_difference() -> None:
    result = compared()
    agreements = tuple(replace(one, reason=one.reason or "a third opinion") for one in result.parity.results)
    table = comparison_table(replace(result, parity=replace(result.parity, results=agreements)))
    details = {row.key: "\n".join(map(text_of, row.details)) for row in table.rows}
    assert "on 240 samples; a third opinion" in details["parity tract"]


def test_the_command_names_the_files_and_the_reasons() -> None:
    output = "\n".join(plain_lines(comparison_document(compared())))
    assert f"3 odd: {NAME}_odd.onnx" in output
    assert "max abs. difference to 1, on 240 samples" in output
    assert "onnxruntime: 3 odd  it gives 5 numbers, not 6" in output
    assert "tract batch 32: 3 odd  Translating node 'tail'" in output


def test_a_file_that_was_not_compared_stands_below_the_others() -> None:
    failed = FailedModel("models/page.onnx", FileError("models/page.onnx is an HTML page", "download the file", 1))
    result = compared()
    table = comparison_table(replace(result, models=(failed, *result.models)))
    keys = [row.key for row in table.rows]
    assert keys.index("top-1") < keys.index("not compared") < keys.index("failed 0")
    row = table.rows[keys.index("failed 0")]
    assert [text_of(cell) for cell in row.cells] == ["page.onnx", "", "", ""]
    assert "\n".join(map(text_of, row.details)) == "models/page.onnx is an HTML page.\ndownload the file"
    alone = replace(result, models=(failed,), operators={}, latency={}, parity=ParityTable("", 0, "", ()))
    table = comparison_table(alone)
    assert table.about == "none of the files could be read"
    assert [row.key for row in table.rows] == ["not compared", "failed 0"]


def test_parity_is_within_its_tolerance_or_exceeds_it() -> None:
    assert parity_text(parity(1e-5)) == (
        "max abs. difference 1.0e-05, within tolerance 1.4e-03; top-1 agreement 100.00 % on 240 samples"
    )
    assert "exceeds tolerance" in parity_text(parity(0.31))
    disagreeing = replace(parity(1e-5), passed=False, top1_agreement=0.5)
    assert "within tolerance 1.4e-03; top-1 agreement 50.00 %" in parity_text(disagreeing)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["m/a_b_tract.onnx", "m/a_b_strict.onnx"], ["tract", "strict"]),
        (["m/a_tract.onnx", "m/a_tract_fp16.onnx"], ["tract", "fp16"]),
        (["m/a.onnx", "n/a.onnx"], ["a", "a"]),
        (["x.onnx", "y.onnx"], ["x", "y"]),
    ],
)
def test_files_are_named_by_the_end_of_their_names(paths: list[str], names: list[str]) -> None:
    assert short_names(paths) == names
