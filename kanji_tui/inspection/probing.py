"""Finds the nodes that an engine does not support: each node is run as a model of its own, with real shapes.

Running the whole model shows only the first unsupported operator. Running every node alone shows all of them, and
limits on attributes and shapes that no operator table lists.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from kanji_tui.engines.engine import ENGINES, Engine, EngineError, random_value
from kanji_tui.engines.graph import node_name, operator_name
from kanji_tui.engines.loading import captured, initialiser_names, subgraphs
from kanji_tui.engines.results import Shape
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.inspection.difference import disagreement
from kanji_tui.inspection.results import UnsupportedNode
from kanji_tui.inspection.third_opinion import third_opinion

NODE_LIMIT_SECONDS = 10.0
# Constants of at most this many elements (axes, shapes, pads) are part of a node's signature by value.
SMALL = 64
RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}


@dataclass
class Values:
    """The tensors of a graph, by name, as far as they are known while its nodes are run.

    `arrays`: values; `types`: ONNX element types; `shapes`: inferred shapes; `fixed`: tensors that depend on
    weights and input shapes but not on input values. Fixed tensors are initialisers of a one-node model, as in the
    whole graph, where the engine folds them.
    """

    arrays: dict[str, np.ndarray]
    fixed: set[str]
    types: dict[str, int]
    shapes: dict[str, Shape]

    def get(self, name: str) -> np.ndarray | None:
        """The value of `name`; random if no engine computed it but its shape is known; None if that is unknown."""
        known = self.arrays.get(name)
        if known is not None:
            return known
        shape, kind = self.shapes.get(name), self.types.get(name)
        if shape is None or not kind or any(isinstance(size, str) for size in shape):
            return None
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind)
        return random_value(np.dtype(dtype), tuple(int(size) for size in shape), seed=len(name))


@dataclass
class Probes:
    """The result of running every node alone; `not_probed`: nodes that could not be run, with the reason."""

    probed: int = 0
    refused: list[UnsupportedNode] = field(default_factory=list)
    not_probed: list[UnsupportedNode] = field(default_factory=list)


class NotProbed(Exception):
    """A node cannot be run alone; the message says why."""


def fixed_names(graph: onnx.GraphProto) -> set[str]:
    """The tensors that depend only on weights and input shapes."""
    fixed = initialiser_names(graph)
    for node in graph.node:
        inputs = {name for name in node.input if name}
        known = inputs <= fixed and not any(subgraphs(node)) and node.op_type not in RANDOM
        if known or node.op_type in ("Shape", "Size"):
            fixed.update(node.output)
    return fixed


def probe_nodes(engine: Engine, model: onnx.ModelProto, values: Values, folder: Path, report: Report) -> Probes:
    """Run every node of the main graph alone in `engine`; nodes with the same signature are run once.

    Output values that are not known yet are added to `values`. A node that runs but whose output differs from the
    known value counts as unsupported.
    """
    probes = Probes()
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    reasons: dict[tuple, str | None] = {}
    for number, node in enumerate(model.graph.node):
        raise_if_stopped(report)
        if number % 50 == 0:
            report(Progress(f"probing {engine.name}", number, len(model.graph.node), "nodes", node.op_type))
        name, operator = node_name(node, number), operator_name(node)
        try:
            inputs = node_inputs(engine, node, values)
        except NotProbed as error:
            probes.not_probed.append(UnsupportedNode(name, operator, str(error)))
            continue
        probes.probed += 1
        known = all(output in values.arrays for output in node.output if output)
        key = signature(node, inputs, values.fixed)
        if not known or key not in reasons:
            # A unique name, because the engine process reuses the last opened model by its path.
            path = folder / f"{engine.name}-{number}.onnx"
            path.write_bytes(one_node_model(model, node, inputs, values.fixed, weights))
            reasons[key] = probe(engine, path, node, inputs, values)
            path.unlink()
        reason = reasons[key]
        if reason is not None:
            probes.refused.append(UnsupportedNode(name, operator, reason))
    return probes


def probe(
    engine: Engine, path: Path, node: onnx.NodeProto, inputs: dict[str, np.ndarray], values: Values
) -> str | None:
    """Run the one-node model at `path`; None if it runs and its output agrees, else the reason."""
    given = {name: array for name, array in inputs.items() if name not in values.fixed}
    try:
        outputs = engine.run(path, given, limit=NODE_LIMIT_SECONDS)
    except EngineError as error:
        return str(error)
    names = [name for name in node.output if name]
    pairs = [(name, array) for name, array in zip(names, outputs, strict=False) if array is not None]
    expected = [values.arrays[name] for name, _ in pairs if name in values.arrays]
    if node.op_type not in RANDOM and len(expected) == len(pairs):
        reason, _ = disagreement(expected, [array for _, array in pairs])
        if reason and engine.name == ENGINES[1]:
            known = [values.arrays.get(name) for name in names]
            reason += f"; {third_opinion(path, given, {}, {ENGINES[0]: known, ENGINES[1]: outputs})}"
        if reason:
            return f"it runs, but {reason}"
    for name, array in pairs:
        values.arrays.setdefault(name, array)
    return None


def node_inputs(engine: Engine, node: onnx.NodeProto, values: Values) -> dict[str, np.ndarray]:
    """The values of all tensors that a node reads. Raises NotProbed if one is unknown."""
    inputs = {}
    for name in dict.fromkeys([*node.input, *captured(node)]):
        if not name:
            continue
        value = values.get(name)
        if value is None:
            raise NotProbed(f"type or shape of its input '{name}' is unknown")
        if engine.name == "tract" and value.dtype.kind == "U":
            raise NotProbed("its inputs are strings, which the Python package of tract does not support")
        inputs[name] = value
    return inputs


def one_node_model(
    model: onnx.ModelProto,
    node: onnx.NodeProto,
    inputs: dict[str, np.ndarray],
    fixed: set[str],
    weights: dict[str, onnx.TensorProto],
) -> bytes:
    """A model of this one node: fixed tensors are initialisers, the others inputs of their real shape."""
    initialisers = [
        weights[name] if name in weights else numpy_helper.from_array(array, name)
        for name, array in inputs.items()
        if name in fixed
    ]
    given = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in inputs.items()
        if name not in fixed
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output if name]
    graph = onnx.helper.make_graph([node], "one node", given, outputs, initialisers)
    alone = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    return bytes(alone.SerializeToString())


def signature(node: onnx.NodeProto, inputs: dict[str, np.ndarray], fixed: set[str]) -> tuple:
    """All that decides whether an engine runs a node: operator, attributes, types and shapes of the inputs."""
    described = [
        (
            name in fixed,
            array.dtype.str,
            array.shape,
            array.tobytes() if name in fixed and array.size <= SMALL else b"",
        )
        for name, array in inputs.items()
    ]
    attributes = sorted(attribute.SerializeToString() for attribute in node.attribute)
    positions = tuple(list(inputs).index(name) if name else -1 for name in node.input)
    return node.domain, node.op_type, tuple(attributes), positions, tuple(described), tuple(map(bool, node.output))
