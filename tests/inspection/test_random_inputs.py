"""Inputs that models of equal interface share."""

import onnx
import pytest
from onnx import TensorProto, helper

from kanji_tui.inspection.random_inputs import share_inputs
from tests.inspection.graphs import number


def model_of(*inputs: onnx.ValueInfoProto) -> onnx.ModelProto:
    nodes = [helper.make_node("Identity", [inputs[0].name], ["y"])]
    return helper.make_model(helper.make_graph(nodes, "g", list(inputs), [onnx.ValueInfoProto(name="y")]))


def shapes_of(models: list[onnx.ModelProto], batch: int | None = None) -> list[dict[str, tuple] | str]:
    return [
        reason or {name: array.shape for name, array in inputs.make(batch)[0].items()}
        for inputs, reason in share_inputs(models)
    ]


def test_sizes_that_one_model_fixes_hold_for_all() -> None:
    free, wide = model_of(number("x", "batch", 3, "h")), model_of(number("x", None, 3, 20))
    assert shapes_of([free, wide]) == [{"x": (1, 3, 20)}] * 2
    assert shapes_of([free, wide], 32) == [{"x": (32, 3, 20)}] * 2
    fixed = model_of(number("x", 4, 3, 20))
    assert shapes_of([free, wide, fixed]) == [{"x": (4, 3, 20)}] * 3
    *others, (last, _) = share_inputs([free, wide, fixed])
    assert [inputs.make(32)[0]["x"].shape for inputs, _ in others] == [(32, 3, 20)] * 2, "as they take it"
    with pytest.raises(ValueError, match="its sizes are fixed: x float32 4x3x20"):
        last.make(32)


def test_the_same_values_go_to_inputs_of_the_same_name() -> None:
    first = model_of(number("a", "n", 2), number("b", "n", 2))
    swapped = model_of(number("b", "n", 2), number("a", "n", 2))
    renamed = model_of(number("c", "n", 2), number("d", "n", 2))
    (one, symbols), (two, _), (three, _) = [inputs.make() for inputs, _ in share_inputs([first, swapped, renamed])]
    assert symbols == {"n": 1}
    assert (one["a"] == two["a"]).all()
    assert (one["b"] == two["b"]).all()
    assert (one["a"] != one["b"]).any()
    assert (one["a"] == three["c"]).all()


def test_another_interface_is_described() -> None:
    first = model_of(number("x", "batch", 3))
    other = model_of(number("x", "batch", 4))
    whole = model_of(helper.make_tensor_value_info("x", TensorProto.INT64, ["batch", 3]))
    two = model_of(number("x", "batch", 3), number("z", 2))
    own, *reasons = shapes_of([first, other, whole, two])
    assert own == {"x": (1, 3)}
    assert reasons == [
        f"its inputs are {words}, those of the first file x float32 batchx3"
        for words in ("x float32 batchx4", "x int64 batchx3", "x float32 batchx3, z float32 2")
    ]


def test_inputs_that_cannot_be_made_are_named() -> None:
    sequence = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)
    found = share_inputs([model_of(sequence), model_of(number("x", 2))])
    assert found[0] == (None, "its input 's' is not a tensor")
    assert found[1][0] is not None
    assert found[1][1] == "the first file cannot be run: its input 's' is not a tensor"


def test_a_state_takes_the_batch_that_the_first_input_fixes() -> None:
    model = model_of(number("x", 4, 480), number("state", 2, None, 128))
    assert shapes_of([model]) == [{"x": (4, 480), "state": (2, 4, 128)}]
    ((inputs, _),) = share_inputs([model])
    with pytest.raises(ValueError, match="its sizes are fixed"):
        inputs.make(32)


def test_an_input_without_a_batch_is_not_said_to_run_in_batches() -> None:
    ((inputs, _),) = share_inputs([model_of(number("sound", "samples"))])
    assert inputs.make(1)[0]["sound"].shape == (64,)
    with pytest.raises(ValueError, match="it takes no batches: sound float32 samples"):
        inputs.make(32)
