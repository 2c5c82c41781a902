"""Makes ONNX files unlike those of this project."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def number(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def weight(name: str, *shape: int) -> onnx.TensorProto:
    values = np.random.default_rng(len(name)).standard_normal(shape).astype(np.float32) * 0.2
    return numpy_helper.from_array(values, name)


def whole(name: str, values: list[int]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def save(
    path: Path, nodes, inputs, outputs, weights=(), opset: int = 17, domains: dict[str, int] | None = None
) -> Path:
    imports = [helper.make_opsetid("", opset)]
    imports += [helper.make_opsetid(name, version) for name, version in (domains or {}).items()]
    graph = helper.make_graph(nodes, "foreign", inputs, outputs, list(weights))
    path.write_bytes(helper.make_model(graph, opset_imports=imports, ir_version=8).SerializeToString())
    return path


def transformer_block(path: Path) -> Path:
    """One attention head and a residual; tokens of width 16, symbolic batch and length."""
    node = helper.make_node
    nodes = [
        node("LayerNormalization", ["x", "scale", "shift"], ["n"], name="norm", axis=-1),
        node("MatMul", ["n", "wq"], ["q"], name="query"),
        node("MatMul", ["n", "wk"], ["k"], name="key"),
        node("MatMul", ["n", "wv"], ["v"], name="value"),
        node("Transpose", ["k"], ["kt"], name="transpose", perm=[0, 2, 1]),
        node("MatMul", ["q", "kt"], ["scores"], name="scores"),
        node("Softmax", ["scores"], ["p"], name="weights", axis=-1),
        node("MatMul", ["p", "v"], ["mixed"], name="mix"),
        node("Add", ["mixed", "x"], ["y"], name="residual"),
    ]
    weights = [weight("scale", 16), weight("shift", 16), *(weight(name, 16, 16) for name in ("wq", "wk", "wv"))]
    shape = ("batch", "length", 16)
    return save(path, nodes, [number("x", *shape)], [number("y", *shape)], weights)


def with_unsupported(path: Path) -> Path:
    """Two operators in a row that tract lacks, between a convolution and a Relu."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
        helper.make_node("Det", ["c"], ["d"], name="determinant"),
        helper.make_node("ReverseSequence", ["d", "lengths"], ["h"], name="reverse", batch_axis=0, time_axis=1),
        helper.make_node("Relu", ["h"], ["y"], name="relu"),
    ]
    return save(
        path,
        nodes,
        [number("x", 1, 1, 5, 5)],
        [number("y", 1, 4)],
        [weight("w", 4, 1, 3, 3), whole("lengths", [3])],
    )


def control_flow(path: Path, inner: str = "Neg") -> Path:
    """An If whose branches read a tensor of the outer graph."""
    then = helper.make_graph([helper.make_node("Relu", ["x"], ["a"])], "then", [], [number("a", 4)])
    other = helper.make_graph([helper.make_node(inner, ["x"], ["b"])], "else", [], [number("b", 4)])
    nodes = [
        helper.make_node("ReduceSum", ["x", "axes"], ["s"], name="sum", keepdims=0),
        helper.make_node("Greater", ["s", "zero"], ["c"], name="positive"),
        helper.make_node("If", ["c"], ["y"], name="choice", then_branch=then, else_branch=other),
    ]
    weights = [whole("axes", [0]), numpy_helper.from_array(np.array(0, np.float32), "zero")]
    return save(path, nodes, [number("x", 4)], [number("y", 4)], weights)


def if_with_outer_weights(path: Path) -> Path:
    """An If whose branches multiply by weights that are stored in the outer graph."""
    then = helper.make_graph([helper.make_node("MatMul", ["x", "w1"], ["a"])], "then", [], [number("a", 1, 4)])
    other = helper.make_graph([helper.make_node("MatMul", ["x", "w2"], ["b"])], "else", [], [number("b", 1, 4)])
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["s"], name="sum", keepdims=0),
        helper.make_node("Greater", ["s", "zero"], ["c"], name="positive"),
        helper.make_node("If", ["c"], ["y"], name="choice", then_branch=then, else_branch=other),
    ]
    weights = [weight("w1", 8, 4), weight("w2", 8, 4), numpy_helper.from_array(np.array(0, np.float32), "zero")]
    return save(path, nodes, [number("x", 1, 8)], [number("y", 1, 4)], weights)


def loop_with_outer_weights(path: Path) -> Path:
    """A loop that multiplies by a weight of the outer graph; an If inside adds another or one of the loop."""
    flag, count = (helper.make_tensor_value_info(name, kind, []) for name, kind in (("go", 9), ("i", 7)))
    then = helper.make_graph([helper.make_node("Add", ["m", "shift"], ["a"])], "then", [], [number("a", 1, 4)])
    other = helper.make_graph([helper.make_node("Add", ["m", "own"], ["b"])], "else", [], [number("b", 1, 4)])
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["v", "w"], ["m"]),
            helper.make_node("If", ["go"], ["n"], then_branch=then, else_branch=other),
            helper.make_node("Identity", ["go"], ["on"]),
        ],
        "body",
        [count, flag, number("v", 1, 4)],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), number("n", 1, 4)],
        [weight("own", 4)],
    )
    nodes = [helper.make_node("Loop", ["times", "", "x"], ["y"], name="repeat", body=body)]
    times = numpy_helper.from_array(np.array(2, np.int64), "times")
    return save(
        path, nodes, [number("x", 1, 4)], [number("y", 1, 4)], [times, weight("w", 4, 4), weight("shift", 4)]
    )


def state_beside_input(path: Path, **fixed: int) -> Path:
    """An input [batch, 128] and a state [2, batch, 128], sizes without names; `batch=4` fixes the batch."""
    nodes = [
        helper.make_node("ReduceSum", ["state", "axes"], ["s"], name="sum", keepdims=0),
        helper.make_node("Concat", ["x", "s"], ["y"], name="join", axis=1),
    ]
    batch = fixed.get("batch")
    inputs = [number("x", batch, 128), number("state", 2, batch, 128)]
    return save(path, nodes, inputs, [number("y", batch, 256)], [whole("axes", [0])])


def backward_lstm(path: Path, normalised: bool = False) -> Path:
    """A reverse LSTM, which tract 0.23 computes wrongly; `normalised`: behind a BatchNormalization of opset 13."""
    nodes = [
        helper.make_node("LSTM", ["x", "w", "r"], ["y"], name="back", hidden_size=3, direction="reverse"),
    ]
    weights = [weight("w", 1, 12, 4), weight("r", 1, 12, 3)]
    if normalised:
        norm = helper.make_node("BatchNormalization", ["in", "a", "b", "m", "v"], ["x"], name="norm")
        nodes.insert(0, norm)
        weights += [weight(name, 1) for name in "abm"]
        weights.append(numpy_helper.from_array(np.ones(1, np.float32), "v"))
    first = number("in" if normalised else "x", 5, 1, 4)
    return save(path, nodes, [first], [number("y", 5, 1, 1, 3)], weights, opset=13 if normalised else 17)


def computed_shape(path: Path) -> Path:
    """Flattens to a shape computed from the input's shape, as torch exports `view`; symbolic batch."""
    node = helper.make_node
    nodes = [
        node("Shape", ["x"], ["shape"], name="shape"),
        node("Gather", ["shape", "first"], ["batch"], name="gather", axis=0),
        node("Concat", ["batch", "rest"], ["flat"], name="concat", axis=0),
        node("Relu", ["x"], ["r"], name="relu"),
        node("Reshape", ["r", "flat"], ["y"], name="reshape"),
    ]
    weights = [whole("first", [0]), whole("rest", [-1])]
    return save(path, nodes, [number("x", "n", 3, 4)], [number("y", "n", 12)], weights)


def loop(path: Path) -> Path:
    """Doubles its input three times."""
    flag, count = (helper.make_tensor_value_info(name, kind, []) for name, kind in (("go", 9), ("i", 7)))
    body = helper.make_graph(
        [helper.make_node("Add", ["v", "v"], ["w"]), helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [count, flag, number("v", 2)],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), number("w", 2)],
    )
    nodes = [helper.make_node("Loop", ["times", "", "x"], ["y"], name="thrice", body=body)]
    times = numpy_helper.from_array(np.array(3, np.int64), "times")
    return save(path, nodes, [number("x", 2)], [number("y", 2)], [times])


def dividing_by_zero(path: Path) -> Path:
    """Divides by zero, which aborts the process that runs it in tract."""
    values = helper.make_tensor_value_info("x", TensorProto.INT64, [1])
    out = helper.make_tensor_value_info("y", TensorProto.INT64, [1])
    return save(
        path, [helper.make_node("Div", ["x", "zero"], ["y"], name="over")], [values], [out], [whole("zero", [0])]
    )


def endless(path: Path) -> Path:
    """A loop whose condition never becomes false."""
    flag, count = (helper.make_tensor_value_info(name, kind, []) for name, kind in (("go", 9), ("i", 7)))
    body = helper.make_graph(
        [helper.make_node("Add", ["v", "v"], ["w"]), helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [count, flag, number("v", 1)],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), number("w", 1)],
    )
    nodes = [helper.make_node("Loop", ["", "forever", "x"], ["y"], name="endless", body=body)]
    forever = numpy_helper.from_array(np.array(True), "forever")
    return save(path, nodes, [number("x", 1)], [number("y", 1)], [forever])


def custom_domain(path: Path) -> Path:
    nodes = [helper.make_node("Custom", ["x"], ["y"], name="custom", domain="com.example")]
    return save(path, nodes, [number("x", 2)], [number("y", 2)], domains={"com.example": 1})


def empty(path: Path) -> Path:
    return save(path, [], [], [])


def strings(path: Path) -> Path:
    text = [helper.make_tensor_value_info(name, TensorProto.STRING, [2]) for name in "xy"]
    return save(path, [helper.make_node("Identity", ["x"], ["y"], name="same")], text[:1], text[1:])


def image_network(path: Path, side: int = 16, **external: bool) -> Path:
    """A small network with a symbolic batch; with `save_as_external_data` its weights are in a file beside it."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="/net/stem/Conv", strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], name="/net/stem/Relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["p"], name="/net/pool/GlobalAveragePool"),
        helper.make_node("Flatten", ["p"], ["f"], name="/net/Flatten"),
        helper.make_node("Gemm", ["f", "h", "b"], ["y"], name="/net/head/Gemm", transB=1),
    ]
    weights = [weight("w", 8, 1, 3, 3), weight("h", 5, 8), weight("b", 5)]
    save(path, nodes, [number("x", "batch", 1, side, side)], [number("y", "batch", 5)], weights)
    if external:
        onnx.save_model(onnx.load(str(path)), str(path), location=f"{path.stem}.data", size_threshold=0, **external)
    return path
