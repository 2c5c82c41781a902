"""Quantises a graph: to 8-bit integers, or its weights alone to half precision.

QuantizeLinear and DequantizeLinear take a scale for each channel from opset 13 on; at older opsets ONNX Runtime
writes an invalid file without an error. Of ONNX Runtime's two static formats only QDQ is used: tract has no QGemm.
The dynamic quantisation has unsigned weights: ONNX Runtime's convolution is ten times slower with signed ones.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx

from kanji_tui.engines.samples import Samples
from kanji_tui.errors import KanjiError, first_line
from kanji_tui.export.conversion import quiet
from kanji_tui.export.half_weights import halve_weights
from kanji_tui.system.folders import temporary_folder

OPSET = 13  # of 8-bit integers
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
        with quiet(), temporary_folder() as folder:
            if kind == "fp16":
                return halve_weights(model)
            path = folder / "quantised.onnx"
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
