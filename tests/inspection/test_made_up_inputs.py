"""Made-up inputs fit graphs that not every input fits."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from kanji_tui.engines.engine import Engine, random_value
from kanji_tui.engines.loading import load_onnx
from kanji_tui.errors import UsageError
from kanji_tui.inspection.given_inputs import GivenInputs, InputShape, input_shape
from kanji_tui.inspection.made_up_inputs import MOST_ELEMENTS, guesses
from kanji_tui.inspection.suggested_sizes import suggested_sizes
from kanji_tui.inspection.whole_run import run_first
from tests.inspection.graphs import number, save, weight, whole


def whole_input(name: str, *shape: int) -> object:
    return helper.make_tensor_value_info(name, TensorProto.INT64, shape)


# Operators with inputs that are shapes, axes, scales, lengths, indices or divisors: node, inputs.
STRICT = {
    "Reshape": (("x", "s"), {}, [number("x", 2, 6), whole_input("s", 3)]),
    "Slice": (("x", "s", "e", "a"), {}, [number("x", 3, 4), *(whole_input(name, 2) for name in "sea")]),
    "Squeeze": (("x", "a"), {}, [number("x", 1, 3, 1), whole_input("a", 2)]),
    "Unsqueeze": (("x", "a"), {}, [number("x", 3), whole_input("a", 2)]),
    "ReduceSum": (("x", "a"), {}, [number("x", 3, 4), whole_input("a", 2)]),
    "Resize": (("x", "", "", "s"), {}, [number("x", 1, 1, 4, 4), whole_input("s", 4)]),
    "Split": (("x", "s"), {"axis": 1}, [number("x", 3, 7), whole_input("s", 2)]),
    "Pad": (("x", "p"), {"mode": "reflect"}, [number("x", 1, 2), whole_input("p", 4)]),
    "Div": (("a", "b"), {}, [whole_input("a", 3), whole_input("b", 3)]),
    "Gather": (("x", "i"), {}, [number("x", 1, 2), whole_input("i", 2)]),
    "CumSum": (("x", "a"), {}, [number("x", 3), whole_input("a")]),
}


@pytest.fixture(scope="module")
def onnxruntime():
    with Engine("onnxruntime") as engine:
        yield engine


@pytest.mark.parametrize("operator", STRICT)
def test_a_fitting_input_is_found_for(onnxruntime, tmp_path: Path, report, operator: str) -> None:
    inputs, attributes, values = STRICT[operator]
    outputs = ["y", "z"] if operator == "Split" else ["y"]
    node = helper.make_node(operator, inputs, outputs, **attributes)
    kind = TensorProto.INT64 if operator == "Div" else TensorProto.FLOAT
    path = save(
        tmp_path / "m.onnx",
        [node],
        values,
        [helper.make_tensor_value_info(name, kind, None) for name in outputs],
    )
    found = run_first(onnxruntime, path, load_onnx(path), GivenInputs(), report)
    assert found.outputs is not None, found.reason_undecided


def test_two_sizes_may_differ(onnxruntime, tmp_path: Path, report) -> None:
    """Mel frames of 80 rows, free in the file, beside a free length."""
    nodes = [helper.make_node("MatMul", ["w", "x"], ["m"]), helper.make_node("MatMul", ["m", "v"], ["y"])]
    path = save(
        tmp_path / "m.onnx",
        nodes,
        [number("x", 1, "mels", "length")],
        [number("y", 1, 4, 5)],
        [weight("w", 4, 224), weight("v", 16, 5)],
    )
    found = run_first(onnxruntime, path, load_onnx(path), GivenInputs(), report)
    assert found.guess is not None
    assert found.guess.shapes == {"x": (1, 224, 16)}


def test_windows_and_constants_suggest_sizes(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], dilations=[3]),
        helper.make_node("MaxPool", ["c"], ["p"], kernel_shape=[9]),
        helper.make_node("Slice", ["p", "first", "last"], ["s"]),
        helper.make_node("Reshape", ["s", "shape"], ["y"]),
    ]
    weights = [weight("w", 2, 1, 11), whole("first", [-33]), whole("last", [2**62]), whole("shape", [-1, 6, 7])]
    path = save(tmp_path / "m.onnx", nodes, [number("x", 1, 1, "n")], [number("y", "a", "b", "c")], weights)
    assert suggested_sizes(load_onnx(path)) == [31, 9, 33, 6, 7, 42]


def test_guesses_are_bounded_and_never_repeated(tmp_path: Path) -> None:
    path = save(
        tmp_path / "m.onnx",
        [helper.make_node("Relu", ["x"], ["y"])],
        [number("x", "n", 3, "h", "w")],
        [number("y", "n", 3, "h", "w")],
    )
    found = [guess.shapes["x"] for guess in guesses(load_onnx(path), GivenInputs())]
    assert len(found) == len(set(found)) > 10
    assert all(np.prod(shape) <= MOST_ELEMENTS for shape in found)
    assert found[0] == (1, 3, 64, 64)


@pytest.mark.parametrize("batch", [1, "batch"])
def test_a_fixed_input_may_be_large(tmp_path: Path, batch: int | str) -> None:
    shape = (batch, 3, 2048, 2048)
    path = save(
        tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], [number("x", *shape)], [number("y", *shape)]
    )
    (guess,) = guesses(load_onnx(path), GivenInputs())
    assert guess.elements == 3 * 2048 * 2048 > MOST_ELEMENTS


def test_a_given_shape_fixes_what_shares_its_names(tmp_path: Path) -> None:
    inputs = [number("x", "n", "h"), number("mask", "n", "h"), number("other", "n", "k")]
    path = save(
        tmp_path / "m.onnx", [helper.make_node("Add", ["x", "mask"], ["y"])], inputs, [number("y", "n", "h")]
    )
    given = GivenInputs({"x": InputShape("x", (5, 7))})
    first = next(guesses(load_onnx(path), given))
    assert first.shapes == {"x": (5, 7), "mask": (5, 7), "other": (5, 64)}
    assert first.symbols == {"n": 5, "h": 7, "k": 64}
    assert first.made_up


def test_sizes_that_are_formulas_follow_from_their_names(tmp_path: Path) -> None:
    """As in the decoders of language models, whose mask is as long as the past and the new tokens."""
    inputs = [
        number("ids", "batch", "new"),
        number("mask", "batch", "past + new"),
        number("keys", "batch", 2, "past", 8),
        number("half", "2*batch", "(past - 1) // 2"),
    ]
    node = helper.make_node("Relu", ["ids"], ["y"])
    path = save(tmp_path / "m.onnx", [node], inputs, [number("y", "batch", "new")])
    first = next(guesses(load_onnx(path), GivenInputs({"ids": InputShape("ids", (3, 5))})))
    assert first.shapes == {"ids": (3, 5), "mask": (3, 69), "keys": (3, 2, 64, 8), "half": (6, 31)}
    assert first.symbols == {"batch": 3, "new": 5, "past": 64}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x=1x64,float32", InputShape("x", (1, 64), "float32")),
        ("x=7", InputShape("x", (7,))),
        ("rate=,int64", InputShape("rate", (), "int64")),
        ("a=b/c:0=2x3", InputShape("a=b/c:0", (2, 3))),
    ],
)
def test_an_input_is_read_from_its_text(text: str, expected: InputShape) -> None:
    assert input_shape(text) == expected


@pytest.mark.parametrize("text", ["x", "=1x2", "x=1xn", "x=-1x2", "x=1x2,float 32"])
def test_other_texts_are_no_inputs(text: str) -> None:
    with pytest.raises(UsageError, match="is not an input"):
        input_shape(text)


def test_made_up_integers_are_never_zero_unless_asked_for() -> None:
    for kind in (np.int64, np.int32, np.uint8, np.int8):
        assert random_value(np.dtype(kind), (50,), 0).min() > 0
    assert random_value(np.dtype(np.int64), (5,), 0, integer=0).max() == 0
