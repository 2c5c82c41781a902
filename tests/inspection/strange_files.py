"""Makes ONNX files as strangers publish them: free sizes, states, contradicting names, new versions."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.inspection.graphs import number, save, weight, whole

HIDDEN = 7 * 101  # a size that stands nowhere in the graph


def negative_batch(path: Path) -> Path:
    """The free batch is written as -1."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["c"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    return save(path, nodes, [number("x", -1, 1, 12, 12)], [number("y", -1, 4)], [weight("w", 4, 1, 3, 3)])


def wide_window(path: Path) -> Path:
    """A window of 400 samples: with fewer, shape inference computes a negative size."""
    nodes = [
        helper.make_node("Unsqueeze", ["x", "axes"], ["u"]),
        helper.make_node("Conv", ["u", "w"], ["c"], strides=[160]),
        helper.make_node("Relu", ["c"], ["y"]),
    ]
    weights = [whole("axes", [1]), weight("w", 4, 1, 400)]
    return save(path, nodes, [number("x", "batch", "samples")], [number("y", "batch", 4, "k")], weights)


def frames_of_512(path: Path) -> Path:
    """The number of samples must be a multiple of 512, which only a constant of Reshape says."""
    nodes = [helper.make_node("Reshape", ["x", "s"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])]
    weights = [whole("s", [-1, 512]), weight("w", 512, 4)]
    return save(path, nodes, [number("x", "batch", "samples")], [number("y", "batch", 4)], weights)


def shape_as_input(path: Path) -> Path:
    """The shape of a Reshape is an input."""
    shape = helper.make_tensor_value_info("s", TensorProto.INT64, [2])
    nodes = [helper.make_node("Reshape", ["x", "s"], ["y"])]
    return save(path, nodes, [number("x", 2, 6), shape], [number("y", "a", "b")])


def contradicting_names(path: Path) -> Path:
    """A U-Net's end: the upsampled half is named 2*(height//2), which is not height unless that is even."""
    nodes = [
        helper.make_node("MaxPool", ["x"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Resize", ["p", "", "scales"], ["u"], mode="nearest"),
        helper.make_node("Concat", ["u", "x"], ["y"], axis=1),
    ]
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    shape = ("batch", 1, "height", "width")
    save(path, nodes, [number("x", *shape)], [number("y", "batch", 2, "height", "width")], [scales])
    model = onnx.load(str(path))
    model.graph.value_info.append(number("p", "batch", 1, "height//2", "width//2"))
    model.graph.value_info.append(number("u", "batch", 1, "2*(height//2)", "2*(width//2)"))
    path.write_bytes(model.SerializeToString())
    return path


def of_version(path: Path, ir_version: int = 8, opset: int = 17) -> Path:
    """One Relu, in a file of another version."""
    save(path, [helper.make_node("Relu", ["x"], ["y"])], [number("x", 1, 4)], [number("y", 1, 4)], opset=opset)
    model = onnx.load(str(path))
    model.ir_version = ir_version
    path.write_bytes(model.SerializeToString())
    return path


def unread_mask(path: Path) -> Path:
    """A Dropout whose second output, the mask, nobody reads; tract's is not ONNX Runtime's at this opset."""
    nodes = [helper.make_node("Dropout", ["x"], ["d", "mask"]), helper.make_node("Relu", ["d"], ["y"])]
    return save(path, nodes, [number("x", 1, 4)], [number("y", 1, 4)], opset=10)


def folded_pads(path: Path) -> Path:
    """The pads come from an If on a constant, which an engine folds; a Pad alone has them as an input."""
    branch = [helper.make_graph([helper.make_node("Identity", ["p"], [n])], n, [], [pads(n)]) for n in "ab"]
    nodes = [
        helper.make_node("If", ["yes"], ["pads"], name="choice", then_branch=branch[0], else_branch=branch[1]),
        helper.make_node("Pad", ["x", "pads"], ["y"], name="pad"),
    ]
    weights = [whole("p", [0, 1, 0, 2]), numpy_helper.from_array(np.array(True), "yes")]
    return save(path, nodes, [number("x", 1, 4)], [number("y", 1, 7)], weights)


def pads(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, [4])


def with_state(path: Path) -> Path:
    """A voice detector: samples, a recurrent state (layers, batch, features), and a sampling rate."""
    nodes = [
        helper.make_node("Slice", ["x", "first", "last", "axis"], ["frame"]),
        helper.make_node("MatMul", ["frame", "w"], ["h"]),
        helper.make_node("ReduceSum", ["state", "layers"], ["s"], keepdims=0),
        helper.make_node("Add", ["h", "s"], ["sum"]),
        helper.make_node("Cast", ["rate"], ["r"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["sum", "r"], ["y"]),
    ]
    weights = [
        whole("first", [0]),
        whole("last", [96]),
        whole("axis", [1]),
        whole("layers", [0]),
        weight("w", 96, 8),
    ]
    rate = helper.make_tensor_value_info("rate", TensorProto.INT64, [])
    save(path, nodes, [number("x", "a", "b"), number("state", 2, "c", 8), rate], [number("y", "d", 8)], weights)
    model = onnx.load(str(path))
    for value in (*model.graph.input, *model.graph.output):
        for dim in value.type.tensor_type.shape.dim:
            dim.ClearField("dim_param") if dim.dim_param else None
    path.write_bytes(model.SerializeToString())
    return path


def hidden_size(path: Path) -> Path:
    """The number of samples must be a multiple of 707, which the graph computes."""
    nodes = [
        helper.make_node("Mul", ["seven", "prime"], ["m"], name="size"),
        helper.make_node("Concat", ["any", "m"], ["s"], name="shape", axis=0),
        helper.make_node("Reshape", ["x", "s"], ["f"], name="frames"),
        helper.make_node("Relu", ["f"], ["y"], name="relu"),
    ]
    weights = [whole("seven", [7]), whole("prime", [101]), whole("any", [-1])]
    return save(path, nodes, [number("x", "samples")], [number("y", "n", "m")], weights)


def nameless_sizes(path: Path) -> Path:
    """A voice detector none of whose sizes can be guessed: 256 samples, and a state of [2, 1, 16]."""
    nodes = [
        helper.make_node("Unsqueeze", ["sound", "second"], ["one_channel"]),
        helper.make_node("Conv", ["one_channel", "window"], ["waves"], name="wave", strides=[128]),
        helper.make_node("ReduceMean", ["waves"], ["features"], name="mean", axes=[-1], keepdims=0),
        helper.make_node("Split", ["state"], ["hidden", "cell"], name="halves", axis=0),
        helper.make_node("Unsqueeze", ["features", "first"], ["step"]),
        helper.make_node(
            "LSTM", ["step", "w", "r", "", "", "hidden", "cell"], ["", "y"], name="lstm", hidden_size=16
        ),
    ]
    weights = [
        weight("window", 8, 1, 256),
        weight("w", 1, 64, 8),
        weight("r", 1, 64, 16),
        whole("first", [0]),
        whole("second", [1]),
    ]
    inputs = [number("sound", "a", "b"), number("state", "c", "d", "e")]
    return save(path, nodes, inputs, [number("y", 1, "d", 16)], weights)


def weights_beside(path: Path, values: bool = True, side: int = 160) -> Path:
    """A MatMul whose weights lie in `big.data` beside it, without `values` as a hole, and a Relu."""
    w = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[side, side], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "big.data"), ("offset", "0"), ("length", str(side * side * 4))):
        w.external_data.add(key=key, value=value)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"], name="wide"),
        helper.make_node("Relu", ["m"], ["y"], name="relu"),
    ]
    save(path, nodes, [number("x", "batch", side)], [number("y", "batch", side)], [w])
    with open(path.with_name("big.data"), "wb") as file:
        if values:
            file.write(numpy_helper.to_array(weight("w", side, side)).tobytes())
        file.truncate(side * side * 4)
    return path


def dropping(path: Path) -> Path:
    """A Dropout in training mode: its output differs from run to run."""
    nodes = [helper.make_node("Dropout", ["x", "ratio", "training"], ["y"], name="drop")]
    ratio, training = np.array(0.5, np.float32), np.array(True)
    weights = [numpy_helper.from_array(ratio, "ratio"), numpy_helper.from_array(training, "training")]
    return save(path, nodes, [number("x", 1, 400)], [number("y", 1, 400)], weights)


def huge_input(path: Path) -> Path:
    """A fixed input that no memory holds."""
    shape = (2**33, 2**20)
    nodes = [helper.make_node("Relu", ["x"], ["y"], name="r")]
    return save(path, nodes, [number("x", *shape)], [number("y", *shape)])


def negative_weight(path: Path) -> Path:
    """A weight with a negative size, as in a damaged file."""
    broken = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[-4, 5], raw_data=bytes(80))
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return save(path, nodes, [number("x", 1, 4)], [number("y", 1, 5)], [broken])


def unknown_type(path: Path) -> Path:
    """Inputs and outputs of an element type that this onnx package does not know."""
    values = [helper.make_tensor_value_info(name, 99, [4]) for name in "xy"]
    return save(path, [helper.make_node("Relu", ["x"], ["y"], name="r")], values[:1], values[1:])
