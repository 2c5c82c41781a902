"""`inspect` on files unlike those of this project: a correct result, or a clear message."""

import dataclasses
import json
from pathlib import Path

import pytest

from kanji_tui.errors import Stopped
from kanji_tui.inspection import probing, whole_run
from kanji_tui.inspection.inspect import inspect_models
from kanji_tui.inspection.results import InspectedModel
from tests.inspection import graphs


def inspect(path: Path, report) -> InspectedModel:
    (model,) = inspect_models((path,), report).models
    assert isinstance(model, InspectedModel), model.error
    return model


def failure(path: Path, report) -> str:
    """Why a file cannot be inspected."""
    (model,) = inspect_models((path,), report).failed
    assert model.path == str(path)
    return model.error.message


def test_a_network_is_described_and_runs_in_both_engines(tmp_path: Path, report) -> None:
    model = inspect(graphs.image_network(tmp_path / "net.onnx"), report)
    assert model.opset == 17
    assert model.operators == {"Conv": 1, "Flatten": 1, "Gemm": 1, "GlobalAveragePool": 1, "Relu": 1}
    assert model.parameters == 8 * 9 + 5 * 8 + 5
    assert model.macs == 8 * 8 * 8 * 9 + 5 * 8
    assert model.bytes == (tmp_path / "net.onnx").stat().st_size
    assert model.ran_on == {"x": (1, 1, 16, 16)}
    assert model.inputs[0].shape == ("batch", 1, 16, 16)
    assert [(pool.operator, pool.window, pool.input_shape) for pool in model.pooling] == [
        ("GlobalAveragePool", "whole image", (1, 8, 8, 8))
    ]
    assert model.nodes[0].module == "net.stem"
    assert model.nodes[0].output_shapes == ((1, 8, 8, 8),)
    assert model.nodes[0].attributes["strides"] == "[2, 2]"
    for name in ("onnxruntime", "tract"):
        backend = model.backends[name]
        assert backend.runs is True
        assert backend.refused == ()
        assert backend.probed == 5
        assert backend.version
        assert backend.latency is not None
        assert backend.latency.median > 0
    assert model.backends["tract"].difference == pytest.approx(0, abs=1e-5)
    json.dumps(dataclasses.asdict(model))


def test_a_transformer_block_runs_in_both_engines(tmp_path: Path, report) -> None:
    model = inspect(graphs.transformer_block(tmp_path / "block.onnx"), report)
    assert model.backends["onnxruntime"].runs is True
    assert model.backends["tract"].runs is True, model.backends["tract"].reason
    assert model.backends["tract"].refused == ()
    length = model.ran_on["x"][1]
    assert model.macs == 3 * length * 16 * 16 + 2 * length * length * 16


def test_every_unsupported_node_is_found(tmp_path: Path, report) -> None:
    model = inspect(graphs.with_unsupported(tmp_path / "det.onnx"), report)
    tract = model.backends["tract"]
    assert model.backends["onnxruntime"].runs is True
    assert tract.runs is False
    assert [found.node for found in tract.refused] == ["determinant", "reverse"]
    assert "Unimplemented(Det)" in tract.refused[0].reason
    assert "Unimplemented(ReverseSequence)" in tract.refused[1].reason
    assert tract.probed == 4


def test_an_if_node_runs_and_its_branches_are_counted(tmp_path: Path, report) -> None:
    model = inspect(graphs.control_flow(tmp_path / "if.onnx"), report)
    assert model.operators["If"] == model.operators["Relu"] == model.operators["Neg"] == 1
    assert model.backends["onnxruntime"].runs is True
    assert model.backends["tract"].runs is True, model.backends["tract"].reason
    assert model.backends["tract"].refused == ()


def test_a_node_run_alone_gets_its_computed_shape(tmp_path: Path, report) -> None:
    model = inspect(graphs.computed_shape(tmp_path / "view.onnx"), report)
    for name in ("onnxruntime", "tract"):
        assert model.backends[name].runs is True
        assert model.backends[name].refused == ()
        assert model.backends[name].probed == 5
    assert model.nodes[-1].output_shapes == ((1, 12),)


def test_an_unsupported_loop_is_reported_with_the_engines_message(tmp_path: Path, report) -> None:
    tract = inspect(graphs.loop(tmp_path / "loop.onnx"), report).backends["tract"]
    assert tract.runs is False
    assert [(found.node, found.operator) for found in tract.refused] == [("thrice", "Loop")]
    assert "Unimplemented(Loop)" in tract.refused[0].reason


def test_a_crash_of_an_engine_is_reported(tmp_path: Path, report) -> None:
    first, second = inspect_models(
        (graphs.dividing_by_zero(tmp_path / "zero.onnx"), graphs.image_network(tmp_path / "net.onnx")), report
    ).inspected
    assert first.backends["tract"].runs is False
    assert first.backends["tract"].refused[0].reason == "it crashed (signal SIGABRT): attempt to divide by zero"
    assert second.backends["tract"].runs is True, "the engine is restarted for the next model"


def test_an_engine_that_exceeds_its_limit_is_ended(tmp_path: Path, report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_run, "WHOLE_LIMIT_SECONDS", 1.0)
    monkeypatch.setattr(probing, "NODE_LIMIT_SECONDS", 0.3)
    backend = inspect(graphs.endless(tmp_path / "endless.onnx"), report).backends["onnxruntime"]
    assert backend.runs is False
    assert backend.reason == "it did not answer within 1 s"
    assert [found.node for found in backend.refused] == ["endless"]


def test_a_model_too_slow_to_be_timed_still_runs(tmp_path: Path, report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kanji_tui.engines.engine.LIMIT_SECONDS", 1e-6)  # for timings only
    model = inspect(graphs.image_network(tmp_path / "net.onnx"), report)
    for name in ("onnxruntime", "tract"):
        backend = model.backends[name]
        assert (backend.runs, backend.reason, backend.latency) == (True, None, None)
    assert model.backends["tract"].difference == pytest.approx(0, abs=1e-5)


def test_an_unknown_operator_is_reported(tmp_path: Path, report) -> None:
    model = inspect(graphs.custom_domain(tmp_path / "custom.onnx"), report)
    assert model.operators == {"com.example.Custom": 1}
    for name in ("onnxruntime", "tract"):
        assert model.backends[name].runs is False
        assert "Custom" in model.backends[name].refused[0].reason


def test_an_empty_graph_is_not_run(tmp_path: Path, report) -> None:
    model = inspect(graphs.empty(tmp_path / "empty.onnx"), report)
    assert model.operators == {}
    assert model.backends["tract"].runs is None
    assert "the graph has no output" in model.backends["tract"].reason


def test_string_inputs_are_not_run_in_tract(tmp_path: Path, report) -> None:
    model = inspect(graphs.strings(tmp_path / "strings.onnx"), report)
    assert model.backends["onnxruntime"].runs is True
    assert model.backends["tract"].runs is None
    assert model.backends["tract"].refused == ()
    assert [node.node for node in model.backends["tract"].not_probed] == ["same"]


def test_external_data_is_read_and_its_absence_reported(tmp_path: Path, report) -> None:
    path = graphs.image_network(tmp_path / "net.onnx", save_as_external_data=True)
    model = inspect(path, report)
    assert model.backends["onnxruntime"].runs is True
    assert model.backends["tract"].runs is True, model.backends["tract"].reason
    assert model.parameters == 8 * 9 + 5 * 8 + 5
    (tmp_path / "net.data").unlink()
    assert "net.data, which is missing" in failure(path, report)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"this is not a model, it is a line of text\n" * 9, "not an ONNX file"),
        (b"\x08\x08", "not an ONNX file"),
        (None, "does not exist"),
    ],
)
def test_files_that_are_not_onnx_are_refused(tmp_path: Path, report, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    assert sentence in failure(path, report)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, report, share: float) -> None:
    path = graphs.image_network(tmp_path / "net.onnx")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "not an ONNX file" in failure(path, report)


def test_a_folder_is_refused(tmp_path: Path, report) -> None:
    assert "is a folder" in failure(tmp_path, report)


def test_an_inspection_can_be_stopped(tmp_path: Path, report) -> None:
    report.stop = True
    with pytest.raises(Stopped):
        inspect(graphs.image_network(tmp_path / "net.onnx"), report)
