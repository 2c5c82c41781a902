"""Global pooling turned into pooling over a fixed window: some runtimes have no global pooling operators."""

import onnx
from onnx import helper

from kanji_tui.engines.graph import infer_shapes, reduces_image_axes
from kanji_tui.errors import KanjiError

WINDOWED = {
    "GlobalAveragePool": "AveragePool",
    "ReduceMean": "AveragePool",
    "GlobalMaxPool": "MaxPool",
    "ReduceMax": "MaxPool",
}


def fix_pooling(model: onnx.ModelProto) -> None:
    """Give every node that pools over the whole image a window of the picture's size, in place.

    The size is that of the model's pictures, whatever it is. Raises KanjiError where a size cannot be told.
    """
    shapes = infer_shapes(model, {"batch": 1})
    nodes: list[onnx.NodeProto] = []
    for number, node in enumerate(model.graph.node):
        shape = shapes.get(node.input[0]) if node.input else None
        if node.op_type not in WINDOWED or not (
            node.op_type.startswith("Global") or reduces_image_axes(model, number, shape)
        ):
            nodes.append(node)
            continue
        if shape is None or len(shape) != 4 or not all(isinstance(size, int) for size in shape[2:]):
            raise KanjiError(
                f"the picture that {node.op_type} '{node.name}' pools has no known size to set a fixed window by",
                "export for the target tract, which keeps global pooling",
            )
        nodes.extend(windowed(node, [int(size) for size in shape[2:]]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def windowed(node: onnx.NodeProto, window: list[int]) -> list[onnx.NodeProto]:
    """The same pooling over a fixed window; flattened after it where the node dropped the picture axes."""
    keeps = next((attribute.i for attribute in node.attribute if attribute.name == "keepdims"), 1)
    operator = WINDOWED[node.op_type]
    pooled = node.output[0] if keeps else f"{node.output[0]}_pooled"
    name = node.name.replace(node.op_type, operator)
    pool = helper.make_node(operator, node.input[:1], [pooled], name, kernel_shape=window, strides=[1, 1])
    if keeps:
        return [pool]
    return [pool, helper.make_node("Flatten", [pooled], [node.output[0]], name=f"{name}_flat", axis=1)]
