"""Where a graph's weights and its work are: its size layer by layer."""

import math
from collections import defaultdict

import onnx

from kanji_tui.engines.graph import LEARNED, tensor_bytes
from kanji_tui.engines.loading import all_tensors, subgraphs
from kanji_tui.engines.results import Node
from kanji_tui.inspection.probing import fixed_names
from kanji_tui.inspection.results import Layer


def size_by_layer(model: onnx.ModelProto, nodes: tuple[Node, ...]) -> tuple[Layer, ...]:
    """Every layer that holds weights or multiplies, in the order they run; each weight is counted once."""
    graph = model.graph
    fixed = fixed_names(graph)
    readers: dict[str, int] = {}
    for number, node in enumerate(graph.node):
        for name in node.input:
            readers.setdefault(name, number)

    def owner(name: str) -> int | None:
        """The node that works with a weight: behind those that only unpack, scale or shape it."""
        number = readers.get(name)
        while number is not None and set(graph.node[number].output) <= fixed:
            number = next((readers[out] for out in graph.node[number].output if out in readers), None)
        return number

    held: dict[int | None, list[onnx.TensorProto]] = defaultdict(list)
    for tensor in graph.initializer:
        held[owner(tensor.name)].append(tensor)
    for number, node in enumerate(graph.node):
        inner = [tensor for branch in subgraphs(node) for tensor in all_tensors(branch)]
        constants = [attribute.t for attribute in node.attribute if attribute.HasField("t")]
        held[number] += inner
        held[owner(node.output[0]) if constants and node.output else number] += constants

    layers: dict[str, Layer] = {}
    for number, told in enumerate(nodes):
        if set(told.outputs) <= fixed:
            continue
        name = told.module or told.name
        layer = layers.setdefault(name, Layer(name))
        layer.operators.append(told.operator)
        layer.macs += told.macs or 0
        layer.bytes += sum(tensor_bytes(tensor) for tensor in held[number])
        sizes = (math.prod(tensor.dims) for tensor in held[number] if tensor.data_type in LEARNED)
        layer.parameters += sum(size for size in sizes if size > 1)
    return tuple(layer for layer in layers.values() if layer.bytes or layer.macs)
