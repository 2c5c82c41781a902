"""An inspected model, as `inspect --json` gives it, in the words and rows of the Inspector screen."""

from collections import Counter
from typing import Any

from textual.content import Content

from kanji_tui.presentation.document import Row
from kanji_tui.tui.widgets import formatting


def model_facts(model: dict[str, Any]) -> list[tuple[str, str | Content]]:
    def shape(tensor: dict[str, Any]) -> str:
        return f"{tensor['name']} {tensor['type']} {_shape(tensor['shape'])}"

    pools = Counter(f"{pool['operator']} {pool['window']}" for pool in model.get("pooling", []))
    pooling = ", ".join(f"{times} {name}" for name, times in pools.items()) or "none"
    opset = str(model["opset"]) + (f", IR {model['ir_version']}" if model.get("ir_version") else "")
    weights = f"{formatting.count(model['parameters'])} parameters, {formatting.size(model['bytes'])}"
    macs = f"{model['macs'] / 1e6:,.1f} M a picture" if model.get("macs") else "-"
    return [
        ("opset", f"{opset}  {model.get('producer', '')}"),
        ("weights", weights),
        ("MACs", macs),
        ("pooling", pooling),
        (
            "interface",
            "; ".join(shape(t) for t in model.get("inputs", []))
            + "  to  "
            + "; ".join(shape(t) for t in model.get("outputs", [])),
        ),
    ]


def backend_rows(model: dict[str, Any]) -> list[Row]:
    rows = []
    for name, support in model["backends"].items():
        refused = support.get("refused", [])
        runs = support["runs"]
        if runs:
            mark, said = Content.styled("runs", "$success"), _runs_words(support)
        elif runs is None:
            mark, said = formatting.quiet("not run"), support.get("reason", "").removeprefix("not run: ")
        else:
            mark, said = Content.styled("FAILS", "bold $error"), support.get("reason", "")
        if refused:
            first = refused[0]
            many = f"{len(refused)} nodes refused, first" if refused[1:] else "1 node refused:"
            said = f"{many} {first['operator']} {first['node']}: {first['reason']}"
        rows.append(Row(name, (name, mark, said)))
    return rows


def _runs_words(support: dict[str, Any]) -> str:
    parts = [support.get("version", "")]
    latency = support.get("latency")
    if isinstance(latency, dict) and latency.get("median") is not None:
        parts.append(f"{1000 * latency['median']:.2f} ms b{latency['batch']}")
    if support.get("difference") is not None:
        parts.append(f"differs by {support['difference']:.1e}")
    if support.get("probed"):
        parts.append(f"{support['probed']} nodes tried alone")
    return ", ".join(part for part in parts if part)


def refusals(model: dict[str, Any]) -> dict[str, dict[str, str]]:
    """By node name: the engines that refuse it and their words."""
    found: dict[str, dict[str, str]] = {}
    for engine, support in model.get("backends", {}).items():
        for refusal in support.get("refused", []):
            found.setdefault(refusal["node"], {})[engine] = refusal["reason"]
    return found


def node_row(node: dict[str, Any], refused: dict[str, str]) -> Row:
    outputs = node.get("output_shapes") or [None]
    style = "" if not refused else "$warning" if set(refused) == {"onnxruntime-web"} else "bold $error"
    cells = (
        str(node["number"]),
        Content.styled(node["operator"], style),
        node.get("module", "").removeprefix("network.") or node["name"],
        _shape(outputs[0]),
        formatting.count(node["parameters"]) if node.get("parameters") else "",
    )
    return Row(str(node["number"]), cells)


def node_line(node: dict[str, Any], refused: dict[str, str]) -> str:
    """All that the filter looks for words in, in lower case."""
    shapes = [_shape(shape) for shape in (*node.get("input_shapes", []), *node.get("output_shapes", []))]
    said = [f"{engine} refuses {reason}" for engine, reason in refused.items()]
    parts = [node["operator"], node["name"], node.get("module", ""), *shapes, _attributes(node), *said]
    return " ".join(parts).lower()


def node_words(node: dict[str, Any], refused: dict[str, dict[str, str]]) -> Content:
    """A node in full: who refuses it, its shapes, attributes and name."""
    said = refused.get(node["name"], {})
    lines = [Content.assemble((f"{engine} refuses: ", "$error"), reason) for engine, reason in said.items()]
    takes = " ".join(_shape(shape) for shape in node.get("input_shapes", []))
    gives = " ".join(_shape(shape) for shape in node.get("output_shapes", []))
    lines.append(Content.assemble(("takes ", "$quiet"), takes, (" gives ", "$quiet"), gives))
    if node.get("attributes"):
        lines.append(Content(_attributes(node)))
    return Content("\n").join([*lines, Content.styled(node["name"], "$quiet")])


def _attributes(node: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in node.get("attributes", {}).items())


def _shape(shape: Any) -> str:
    return "?" if shape is None else "x".join(str(side) for side in shape) or "scalar"
