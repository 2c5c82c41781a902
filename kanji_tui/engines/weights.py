"""The tensors stored in an ONNX file: which node reads them, their bytes, and which of them are parameters."""

import math
import re
from dataclasses import dataclass

import numpy as np
import onnx

from kanji_tui.engines.loading import (
    all_nodes,
    attribute_tensors,
    initialisers,
    named_tensors,
    subgraphs,
    tensor_bytes,
)

# The types of weights. Integers of more than 8 bits are shapes, axes and indices, but for QUANTISED_BIASES.
LEARNED = {
    number
    for name, number in onnx.TensorProto.DataType.items()
    if re.match(r"B?FLOAT|DOUBLE|COMPLEX|U?INT[248]$", name)
}
# The inputs of an operator that say how it works, and so hold no parameters: factors, bounds, fill values,
# quantisation scales and zero points. From the operator documentation of ONNX and ONNX Runtime (com.microsoft).
SETTINGS = {
    "AffineGrid": (1,),
    "Clip": (1, 2),
    "ConvInteger": (2, 3),
    "DequantizeLinear": (1, 2),
    "Dropout": (1, 2),
    "DynamicQuantizeMatMul": (2, 3),
    "MatMulInteger": (2, 3),
    "MatMulIntegerToFloat": (2, 3, 4, 5),
    "MatMulNBits": (2, 3),
    "NonMaxSuppression": (3, 4),
    "OneHot": (1, 2),
    "Pad": (2,),
    "QGemm": (1, 2, 4, 5, 7, 8),
    "QLinearAdd": (1, 2, 4, 5, 6, 7),
    "QLinearAveragePool": (1, 2, 3, 4),
    "QLinearConv": (1, 2, 4, 5, 6, 7),
    "QLinearGlobalAveragePool": (1, 2, 3, 4),
    "QLinearLeakyRelu": (1, 2, 3, 4),
    "QLinearMatMul": (1, 2, 4, 5, 6, 7),
    "QLinearMul": (1, 2, 4, 5, 6, 7),
    "QLinearSigmoid": (1, 2, 3, 4),
    "QuantizeLinear": (1, 2),
    "Range": (0, 1, 2),
    "Resize": (1, 2),  # up to opset 10 the scales are input 1
    "Upsample": (1,),
}
QUANTISED_BIASES = {"DequantizeLinear": (0,), "QGemm": (6,), "QLinearConv": (8,)}  # int32, by input number


@dataclass(frozen=True)
class Weight:
    """A tensor stored in the file.

    `name`: by which nodes of the main graph read it, "" if they do not. `node`: the number of the node of the main
    graph that holds it, as an attribute or in a subgraph; None for an initialiser. `parameters`: how many it holds.
    """

    name: str
    node: int | None
    parameters: int
    bytes: int


def stored_weights(graph: onnx.GraphProto) -> list[Weight]:
    """Every tensor in the graph and its subgraphs, once each.

    Parameters are the elements of float, 8-bit or narrower tensors and of quantised biases, but not of tensors that
    have no dimensions (constants of a formula) or are only read as settings. A sparse tensor has as many as it
    stores values.
    """
    settings, biases = setting_names(graph), quantised_biases(graph)

    def weight(name: str, tensor: onnx.TensorProto, node: int | None, seen: str) -> Weight:
        learned = tensor.data_type in LEARNED or (tensor.data_type == onnx.TensorProto.INT32 and name in biases)
        counted = learned and tensor.dims and name not in settings
        elements = 0 if any(size < 0 for size in tensor.dims) else math.prod(tensor.dims)
        return Weight(seen, node, elements if counted else 0, tensor_bytes(tensor) if elements else 0)

    weights = [weight(name, tensor, None, name) for name, tensor in initialisers(graph)]
    for number, node in enumerate(graph.node):
        for name, tensor in attribute_tensors(node):
            weights.append(weight(name, tensor, number, name))
        for inner in subgraphs(node):
            weights += [weight(name, tensor, number, "") for name, tensor in named_tensors(inner)]
    return weights


def count_parameters(model: onnx.ModelProto) -> int:
    """The parameters of the model, as `stored_weights` counts them."""
    return sum(weight.parameters for weight in stored_weights(model.graph))


def weight_bytes(model: onnx.ModelProto) -> int:
    """Bytes of all tensors in the model."""
    return sum(weight.bytes for weight in stored_weights(model.graph))


def dense_array(sparse: onnx.SparseTensorProto) -> np.ndarray:
    """A sparse tensor as an array; its indices are positions in the flattened tensor, or a row per value."""
    values, indices = onnx.numpy_helper.to_array(sparse.values), onnx.numpy_helper.to_array(sparse.indices)
    array = np.zeros(tuple(sparse.dims), values.dtype)
    if indices.ndim == 2:
        array[tuple(indices.T)] = values
    else:
        array.reshape(-1)[indices] = values
    return array


def setting_names(graph: onnx.GraphProto) -> set[str]:
    """The tensors that are only read as SETTINGS, directly or through nodes that compute nothing else; fills."""
    nodes = list(all_nodes(graph))
    read: set[str] = set()
    otherwise = {value.name for value in graph.output}
    scales = {node.output[1] for node in nodes if node.op_type == "DynamicQuantizeLinear"}
    for node in reversed(nodes):  # readers come before what they read
        settings = SETTINGS.get(node.op_type, ())
        if node.op_type == "Mul" and not scales.isdisjoint(node.input):
            settings = (0, 1)  # the scale of the input times that of the weight
        passes_on = not read.isdisjoint(node.output) and otherwise.isdisjoint(node.output)
        for position, name in enumerate(node.input):
            if name:
                read.add(name)
                if position not in settings and not passes_on:
                    otherwise.add(name)
        for inner in subgraphs(node):
            otherwise.update(value.name for value in inner.output)
    fills = (node.output for node in nodes if node.op_type == "ConstantOfShape")
    return (read - otherwise).union(*fills)


def quantised_biases(graph: onnx.GraphProto) -> set[str]:
    """The tensors that are read as QUANTISED_BIASES."""
    return {
        node.input[position]
        for node in all_nodes(graph)
        for position in QUANTISED_BIASES.get(node.op_type, ())
        if position < len(node.input)
    }
