"""Smaller numbers in a graph: 8-bit integers or half precision, at the opset their operators ask for.

QuantizeLinear and DequantizeLinear take a scale for each channel from opset 13 on; before, ONNX Runtime writes an
invalid file without a word. Of ONNX Runtime's two static formats only QDQ is made: tract has no QLinear Gemm.
Weights are unsigned in the dynamic kind: ONNX Runtime is ten times slower with signed ones in a convolution.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from kanji_tui.engines.samples import Samples
from kanji_tui.errors import KanjiError, first_line
from kanji_tui.export.conversion import quiet

OPSET = 13
CALIBRATION_SAMPLES = 512
CALIBRATION_BATCH = 32


def quantise(
    model: onnx.ModelProto, kind: str, input: str, calibration: Samples | None, batch: int | None = None
) -> onnx.ModelProto:
    """The graph with numbers of `kind`; its input and output stay float32.

    `calibration`: the pictures whose numbers set the ranges of int8-static, given to `input` in pieces of `batch`
    where that is fixed; the other kinds need none. Raises KanjiError where the quantiser gives up.
    """
    try:
        with quiet(), tempfile.TemporaryDirectory(prefix="kanji-quantise-") as folder:
            if kind == "fp16":
                return to_half(model)
            path = Path(folder) / "quantised.onnx"
            if kind == "int8-static":
                assert calibration is not None, "static ranges come from pictures"
                to_int8_static(model, path, input, calibration.batches(batch or CALIBRATION_BATCH))
            else:
                to_int8_dynamic(model, path)
            return onnx.load(str(path))
    except (ValueError, RuntimeError, AttributeError, TypeError, KeyError) as error:
        raise KanjiError(
            f"this model cannot be written as {kind}: {first_line(error)}",
            "export it without --quantize",
        ) from None


def to_int8_dynamic(model: onnx.ModelProto, path: Path) -> None:
    """Weights as 8-bit integers with a scale a channel, activations scaled while it runs."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(model, path, per_channel=True, weight_type=QuantType.QUInt8)


def to_int8_static(model: onnx.ModelProto, path: Path, input: str, batches: Iterator[np.ndarray]) -> None:
    """Weights and activations as 8-bit integers; ranges from the smallest and largest of the calibration."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            pictures = next(batches, None)
            return None if pictures is None else {input: pictures}

    quantize_static(
        model,
        path,
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Every number half precision between a cast at the input and one at the output."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    split_gemm(model)
    half = convert_float_to_float16(onnx.shape_inference.infer_shapes(model), keep_io_types=True)
    sort_nodes(half.graph)
    return half


def split_gemm(model: onnx.ModelProto) -> None:
    """Write Gemm as MatMul and Add, in place: tract computes a half-precision Gemm in float32 and stumbles over it.

    Only what linear layers become is split: `x W^T + b`, both weights held in the file.
    """
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        settings = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        plain = settings.get("alpha", 1) == settings.get("beta", 1) == 1 and not settings.get("transA", 0)
        if node.op_type != "Gemm" or not plain or len(node.input) < 3 or node.input[1] not in weights:
            nodes.append(node)
            continue
        weight, product = f"{node.input[1]}_columns", f"{node.output[0]}_product"
        array = numpy_helper.to_array(weights[node.input[1]])
        if settings.get("transB", 0):
            array = array.T
        model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(array), weight))
        nodes += [
            helper.make_node("MatMul", [node.input[0], weight], [product], f"{node.name}_MatMul"),
            helper.make_node("Add", [product, node.input[2]], [node.output[0]], f"{node.name}_Add"),
        ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    read = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def sort_nodes(graph: onnx.GraphProto) -> None:
    """Put every node behind those it reads from, in place, as the format asks: casts are added at the end."""
    waiting = list(graph.node)
    made = {output for node in waiting for output in node.output}
    order: list[onnx.NodeProto] = []
    while waiting:
        ready = [node for node in waiting if not made.intersection(node.input)]
        if not ready:
            raise ValueError("its nodes wait for each other")
        made.difference_update(output for node in ready for output in node.output)
        order += ready
        waiting = [node for node in waiting if made.intersection(node.output)]
    del graph.node[:]
    graph.node.extend(order)
