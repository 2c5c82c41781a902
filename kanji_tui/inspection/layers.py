"""Parameters, bytes and multiply-accumulates of a graph, layer by layer."""

from collections import defaultdict

import onnx

from kanji_tui.engines.loading import captured
from kanji_tui.engines.results import Node
from kanji_tui.engines.weights import Weight, stored_weights
from kanji_tui.inspection.probing import fixed_names
from kanji_tui.inspection.results import Layer

UNUSED = "(in no layer)"


def size_by_layer(model: onnx.ModelProto, nodes: tuple[Node, ...]) -> tuple[Layer, ...]:
    """Every layer that has weights or MACs, in execution order; each weight is counted once.

    Weights that no layer computes with come last, so that the layers add up to the file's.
    """
    weights = weights_by_node(model.graph)
    fixed = fixed_names(model.graph)
    layers: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        if not set(node.outputs) <= fixed:
            layers[node.module or node.name].append(node)
    found = [_layer(name, members, weights) for name, members in layers.items()]
    found.append(_sum_up(UNUSED, [], weights.get(None, [])))
    return tuple(layer for layer in found if layer.bytes or layer.macs)


def _layer(name: str, nodes: list[Node], weights: dict[int | None, list[Weight]]) -> Layer:
    return _sum_up(name, nodes, [weight for node in nodes for weight in weights.get(node.number, [])])


def _sum_up(name: str, nodes: list[Node], read: list[Weight]) -> Layer:
    return Layer(
        name=name,
        operators=tuple(node.operator for node in nodes),
        parameters=sum(weight.parameters for weight in read),
        bytes=sum(weight.bytes for weight in read),
        macs=sum(node.macs or 0 for node in nodes),
    )


def weights_by_node(graph: onnx.GraphProto) -> dict[int | None, list[Weight]]:
    """The weights by the number of the node that computes with them; None: weights that no node reads.

    A weight that nodes only unpack, scale or reshape belongs to the first node behind them that takes input data, a
    weight that a subgraph reads to the If, Loop or Scan around it.
    """
    fixed = fixed_names(graph)
    readers: dict[str, int] = {}
    for number, node in enumerate(graph.node):
        for name in (*node.input, *captured(node)):
            readers.setdefault(name, number)

    weights: dict[int | None, list[Weight]] = defaultdict(list)
    for weight in stored_weights(graph):
        owner = readers.get(weight.name) if weight.node is None else weight.node
        while owner is not None and set(graph.node[owner].output) <= fixed:
            owner = next((readers[out] for out in graph.node[owner].output if out in readers), None)
        weights[owner].append(weight)
    return weights
