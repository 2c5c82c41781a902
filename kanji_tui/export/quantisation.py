"""Quantises a graph to 8-bit integers or half precision.

QuantizeLinear and DequantizeLinear take a scale for each channel from opset 13 on; at older opsets ONNX Runtime
writes an invalid file without an error. Of ONNX Runtime's two static formats only QDQ is used: tract has no QGemm.
The dynamic quantisation has unsigned weights: ONNX Runtime's convolution is ten times slower with signed ones.
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
    """The graph quantised to `kind`; its input and output stay float32.

    `calibration`: samples that set the activation ranges of int8-static, fed to `input` in batches of `batch` if
    that is fixed; the other kinds need none. Raises KanjiError if the quantiser fails.
    """
    try:
        with quiet(), tempfile.TemporaryDirectory(prefix="kanji-quantise-") as folder:
            if kind == "fp16":
                return to_half(model)
            path = Path(folder) / "quantised.onnx"
            if kind == "int8-static":
                assert calibration is not None, "int8-static is never called without calibration samples"
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
    """8-bit weights with a scale for each channel; activations are quantised at run time."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(model, path, per_channel=True, weight_type=QuantType.QUInt8)


def to_int8_static(model: onnx.ModelProto, path: Path, input: str, batches: Iterator[np.ndarray]) -> None:
    """8-bit weights and activations; the ranges are the minima and maxima over the calibration samples."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            images = next(batches, None)
            return None if images is None else {input: images}

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
    """float16 between a cast at the input and a cast at the output."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    split_gemm(model)
    half = convert_float_to_float16(onnx.shape_inference.infer_shapes(model), keep_io_types=True)
    sort_nodes(half.graph)
    return half


def split_gemm(model: onnx.ModelProto) -> None:
    """Replace Gemm by MatMul and Add, in place: tract computes a float16 Gemm in float32 and then fails.

    Only the form that linear layers have is replaced: `x W^T + b`, with W and b stored in the file.
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
    """Sort the nodes topologically, in place, as ONNX requires: the conversion appends its casts at the end."""
    waiting = list(graph.node)
    pending = {output for node in waiting for output in node.output}
    order: list[onnx.NodeProto] = []
    while waiting:
        ready = [node for node in waiting if not pending.intersection(node.input)]
        if not ready:
            raise ValueError("its nodes form a cycle")
        pending.difference_update(output for node in ready for output in node.output)
        order += ready
        waiting = [node for node in waiting if pending.intersection(node.output)]
    del graph.node[:]
    graph.node.extend(order)
