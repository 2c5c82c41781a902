"""The inspection of an ONNX file: the model, the engines that run it, its nodes and layers."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from kanji_tui.engines.results import AS_IT_IS, CONTROL_FLOW, Node, Tensor
from kanji_tui.events import SilentReport
from kanji_tui.inspection.results import FailedModel, Inspected, InspectedModel, Layer, Support, UnsupportedNode
from kanji_tui.jobs import inspect
from kanji_tui.presentation.document import Column, Document, KeyValues, Line, Row, Styled, Table, quiet, text_of
from kanji_tui.presentation.lineage import file_origin
from kanji_tui.presentation.marks import bar
from kanji_tui.presentation.status import running_sentences
from kanji_tui.system import numbers
from kanji_tui.workspace.snapshot import WorkspaceSnapshot
from kanji_tui.workspace.state import State

STATUS = {True: Styled("runs", "good"), False: Styled("FAILS", "bad strong"), None: quiet("not tried")}
GIVE_INPUTS = "Give inputs that fit: --input NAME=SHAPE,TYPE for made-up values, --inputs FILE.npz for arrays."
BAR = 8
NODES_SHOWN = 5  # columns of nodes that fit on a screen; the details have the others

MODEL_COLUMNS = (Column("file", tail=True), Column("size", 8, right=True))
OPERATOR_COLUMNS = (Column(""), Column("", 5, right=True))
ENGINE_COLUMNS = (Column("", 15), Column("", 9), Column(""))
NODE_COLUMNS = (
    Column("#", 3, right=True),
    Column("operator", 13),
    Column("module or name", tail=True),
    Column("output", 12),
    Column("params", 9, right=True),
    Column("inputs"),
    Column("attributes"),
)
LAYER_COLUMNS = (
    Column("layer", tail=True),
    Column("", BAR),
    Column("share", 8, right=True),
    Column("size", 8, right=True),
    Column("params", 10, right=True),
    Column("MACs", 12, right=True),
    Column("operators", 30),
)


def model_key_values(model: InspectedModel) -> KeyValues:
    """Versions, weights, MACs and interface of a file."""
    return KeyValues(
        (
            ("opset", _versions(model)),
            ("weights", _weights(model)),
            ("MACs", _macs(model)),
            ("pooling", _pooling(model)),
            ("interface", f"{_tensors(model.inputs)}  ->  {_tensors(model.outputs)}"),
        )
    )


def _versions(model: InspectedModel) -> str:
    others = [f"{domain} {version}" for domain, version in model.opsets.items() if domain != "ai.onnx"]
    return ", ".join([str(model.opset), *others, f"IR {model.ir_version}", model.producer or "producer unknown"])


def _weights(model: InspectedModel) -> str:
    parameters = f"{numbers.count(model.parameters)} parameters"
    return f"{parameters}, {numbers.size(model.weight_bytes)}; the file has {numbers.size(model.bytes)}"


def _macs(model: InspectedModel) -> str:
    """The sum, the sizes it holds for, and what it leaves out."""
    uncounted = [node for node in model.nodes if node.macs is None and node.operator in CONTROL_FLOW]
    parts = [f"inside {node.operator} '{node.name}'" for node in uncounted[:1]]
    parts += [f"inside {len(uncounted) - 1} more nodes"] if uncounted[1:] else []
    others = model.macs_unknown - len(uncounted)
    parts += [_nodes(others)] if others else []
    unknown = f"; not counted: {', '.join(parts)}" if parts else ""
    return f"{numbers.count(model.macs)} {_for_sizes(model)}{unknown}"


def _for_sizes(model: InspectedModel) -> str:
    """The input sizes that MACs and shapes hold for."""
    return f"for an input of {numbers.shapes(model.ran_on)}" if model.ran_on else "for the sizes in the file"


def _pooling(model: InspectedModel) -> str:
    pools = Counter(f"{pool.operator} {pool.window}" for pool in model.pooling)
    return ", ".join(f"{times} {name}" for name, times in pools.items()) or "none"


def _tensors(tensors: Iterable[Tensor]) -> str:
    return ", ".join(f"{tensor.name} {tensor.type} {numbers.shape(tensor.shape)}" for tensor in tensors)


def operator_table(model: InspectedModel) -> Table:
    """The number of nodes of each operator, the most frequent first."""
    pairs = sorted(model.operators.items(), key=lambda pair: (-pair[1], pair[0]))
    return Table(OPERATOR_COLUMNS, [Row(name, (name, numbers.count(times))) for name, times in pairs])


# engines


def engine_table(model: InspectedModel) -> Table:
    """Whether each engine runs the file, its latency and difference, or what it does not support."""
    rows = [
        Row(name, (name, STATUS[support.runs], support_text(support)), details=_support_details(name, support))
        for name, support in model.backends.items()
    ]
    return Table(ENGINE_COLUMNS, rows)


def support_text(support: Support) -> str:
    """The most important about an engine, in a line."""
    if support.refused and not (support.runs and support.latency):
        first = support.refused[0]
        many = f"{_nodes(len(support.refused))} unsupported{', first' if support.refused[1:] else ':'}"
        return f"{many} {first.operator} {first.node}: {first.reason}"
    return _measured(support) if support.runs else _reason(support)


def _reason(support: Support) -> str:
    return (support.reason or "").removeprefix("not run: ")


def _measured(support: Support) -> str:
    latency = support.latency
    parts = [support.version]
    if support.opening not in (None, AS_IT_IS):
        parts.append(f"opened {support.opening}")
    if latency is not None:
        inputs = f" on {numbers.shapes(latency.inputs)}" if latency.inputs else ""
        parts.append(f"{numbers.milliseconds(latency.median)} ms{inputs}")
    if support.difference is not None:
        parts.append(f"max abs. difference {numbers.difference(support.difference)}")
    if support.probed:
        parts.append(f"{_nodes(support.probed)} tested")
    if latency is not None:
        parts.append(f"median of {latency.runs} runs, spread {numbers.milliseconds(latency.spread)} ms")
    return ", ".join(part for part in parts if part)


def _nodes(count: int) -> str:
    return f"{numbers.count(count)} node{'' if count == 1 else 's'}"


def _support_details(name: str, support: Support) -> tuple[Line, ...]:
    """Measurements, the reason, and the unsupported nodes, grouped by operator and reason."""
    measured, reason = _measured(support), _reason(support)
    return (
        *([(quiet(f"{name}  "), measured)] if measured else []),
        *([reason] if reason else []),
        *([GIVE_INPUTS] if no_input_fits(support) else []),
        *(_nodes_line("unsupported", group, reason) for reason, group in _grouped(support.refused)),
        *(_nodes_line("not tested", group, reason) for reason, group in _grouped(support.not_probed)),
    )


def no_input_fits(support: Support) -> bool:
    """Whether the verdict on an engine waits for an input that fits."""
    return support.runs is None and bool(support.tried)


def unsupported_lines(model: InspectedModel) -> Document:
    """A line for each engine and each reason why it does not support some nodes."""
    return tuple(
        (Styled(f"{name}  ", "strong"), *_nodes_line("unsupported", group, reason))
        for name, support in model.backends.items()
        for reason, group in _grouped(support.refused)
    )


def input_lines(model: InspectedModel) -> Document:
    """What to do where no input fits, if that is so in an engine."""
    return (GIVE_INPUTS,) if any(map(no_input_fits, model.backends.values())) else ()


def _grouped(refusals: Iterable[UnsupportedNode]) -> Iterator[tuple[str, list[UnsupportedNode]]]:
    """(reason, refusals) for each operator and reason."""
    groups: dict[tuple[str, str], list[UnsupportedNode]] = {}
    for refusal in refusals:
        groups.setdefault((refusal.operator, refusal.reason), []).append(refusal)
    for (_, reason), group in groups.items():
        yield reason, group


def _nodes_line(what: str, group: list[UnsupportedNode], reason: str) -> tuple[str | Styled, ...]:
    more = f" and {len(group) - 1} more" if group[1:] else ""
    return Styled(f"{what} ", "bad" if what == "unsupported" else "quiet"), (
        f"{group[0].operator} {group[0].node}{more}: {reason}"
    )


# nodes


def node_table(model: InspectedModel) -> Table:
    """Every node of the main graph in the file's order; its details name the engines that do not support it."""
    reasons: dict[str, dict[str, str]] = {}
    for name, support in model.backends.items():
        for refusal in support.refused:
            reasons.setdefault(refusal.node, {})[name] = refusal.reason
    sizes = _for_sizes(model)
    rows = [_node_row(node, reasons.get(node.name, {}), sizes) for node in model.nodes]
    return Table(NODE_COLUMNS, rows, "nodes", numbers.count(len(rows)))


def _node_row(node: Node, reasons: dict[str, str], sizes: str) -> Row:
    style = "" if not reasons else "warning" if set(reasons) == {"onnxruntime-web"} else "bad strong"
    inputs, outputs = (" ".join(map(numbers.shape, shapes)) for shapes in (node.input_shapes, node.output_shapes))
    attributes = "  ".join(f"{name}={value}" for name, value in node.attributes.items())
    cells: tuple[Line, ...] = (
        str(node.number),
        Styled(node.operator, style),
        node.module.removeprefix("network.") or node.name,
        outputs.split(" ")[0] or "?",
        numbers.count(node.parameters) if node.parameters else "",
        inputs,
        attributes,
    )
    details: list[Line] = [(Styled(unsupported_by(name), "bad"), f" {reason}") for name, reason in reasons.items()]
    details.append((quiet("inputs "), inputs or "none", quiet("  outputs "), outputs))
    details += [attributes] if attributes else []
    macs = _node_macs(node, sizes)
    name = " in ".join(part for part in (node.name, node.module) if part)
    return Row(str(node.number), cells, details=(*details, quiet(name + macs)))


def _node_macs(node: Node, sizes: str) -> str:
    """The multiply-accumulates of a node, and of what they are or why there are none."""
    if node.macs is None:
        return "  MACs not counted" + (f": inside {node.operator} '{node.name}'" * (node.operator in CONTROL_FLOW))
    what = {"If": " in the costlier branch", "Loop": " in all iterations", "Scan": " in all iterations"}
    return f"  {numbers.count(node.macs)} MACs{what.get(node.operator, '')} {sizes}" if node.macs else ""


def unsupported_by(engine: str) -> str:
    """The beginning of the details of a node that the engine does not support; a filter finds these nodes by it."""
    return f"unsupported by {engine}:"


def row_text(row: Row) -> str:
    """The text that a filter searches, in lower case."""
    return " ".join(map(text_of, (*row.cells, *row.details))).lower()


# layers


def layer_table(model: InspectedModel) -> Table:
    """Weights and MACs by layer."""
    whole = max(1, sum(layer.bytes for layer in model.layers))
    about = (
        f"{len(model.layers)} layers hold {numbers.size(model.weight_bytes)}; "
        f"the file has {numbers.size(model.bytes)}; MACs {_for_sizes(model)}"
    )
    return Table(LAYER_COLUMNS, [_layer_row(layer, whole) for layer in model.layers], "size by layer", about)


def _layer_row(layer: Layer, whole: int) -> Row:
    share = layer.bytes / whole
    cells: tuple[Line, ...] = (
        layer.name,
        bar(share, BAR),
        numbers.percent(share),
        numbers.size(layer.bytes),
        numbers.count(layer.parameters),
        numbers.count(layer.macs),
        ", ".join(dict.fromkeys(layer.operators)),
    )
    return Row(layer.name, cells, details=(layer.name, ", ".join(layer.operators)))


def pooling_node_table(model: InspectedModel) -> Table:
    """The pooling nodes."""
    columns = (Column("pooling"), Column("window"), Column("input"), Column("node"))
    rows = [
        Row(pool.node, (pool.operator, pool.window, numbers.shape(pool.input_shape), pool.node))
        for pool in model.pooling
    ]
    return Table(columns, rows)


# documents


def inspection_document(
    result: Inspected, workspace: WorkspaceSnapshot | None = None, runs: Collection[str] = (), nodes: bool = False
) -> Document:
    """All inspected models, one after the other, each with a table of its `nodes` if that is asked for.

    With a `workspace`, and the names of the `runs` there are, what each was made from is compared with them.
    """
    return tuple(
        block
        for model in result.inspected
        for block in (*model_document(model, workspace, runs), *([node_table(model)] * nodes))
    )


def model_document(
    model: InspectedModel, workspace: WorkspaceSnapshot | None = None, runs: Collection[str] = ()
) -> Document:
    """Everything about a model except its nodes."""
    operators = ", ".join(f"{times} {name}" for name, times in model.operators.items())
    origin = file_origin(model, workspace, runs)
    key_values = KeyValues((*model_key_values(model).pairs, *origin, ("operators", operators)), title=model.path)
    return (
        key_values,
        engine_table(model),
        *unsupported_lines(model),
        *input_lines(model),
        *([pooling_node_table(model)] if model.pooling else []),
        *([layer_table(model)] if model.layers else []),
    )


def inspector_screen(state: State) -> Document:
    """The Inspector screen as text: the ONNX files, and an inspection of the newest."""
    workspace = state.workspace or WorkspaceSnapshot()
    jobs = running_sentences(state.active("compare", "pooling", "export_onnx"))
    if not workspace.onnx:
        return (*jobs, "There is no ONNX file yet. To do: kanji-tui export onnx")
    rows = [Row(str(path), (str(path), numbers.size(path.stat().st_size))) for path in workspace.onnx]
    listed = (*jobs, Table(MODEL_COLUMNS, rows, f"{len(rows)} ONNX files, newest first:"), "")
    model = inspect.run(inspect.Spec(workspace.onnx[:1]), SilentReport()).models[0]
    if isinstance(model, FailedModel):
        return (*listed, f"The newest file cannot be inspected: {model.error.message}. To do: {model.error.remedy}")
    operators = ", ".join(f"{times} {name}" for name, times in model.operators.items())
    return (
        *listed,
        "The newest file:",
        KeyValues(
            (
                *model_key_values(model).pairs,
                *file_origin(model, workspace, state.runs),
                ("nodes", f"{len(model.nodes)}: {operators}"),
            )
        ),
        "Engines:",
        engine_table(model),
        *unsupported_lines(model),
        *input_lines(model),
    )


PRESENTERS: dict[type, Callable[[Any], Document]] = {Inspected: inspection_document}
