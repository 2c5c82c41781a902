"""Every form of global pooling gives the same values with a fixed window."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper

from kanji_tui.errors import KanjiError
from kanji_tui.export.pooling import fix_pooling
from tests.inspection.graphs import number, save

AVERAGE, LARGEST = {"axes": [2, 3]}, {"axes": [-1, -2]}


@pytest.mark.parametrize(
    ("operator", "attributes", "rank"),
    [
        ("GlobalAveragePool", {}, 4),
        ("GlobalMaxPool", {}, 4),
        ("ReduceMean", {**AVERAGE, "keepdims": 1}, 4),
        ("ReduceMean", {**AVERAGE, "keepdims": 0}, 2),
        ("ReduceMean", AVERAGE, 4),
        ("ReduceMax", {**LARGEST, "keepdims": 0}, 2),
    ],
)
def test_pooling_with_a_window_gives_the_same_values(
    tmp_path: Path, operator: str, attributes: dict, rank: int
) -> None:
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], name="relu"),
        helper.make_node(operator, ["r"], ["y"], name=f"/net/{operator}", **attributes),
    ]
    out = number("y", *("batch", 3, 1, 1)[:rank])
    path = save(tmp_path / "before.onnx", nodes, [number("x", "batch", 3, 5, 7)], [out], opset=11)
    model = onnx.load(str(path))
    fix_pooling(model)
    onnx.checker.check_model(model, full_check=True)
    operators = [node.op_type for node in model.graph.node]
    assert operators[:2] == ["Relu", "MaxPool" if "Max" in operator else "AveragePool"]
    assert operator.encode() not in model.SerializeToString()
    images = np.random.default_rng(0).standard_normal((2, 3, 5, 7)).astype(np.float32)
    before, after = (
        onnxruntime.InferenceSession(source).run(None, {"x": images})[0]
        for source in (str(path), model.SerializeToString())
    )
    np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-7)


def test_a_mean_over_channels_is_not_changed(tmp_path: Path) -> None:
    nodes = [helper.make_node("ReduceMean", ["x"], ["y"], axes=[1], keepdims=1)]
    path = save(tmp_path / "m.onnx", nodes, [number("x", 1, 3, 5, 7)], [number("y", 1, 1, 5, 7)], opset=11)
    model = onnx.load(str(path))
    fix_pooling(model)
    assert [node.op_type for node in model.graph.node] == ["ReduceMean"]


def test_an_input_of_unknown_size_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["y"], name="pool")]
    path = save(tmp_path / "m.onnx", nodes, [number("x", 1, 3, "h", "w")], [number("y", 1, 3, 1, 1)], opset=11)
    with pytest.raises(KanjiError, match="'pool' cannot get a fixed window: the size of its input is unknown"):
        fix_pooling(onnx.load(str(path)))
