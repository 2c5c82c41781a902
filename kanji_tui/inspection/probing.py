"""Finds the nodes that an engine does not support: each node is run as a model of its own, with real shapes.

Running the whole model shows only the first unsupported operator. Running every node alone shows all of them, and
limits on attributes and shapes that no operator table lists.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import external_data_helper, numpy_helper

from kanji_tui.engines.engine import ENGINES, Engine, EngineError, random_value
from kanji_tui.engines.graph import node_name, operator_name
from kanji_tui.engines.loading import (
    LARGEST,
    captured,
    embedded,
    initialiser_names,
    read_tensor,
    serialised,
    subgraphs,
    weight_length,
)
from kanji_tui.engines.results import AS_IT_IS, Shape
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.inspection.difference import disagreement
from kanji_tui.inspection.results import UnsupportedNode
from kanji_tui.inspection.third_opinion import third_opinion

NODE_LIMIT_SECONDS = 10.0
# Constants of at most this many elements (axes, shapes, pads) are part of a node's signature by value.
SMALL = 64
# What the messages of ONNX Runtime and tract contain where the sizes of a node's inputs do not go together.
SIZES_DISAGREE = ("[ShapeInferenceError]", "Impossible to unify")
RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}


def is_random(node: onnx.NodeProto) -> bool:
    """Whether the outputs of a node differ from run to run; the third input of a Dropout makes it drop values."""
    return node.op_type in RANDOM or (node.op_type == "Dropout" and len(node.input) > 2 and bool(node.input[2]))


@dataclass
class Values:
    """The tensors of a graph, by name, as far as they are known while its nodes are run.

    `arrays`: values; `weights`: initialisers, which may lie in files in `folder`; `types`: ONNX element types;
    `shapes`: inferred shapes; `fixed`: tensors that depend on weights and input shapes but not on input values.
    Fixed tensors are initialisers of a one-node model, as in the whole graph, where the engine folds them.

    `fit`: the values come from an input that the whole model ran on. Else a node may fail because made-up values do
    not fit it; `fitting` and `unfitting` are the nodes that ran, or did not, on the same values in another engine.
    """

    arrays: dict[str, np.ndarray]
    weights: dict[str, onnx.TensorProto]
    folder: Path
    fixed: set[str]
    types: dict[str, int]
    shapes: dict[str, Shape]
    fit: bool
    fitting: set[int] = field(default_factory=set)
    unfitting: set[int] = field(default_factory=set)

    def get(self, name: str) -> np.ndarray | None:
        """The value of `name`; random if no engine computed it but its shape is known; None if that is unknown.

        Raises NotProbed for weights that cannot be read, and for values that cannot be made up.
        """
        known = self.arrays.get(name)
        if known is not None:
            return known
        if name in self.weights:
            return self._weight(self.weights[name])
        shape, kind = self.shapes.get(name), self.types.get(name)
        if shape is None or not kind or any(isinstance(size, str) for size in shape):
            return None
        try:
            dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind))
        except (KeyError, TypeError):
            raise NotProbed(f"its input '{name}' has a type that this program does not know") from None
        if dtype.kind == "V" or dtype.str[1] == "V":
            raise NotProbed(f"its input '{name}' has a type that NumPy lacks")
        try:
            return random_value(dtype, tuple(int(size) for size in shape), seed=len(name))
        except ValueError as error:
            raise NotProbed(f"its input '{name}' cannot be made up: {error}") from None

    def _weight(self, tensor: onnx.TensorProto) -> np.ndarray:
        try:
            length = weight_length(tensor, self.folder) if external_data_helper.uses_external_data(tensor) else 0
            array = read_tensor(tensor, self.folder) if length <= LARGEST else None
        except Exception as error:  # ValueError, TypeError, KeyError, OSError, onnx's ValidationError
            raise NotProbed(f"its weights '{tensor.name}' cannot be read: {error}") from None
        if array is None:
            raise NotProbed(f"its weights '{tensor.name}' are larger than an ONNX file of one node can be")
        return array

    def shows_support(self, error: EngineError, number: int) -> bool:
        """Whether this failure of node `number` is the engine's, and not that of values that do not fit."""
        if self.fit or number in self.fitting:
            return True
        disagree = any(words in str(error) for words in SIZES_DISAGREE)
        return number not in self.unfitting and not error.in_run and not disagree


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
        known = inputs <= fixed and not any(subgraphs(node)) and not is_random(node)
        if known or node.op_type in ("Shape", "Size"):
            fixed.update(node.output)
    return fixed


def probe_nodes(
    engine: Engine, model: onnx.ModelProto, values: Values, ran: bool, folder: Path, report: Report
) -> Probes:
    """Run every node of the main graph alone in `engine`; nodes with the same signature are run once.

    `ran`: the engine ran the whole model, so a node that fails alone is supported all the same, as where the engine
    folds what is an input of the node alone.

    Output values that are not known yet are added to `values`. A node that runs but whose output differs from the
    known value counts as unsupported; outputs that nobody reads are not compared.
    """
    probes = Probes()
    read = read_names(model.graph)
    found: dict[tuple, EngineError | str | None] = {}
    for number, node in enumerate(model.graph.node):
        raise_if_stopped(report)
        if number % 50 == 0:
            report(Progress(f"probing {engine.name}", number, len(model.graph.node), "nodes", node.op_type))
        name, operator = node_name(node, number), operator_name(node)
        outputs = outputs_of(node, read)
        try:
            inputs = node_inputs(engine, node, values)
            known = all(output in values.arrays for output in outputs)
            key = (*signature(node, inputs, values.fixed), tuple(output in outputs for output in node.output))
            if not known or key not in found:
                # A unique name, because the engine process reuses the last opened model by its path.
                path = folder / f"{engine.name}-{number}.onnx"
                path.write_bytes(one_node_model(model, node, inputs, outputs, values))
                found[key] = probe(engine, path, node, inputs, outputs, values)
                path.unlink()
        except NotProbed as error:
            probes.not_probed.append(UnsupportedNode(name, operator, str(error)))
            continue
        reason = found[key]
        if isinstance(reason, EngineError) and not values.shows_support(reason, number):
            values.unfitting.add(number)
            probes.not_probed.append(UnsupportedNode(name, operator, f"no made-up input fits: {reason}"))
            continue
        if isinstance(reason, EngineError) and ran:
            probes.not_probed.append(UnsupportedNode(name, operator, f"runs in the model, not alone: {reason}"))
            continue
        probes.probed += 1
        if reason is None:
            values.fitting.add(number)
        else:
            probes.refused.append(UnsupportedNode(name, operator, str(reason)))
    return probes


def read_names(graph: onnx.GraphProto) -> set[str]:
    """The tensors of the main graph that something reads: a node, a subgraph, or whoever runs the model."""
    read = {value.name for value in graph.output}
    for node in graph.node:
        read.update(node.input, captured(node))
    return read


def outputs_of(node: onnx.NodeProto, read: set[str]) -> list[str]:
    """The outputs of a node that something reads, as the mask of a Dropout is not; all if nothing reads any."""
    named = [name for name in node.output if name]
    return [name for name in named if name in read] or named


def probe(
    engine: Engine,
    path: Path,
    node: onnx.NodeProto,
    inputs: dict[str, np.ndarray],
    outputs: list[str],
    values: Values,
) -> EngineError | str | None:
    """Run the one-node model at `path`; None if it runs and agrees, else the failure or the difference."""
    given = {name: array for name, array in inputs.items() if name not in values.fixed}
    try:  # its inputs have their sizes, so the other openings would be the same
        found = engine.answer(path, given, {}, NODE_LIMIT_SECONDS, openings=(AS_IT_IS,)).outputs
    except EngineError as error:
        return error
    pairs = [(name, array) for name, array in zip(outputs, found, strict=False) if array is not None]
    expected = [values.arrays[name] for name, _ in pairs if name in values.arrays]
    if not is_random(node) and len(expected) == len(pairs):
        reason, _ = disagreement(expected, [array for _, array in pairs])
        if reason and engine.name == ENGINES[1]:
            known = [values.arrays.get(name) for name in outputs]
            reason += f"; {third_opinion(path, given, {}, {ENGINES[0]: known, ENGINES[1]: found})}"
        if reason:
            return f"it runs, but {reason}"
    for name, array in pairs:
        values.arrays.setdefault(name, array)
    return None


def node_inputs(engine: Engine, node: onnx.NodeProto, values: Values) -> dict[str, np.ndarray]:
    """The values of all tensors that a node reads. Raises NotProbed if one is unknown or does not fit."""
    inputs = {}
    for name in dict.fromkeys([*node.input, *captured(node)]):
        if not name:
            continue
        value = values.get(name)
        if value is None:
            raise NotProbed(f"type or shape of its input '{name}' is unknown")
        if engine.name == "tract" and value.dtype.kind == "U":
            raise NotProbed("its inputs are strings, which the Python package of tract does not support")
        if not values.fit and not value.size:
            raise NotProbed(f"no made-up input fits: its input '{name}' has no elements")
        inputs[name] = value
    return inputs


def one_node_model(
    model: onnx.ModelProto, node: onnx.NodeProto, inputs: dict[str, np.ndarray], outputs: list[str], values: Values
) -> bytes:
    """A model of this one node: fixed tensors are initialisers, the others inputs of their real shape.

    Raises NotProbed if it would be too large for a file.
    """
    initialisers = [
        embedded(values.weights[name], values.folder)
        if name in values.weights
        else numpy_helper.from_array(array, name)
        for name, array in inputs.items()
        if name in values.fixed
    ]
    given = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in inputs.items()
        if name not in values.fixed
    ]
    graph = onnx.helper.make_graph(
        [node], "one node", given, [onnx.ValueInfoProto(name=name) for name in outputs], initialisers
    )
    alone = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    try:
        return serialised(alone)
    except ValueError as error:
        raise NotProbed(f"as a model of its own {error}") from None


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
