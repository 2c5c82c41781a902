"""Stores the weights of an ONNX model in half precision.

The file casts them to float32 at its start, which ONNX Runtime, ONNX Runtime Web and tract do once when they open
it: no operator computes in half precision.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LARGE = 1024  # elements: smaller tensors, BatchNorm's among them, stay float32


def halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its large float32 weights stored as float16, each followed by a Cast to float32."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type == TensorProto.FLOAT and values.size >= LARGE:
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            casts.append(helper.make_node("Cast", [weight.name], [name], f"{name}.cast", to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return model
