"""Replaces global pooling by pooling over a fixed window of the same size.

candle-onnx has no GlobalAveragePool (`unsupported op_type GlobalAveragePool`, candle-onnx/src/eval.rs), so this
serves candle and the crate ort-candle. The message is not tract's: tract has the operator, and the crate ort-tract
gives the file to tract unchanged.
"""

import onnx
from onnx import helper

from kanji_tui.engines.graph import infer_shapes, reduces_image_axes
from kanji_tui.errors import KanjiError

POOLING_OPERATOR = {
    "GlobalAveragePool": "AveragePool",
    "ReduceMean": "AveragePool",
    "GlobalMaxPool": "MaxPool",
    "ReduceMax": "MaxPool",
}


def fix_pooling(model: onnx.ModelProto) -> None:
    """Give every global pooling node a fixed window of the size of its input, in place.

    Raises KanjiError if the size of an input is unknown.
    """
    shapes = infer_shapes(model, {"batch": 1})
    nodes: list[onnx.NodeProto] = []
    for number, node in enumerate(model.graph.node):
        shape = shapes.get(node.input[0]) if node.input else None
        if node.op_type not in POOLING_OPERATOR or not (
            node.op_type.startswith("Global") or reduces_image_axes(model, number, shape)
        ):
            nodes.append(node)
            continue
        if shape is None or len(shape) != 4 or not all(isinstance(size, int) for size in shape[2:]):
            raise KanjiError(
                f"{node.op_type} '{node.name}' cannot get a fixed window: the size of its input is unknown",
                "export for the target tract, which keeps global pooling",
            )
        nodes.extend(with_window(node, [int(size) for size in shape[2:]]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def with_window(node: onnx.NodeProto, window: list[int]) -> list[onnx.NodeProto]:
    """The same pooling over a fixed window, followed by Flatten if the node dropped the image axes."""
    keeps = next((attribute.i for attribute in node.attribute if attribute.name == "keepdims"), 1)
    operator = POOLING_OPERATOR[node.op_type]
    pooled = node.output[0] if keeps else f"{node.output[0]}_pooled"
    name = node.name.replace(node.op_type, operator)
    pool = helper.make_node(operator, node.input[:1], [pooled], name, kernel_shape=window, strides=[1, 1])
    if keeps:
        return [pool]
    return [pool, helper.make_node("Flatten", [pooled], [node.output[0]], name=f"{name}_flat", axis=1)]
