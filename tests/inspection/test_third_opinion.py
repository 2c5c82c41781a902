"""ONNX's reference evaluator decides nothing, but says with whom it agrees."""

from pathlib import Path

import numpy as np
import pytest

from kanji_tui.engines.engine import Engine
from kanji_tui.inspection.compare import compare_models
from kanji_tui.inspection.inspect import inspect_models
from kanji_tui.inspection.third_opinion import third_opinion
from tests.inspection import graphs


@pytest.fixture(autouse=True)
def untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kanji_tui.engines.engine.LATENCY_RUNS", 3)


def test_it_agrees_with_whoever_is_right(tmp_path: Path) -> None:
    path = graphs.image_network(tmp_path / "net.onnx")
    inputs = {"x": np.random.default_rng(0).random((1, 1, 16, 16)).astype(np.float32)}
    with Engine("onnxruntime") as engine:
        (right,) = engine.run(path, inputs)
    for wrong, words in (("onnxruntime", "tract"), ("tract", "onnxruntime"), ("onnxruntime and tract", "neither")):
        outputs = {name: [right + (name in wrong)] for name in ("onnxruntime", "tract")}
        assert third_opinion(path, inputs, {}, outputs) == f"ONNX's reference evaluator agrees with {words}"


def test_a_node_in_dispute_and_the_model_get_a_third_opinion(tmp_path: Path, report) -> None:
    (model,) = inspect_models((graphs.backward_lstm(tmp_path / "lstm.onnx"),), report).models
    tract = model.backends["tract"]
    for reason in (tract.reason, *(found.reason for found in tract.refused)):
        assert reason.startswith("it runs, but its output differs from ONNX Runtime's by ")
        assert reason.endswith("; ONNX's reference evaluator agrees with onnxruntime")
    assert model.backends["onnxruntime"].runs is True


def test_it_is_not_asked_about_a_batch_normalization_that_it_computes_wrongly(tmp_path: Path, report) -> None:
    path = graphs.backward_lstm(tmp_path / "lstm.onnx", normalised=True)
    (model,) = inspect_models((path,), report).models
    tract = model.backends["tract"]
    assert tract.reason.endswith("was not asked: it computes BatchNormalization wrongly before opset 14")
    (found,) = tract.refused
    assert (found.node, found.reason.endswith("agrees with onnxruntime")) == ("back", True), "a node without it is"


def test_a_comparison_has_it_too(tmp_path: Path, report) -> None:
    path = graphs.backward_lstm(tmp_path / "lstm.onnx")
    onnxruntime, tract, *_ = compare_models((path, path), tmp_path, report).parity.results
    assert onnxruntime.parity.passed
    assert onnxruntime.reason == ""
    assert not tract.parity.passed
    assert tract.reason == "ONNX's reference evaluator agrees with onnxruntime"


def test_an_operator_that_it_lacks_is_named(tmp_path: Path) -> None:
    path = graphs.custom_domain(tmp_path / "custom.onnx")
    inputs = {"x": np.zeros(2, np.float32)}
    assert "does not run it" in third_opinion(path, inputs, {}, {"onnxruntime": [], "tract": []})
