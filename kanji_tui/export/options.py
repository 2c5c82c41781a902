"""The pooling types and quantisations by name, with what to know before choosing one.

Imports neither torch nor onnx, so that the command line and the forms can show them.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PoolingType:
    """A pooling before the classifier: the mean or maximum of each cell of a `grid` x `grid`.

    `fixed`: True for a pooling over a fixed window, False for a global one, None for either.
    """

    function: Literal["mean", "maximum"]
    grid: int
    fixed: bool | None
    description: str


POOLING_TYPES = {
    "adaptive_avg": PoolingType(
        "mean",
        1,
        False,
        "The mean over the whole image, in one global node. Not for the targets ort-tract and strict: there "
        "fixed_avg computes the same.",
    ),
    "adaptive_max": PoolingType(
        "maximum",
        1,
        False,
        "The maximum over the whole image, in one global node. Not for the targets ort-tract and strict. A model "
        "trained with means becomes another network by it, so its accuracy is measured.",
    ),
    "avg_2x2": PoolingType(
        "mean",
        2,
        None,
        "The mean of each quarter of the image, four values per channel. Only for a model that was trained with "
        "it: other classifiers have no weights for four values.",
    ),
    "max_2x2": PoolingType(
        "maximum",
        2,
        None,
        "The maximum of each quarter of the image, four values per channel. Only for a model that was trained "
        "with it: other classifiers have no weights for four values.",
    ),
    "fixed_avg": PoolingType(
        "mean",
        1,
        True,
        "The same values as adaptive_avg, computed with a window of the image's size. For any target.",
    ),
    "fixed_max": PoolingType(
        "maximum",
        1,
        True,
        "The same values as adaptive_max, computed with a window of the image's size. For any target. A model "
        "trained with means becomes another network by it, so its accuracy is measured.",
    ),
}

# Measured on x86 CPUs with one thread.
QUANTISATIONS = {
    "int8-dynamic": "a quarter of the size, but slower than float32: about 1.5-3 times in ONNX Runtime and 4-15 "
    "times in tract, because the activations of every layer are scaled anew for each image",
    "int8-static": "a quarter of the size; as fast or faster in ONNX Runtime on a CPU with 8-bit integer "
    "instructions, but 2-8 times slower than float32 in tract",
    "fp16": "half the size at full speed in every engine: the weights are stored in half precision, and cast to "
    "float32 when the file is opened",
}
