"""The free sizes of any interface; which of them are the batch is one rule for `inspect` and `compare`."""

import onnx
import pytest
from onnx import helper

from kanji_tui.inspection.free_sizes import computed_size, find_batches, free_sizes
from kanji_tui.inspection.given_inputs import GivenInputs
from kanji_tui.inspection.made_up_inputs import guesses
from kanji_tui.inspection.random_inputs import share_inputs
from tests.inspection.graphs import number


def model_of(shapes: dict[str, tuple]) -> onnx.ModelProto:
    inputs = [number(name, *shape) for name, shape in shapes.items()]
    nodes = [helper.make_node("Identity", [inputs[0].name], ["y"])]
    return helper.make_model(helper.make_graph(nodes, "g", inputs, [onnx.ValueInfoProto(name="y")]))


# The shapes of inputs and the axes that are their batch, then the shapes that are tried first.
INTERFACES = [
    ({"x": (None, 9), "state": (2, None, 8)}, {"x": (0,), "state": (1,)}, {"x": (1, 9), "state": (2, 1, 8)}),
    ({"x": ("n", 9), "state": (2, "n", 8)}, {"x": (0,), "state": (1,)}, {"x": (1, 9), "state": (2, 1, 8)}),
    ({"state": (2, None, 8), "x": (None, 9)}, {"state": (1,), "x": (0,)}, {"state": (2, 1, 8), "x": (1, 9)}),
    ({"x": (4, 9), "state": (2, None, 8)}, {"x": (0,), "state": (1,)}, {"x": (4, 9), "state": (2, 4, 8)}),
    ({"x": ("t", "batch", 8), "h": (1, "batch", 8)}, {"x": (1,), "h": (1,)}, {"x": (64, 1, 8), "h": (1, 1, 8)}),
    ({"ids": ("batch_size", "n"), "at": ("n",)}, {"ids": (0,), "at": ()}, {"ids": (1, 64), "at": (64,)}),
    ({"x": ("batch-size", 3), "y": ("s1", 3)}, {"x": (0,), "y": ()}, {"x": (1, 3), "y": (64, 3)}),
    ({"x": ("s0", 3), "y": ("s1", 3)}, {"x": (0,), "y": (0,)}, {"x": (1, 3), "y": (1, 3)}),
    ({"x": ("n", "n", 3)}, {"x": (0, 1)}, {"x": (1, 1, 3)}),
    ({"x": (1, 3, None, None)}, {"x": ()}, {"x": (1, 3, 64, 64)}),
    ({"x": (1, 3, "height", "width")}, {"x": ()}, {"x": (1, 3, 64, 64)}),
    ({"l": (1, 2, None), "r": (1, 2, None)}, {"l": (), "r": ()}, {"l": (1, 2, 64), "r": (1, 2, 64)}),
    ({"x": ("batch", 4), "z": ("4*batch", 2)}, {"x": (0,), "z": ()}, {"x": (1, 4), "z": (4, 2)}),
    ({"x": (4, 3), "y": ()}, {"x": (), "y": ()}, {"x": (4, 3), "y": ()}),
    ({"sound": (None,)}, {"sound": ()}, {"sound": (64,)}),
    ({"sound": ("samples",), "rate": ()}, {"sound": (), "rate": ()}, {"sound": (64,), "rate": ()}),
]  # fmt: skip


@pytest.mark.parametrize(("shapes", "axes", "first"), INTERFACES)
def test_inspect_and_compare_find_the_same_batch(shapes: dict, axes: dict, first: dict) -> None:
    model = model_of(shapes)
    assert find_batches(model.graph.input).axes == axes
    assert next(guesses(model, GivenInputs())).shapes == first, "inspect"
    if "z" not in shapes:  # compare computes no formulas
        ((inputs, _),) = share_inputs([model])
        assert inputs is not None
        assert {name: array.shape for name, array in inputs.make()[0].items()} == first, "compare"


def test_batches_states_and_other_sizes_are_told_apart() -> None:
    shapes = {"x": ("n", 3, "h", "w"), "state": (2, -1, 8), "mask": ("n", "h"), "length": (-1,)}
    free = free_sizes(model_of(shapes))
    assert free.batches == {"n", ("length", 0)}
    assert free.state_batches == {("state", 1)}
    assert free.others == ("h", "w", ("state", 1))
    assert free.batch == 1


def test_formulas_of_names_are_no_free_sizes() -> None:
    shapes = {"ids": ("batch", "new"), "mask": ("batch", "past + new"), "keys": ("batch", "past", 8)}
    free = free_sizes(model_of(shapes))
    assert (free.batches, free.others) == ({"batch"}, ("new", "past"))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("n+1", 5),
        ("2*(n//2)", 4),
        ("n / 2", 2),
        ("n", None),
        ("m+1", None),
        ("n**9", None),
        ("n // 0", None),
        ("?", None),
    ],
)
def test_a_formula_has_a_value_if_its_names_have(text: str, size: int | None) -> None:
    assert computed_size(text, {"n": 4}) == size
