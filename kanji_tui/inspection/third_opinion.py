"""A third opinion where two engines disagree: that of ONNX's reference evaluator.

It is written in NumPy to be right, not fast, but it is not always right either; see `why_not_asked`.
"""

from pathlib import Path

import onnx

from kanji_tui.engines.engine import REFERENCE, Engine, EngineError, Outputs
from kanji_tui.engines.engine_process import Arrays
from kanji_tui.engines.loading import all_nodes, all_tensors
from kanji_tui.inspection.difference import disagreement

NAME = "ONNX's reference evaluator"
LIMIT_SECONDS = 30.0


def third_opinion(path: Path, inputs: Arrays, symbols: dict[str, int], outputs: dict[str, Outputs]) -> str:
    """With which engines the reference evaluator agrees, in words; `outputs` of the file by the engine's name."""
    model = onnx.load(str(path), load_external_data=False)
    reason = why_not_asked(model)
    if reason:
        return f"{NAME} was not asked: {reason}"
    try:
        with Engine(REFERENCE) as engine:
            own = engine.run(path, inputs, symbols, LIMIT_SECONDS)
    except EngineError as error:
        return f"{NAME} does not run it: {error}"
    half = any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in all_tensors(model.graph))
    agreeing = [name for name, found in outputs.items() if same_outputs(own, found, half)]
    return f"{NAME} agrees with {' and '.join(agreeing) or 'neither'}"


def same_outputs(expected: Outputs, found: Outputs, half: bool = False) -> bool:
    """Whether the outputs agree by the rule of `disagreement`, as far as both are tensors."""
    pairs = [(a, b) for a, b in zip(expected, found, strict=True) if a is not None and b is not None]
    reason, _ = disagreement([a for a, _ in pairs], [b for _, b in pairs], half)
    return not reason


def why_not_asked(model: onnx.ModelProto) -> str:
    """Why the reference evaluator is not trusted with the model; "" if it is.

    Before opset 14 its BatchNormalization mixes the statistics of the input into the stored ones, as in training
    (onnx/reference/ops/op_batch_normalization.py, where `momentum` always has its default).
    """
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset < 14 and any(node.op_type == "BatchNormalization" for node in all_nodes(model.graph)):
        return "it computes BatchNormalization wrongly before opset 14"
    return ""
