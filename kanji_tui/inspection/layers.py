"""Parameters, bytes and multiply-accumulates of a graph, layer by layer."""

import math
from collections import defaultdict

import onnx

from kanji_tui.engines.graph import LEARNED, tensor_bytes
from kanji_tui.engines.loading import all_tensors, subgraphs
from kanji_tui.engines.results import Node
from kanji_tui.inspection.probing import fixed_names
from kanji_tui.inspection.results import Layer


def size_by_layer(model: onnx.ModelProto, nodes: tuple[Node, ...]) -> tuple[Layer, ...]:
    """Every layer that has weights or MACs, in execution order; each weight is counted once."""
    weights = weights_by_node(model.graph)
    fixed = fixed_names(model.graph)
    layers: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        if not set(node.outputs) <= fixed:
            layers[node.module or node.name].append(node)
    found = (_layer(name, members, weights) for name, members in layers.items())
    return tuple(layer for layer in found if layer.bytes or layer.macs)


def _layer(name: str, nodes: list[Node], weights: dict[int | None, list[onnx.TensorProto]]) -> Layer:
    tensors = [tensor for node in nodes for tensor in weights.get(node.number, [])]
    sizes = (math.prod(tensor.dims) for tensor in tensors if tensor.data_type in LEARNED)
    return Layer(
        name=name,
        operators=tuple(node.operator for node in nodes),
        parameters=sum(size for size in sizes if size > 1),
        bytes=sum(tensor_bytes(tensor) for tensor in tensors),
        macs=sum(node.macs or 0 for node in nodes),
    )


def weights_by_node(graph: onnx.GraphProto) -> dict[int | None, list[onnx.TensorProto]]:
    """The weights by the number of the node that computes with them; None: weights that no node reads.

    A weight that nodes only unpack, scale or reshape belongs to the first node behind them that takes input data.
    """
    fixed = fixed_names(graph)
    readers: dict[str, int] = {}
    for number, node in enumerate(graph.node):
        for name in node.input:
            readers.setdefault(name, number)

    def owner(name: str) -> int | None:
        number = readers.get(name)
        while number is not None and set(graph.node[number].output) <= fixed:
            number = next((readers[out] for out in graph.node[number].output if out in readers), None)
        return number

    weights: dict[int | None, list[onnx.TensorProto]] = defaultdict(list)
    for tensor in graph.initializer:
        weights[owner(tensor.name)].append(tensor)
    for number, node in enumerate(graph.node):
        inner = [tensor for branch in subgraphs(node) for tensor in all_tensors(branch)]
        constants = [attribute.t for attribute in node.attribute if attribute.HasField("t")]
        weights[number] += inner
        weights[owner(node.output[0]) if constants and node.output else number] += constants
    return weights
