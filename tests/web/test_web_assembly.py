"""`inspect` runs a file in ONNX Runtime Web where Node and the runtime are on the machine, and says so."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from kanji_tui.engines.engine import EngineError
from kanji_tui.engines.web_assembly import WebEngine, why_not
from kanji_tui.events import SilentReport
from kanji_tui.inspection.compare import compare_models
from kanji_tui.inspection.inspect import inspect_models
from kanji_tui.presentation.inspection import engine_table
from kanji_tui.recognition.model_files import built_in
from kanji_tui.recognition.models import open_model


@pytest.fixture
def node(runtime: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("node") is None:
        pytest.skip("Node is not installed: no file is run in WebAssembly")
    for name, value in runtime.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """An image of 8x8, and how much of it is ink, as numbers of several types."""
    nodes = [
        helper.make_node("Relu", ["x"], ["positive"]),
        helper.make_node("ReduceMean", ["positive"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Cast", ["mean"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Add", ["whole", "n"], ["sum"]),
    ]
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1, 8, 8])
    number = helper.make_tensor_value_info("n", TensorProto.INT64, [1])
    outputs = [
        helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["batch", 1]),
        helper.make_tensor_value_info("sum", TensorProto.INT64, ["batch", 1]),
    ]
    graph = helper.make_graph(nodes, "g", [image, number], outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7)
    onnx.save(model, tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def test_values_of_every_type_come_back_as_they_are(node: None, network: Path) -> None:
    images = np.random.default_rng(0).normal(5, 1, (3, 1, 8, 8)).astype(np.float32)
    inputs = {"x": images, "n": np.array([2**40], np.int64)}
    assert why_not(network, inputs) == ""
    with WebEngine() as engine:
        mean, total = engine.run(network, inputs)
        latency = engine.latency(network, inputs)
    assert np.allclose(mean, images.clip(0).mean((2, 3)), atol=1e-5)
    assert total.dtype == np.int64
    assert total.tolist() == (mean.astype(np.int64) + 2**40).tolist()
    assert latency.inputs == {"x": (3, 1, 8, 8), "n": (1,)}


def test_inspect_says_that_it_ran_and_how_fast(node: None, network: Path) -> None:
    (model,) = inspect_models((network,), SilentReport()).models
    web = model.backends["onnxruntime-web"]
    assert web.runs is True
    assert web.difference == pytest.approx(0, abs=1e-6)
    assert "run in WebAssembly; WebGPU not run" in web.reason
    row = next(row for row in engine_table(model).rows if row.key == "onnxruntime-web")
    assert row.cells[1:2] != ("not tried",)
    assert "WebAssembly in Node" in row.cells[2]


def test_the_built_in_model_answers_as_in_python(node: None) -> None:
    model = open_model(Path("built-in"))
    images = np.random.default_rng(1).random((2, 1, 64, 64)).astype(np.float32)
    with WebEngine() as engine:
        (logits,) = engine.run(built_in(".onnx"), {"input": images})
    assert np.abs(logits - model.run(images)).max() < 1e-3


def test_a_file_that_it_does_not_open_is_said_in_its_own_words(node: None, tmp_path: Path) -> None:
    (tmp_path / "damaged.onnx").write_bytes(b"no model")
    with WebEngine() as engine, pytest.raises(EngineError, match=r"(?i)protobuf") as caught:
        engine.run(tmp_path / "damaged.onnx", {})
    assert "\n" not in str(caught.value)


def test_after_a_crash_it_is_started_again(node: None, network: Path) -> None:
    inputs = {"x": np.ones((1, 1, 8, 8), np.float32), "n": np.array([1], np.int64)}
    with WebEngine() as engine:
        engine.run(network, inputs)
        engine._process.kill()
        with pytest.raises(EngineError, match="it crashed"):
            engine.run(network, inputs)
        assert engine.run(network, inputs)[0].tolist() == [[1.0]]


def test_compare_runs_both_files_in_it(node: None, network: Path, tmp_path: Path) -> None:
    shutil.copy(network, tmp_path / "again.onnx")
    found = compare_models((network, tmp_path / "again.onnx"), tmp_path / "dataset", SilentReport())
    web = [one for one in found.parity.results if one.backend == "onnxruntime-web"]
    assert [one.parity.passed for one in web] == [True, True]
    assert "WebAssembly in Node" in web[0].parity.version
    assert all(timing.median for timing in found.latency["onnxruntime-web"])


def test_an_engine_that_differs_does_not_run(node: None, network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = WebEngine.run
    monkeypatch.setattr(WebEngine, "run", lambda *given: [output + 1 for output in run(*given)])
    (model,) = inspect_models((network,), SilentReport()).models
    assert model.backends["onnxruntime-web"].runs is False
    assert "it runs, but" in model.backends["onnxruntime-web"].reason


def test_without_the_runtime_it_is_judged_by_the_table(network: Path) -> None:
    (model,) = inspect_models((network,), SilentReport()).models
    web = model.backends["onnxruntime-web"]
    assert (web.runs, web.version) == (None, "")
    assert web.reason.startswith("not run: by the table")
