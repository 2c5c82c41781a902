"""The poolings and quantisations by name, and what is known of each before it is made.

Loads neither torch nor onnx, so the command line and the forms can say it.
"""

POOLING_TYPES = {
    "adaptive_avg": "The mean over the whole image, in one global node. ort-tract and strict do without those: "
    "unsupported there, and fixed_avg computes the same.",
    "adaptive_max": "The largest over the whole image, in one global node: unsupported for ort-tract and strict. "
    "For a model trained by means it is another network, and is measured as such.",
    "avg_2x2": "The mean of each quarter, four numbers a channel. Refused for a model that was not trained with "
    "it: its classifier has no weights for them.",
    "max_2x2": "The largest of each quarter, four numbers a channel. Refused for a model that was not trained with "
    "it: its classifier has no weights for them.",
    "fixed_avg": "The same numbers as adaptive_avg, from a window of the image's size, for any target.",
    "fixed_max": "The same numbers as adaptive_max, from a window of the image's size, for any target. For a "
    "model trained by means it is another network, and is measured as such.",
}

# Measured on x86 processors with one thread.
QUANTISATIONS = {
    "int8-dynamic": "a quarter of the size, but slower than float32: about 1.5-3 times in ONNX Runtime and 4-15 "
    "times in tract, which scale every layer's numbers anew for each image",
    "int8-static": "a quarter of the size; as fast or faster in ONNX Runtime where the processor multiplies 8-bit "
    "integers, but 2-8 times slower than float32 in tract",
    "fp16": "half the size; no faster in ONNX Runtime on a processor, and some 200 times slower in tract on one "
    "that has no half-precision arithmetic: meant for WebGPU and other graphics processors",
}
