"""How the results about ONNX files are shown."""

from typing import Any

from rich.table import Table

from kanji_tui.cli.console import escape
from kanji_tui.cli.show.words import Result, percent, size, stdout, table


def inspected(value: Result) -> None:
    for model in value["models"]:
        one_inspected(model)


def inspected_nodes(value: Result) -> None:
    """As `inspected`, and every node after it."""
    for model in value["models"]:
        one_inspected(model)
        stdout.print("", node_table(model))


def one_inspected(model: Result) -> None:
    stdout.print(f"[bold]{escape(model['path'])}[/]")
    versions = ", ".join(f"{domain} {version}" for domain, version in model["opsets"].items())
    stdout.print(escape(f"  opset {model['opset']} ({versions}), IR {model['ir_version']}, {model['producer']}"))
    unknown = f" and {model['macs_unknown']} nodes not counted" if model["macs_unknown"] else ""
    stdout.print(
        f"  {model['parameters']:,} parameters, {model['macs']:,} MACs{unknown}, {size(model['bytes'])}, "
        f"{size(model['weight_bytes'])} of them weights"
    )
    for name, tensors in (("takes", model["inputs"]), ("gives", model["outputs"])):
        said = ", ".join(f"{tensor['name']} {tensor['type']} {shape(tensor['shape'])}" for tensor in tensors)
        stdout.print(escape(f"  {name} {said}"))
    stdout.print("  " + ", ".join(f"{count} {name}" for name, count in model["operators"].items()))
    stdout.print("", engine_table(model["backends"]))
    for engine, support in model["backends"].items():
        alike: dict[tuple[str, str], list[str]] = {}
        for refusal in support["refused"]:
            alike.setdefault((refusal["operator"], refusal["reason"]), []).append(refusal["node"])
        for (operator, reason), nodes in alike.items():
            more = f" and {len(nodes) - 1} more" if nodes[1:] else ""
            stdout.print(escape(f"  {engine} refuses {operator} {nodes[0]}{more}: {reason}"))
    if model["pooling"]:
        made = table("pooling", "window", "of", "node")
        for pool in model["pooling"]:
            made.add_row(pool["operator"], pool["window"], shape(pool["input_shape"]), escape(pool["node"]))
        stdout.print("", made)
    if model["layers"]:
        stdout.print("", layer_table(model))


def engine_table(backends: Result) -> Table:
    """What each engine says of the whole file; times of one run at batch 1 on one thread."""
    made = table("engine", "", ">nodes tried", ">refused", ">median ms", ">spread ms", ">differs", "")
    for engine, support in backends.items():
        verdict = {True: "[green]runs[/]", False: "[bold red]does not run[/]", None: "not run"}[support["runs"]]
        timed, difference = support["latency"], support["difference"]
        made.add_row(
            f"{engine} {support['version']}",
            verdict,
            str(support["probed"] or "-"),
            str(len(support["refused"])),
            f"{1000 * timed['median']:.2f}" if timed else "-",
            f"{1000 * timed['spread']:.2f}" if timed else "-",
            "-" if difference is None else f"{difference:.1e}",
            escape(support["reason"]),
        )
    return made


def layer_table(model: Result) -> Table:
    """Where the weights and the work are."""
    whole = max(1, sum(layer["bytes"] for layer in model["layers"]))
    made = table("layer", ">size", ">share", ">parameters", ">MACs", "operators")
    for layer in model["layers"]:
        made.add_row(
            escape(layer["name"]),
            size(layer["bytes"]),
            percent(layer["bytes"] / whole),
            f"{layer['parameters']:,}",
            f"{layer['macs']:,}",
            ", ".join(dict.fromkeys(layer["operators"])),
        )
    return made


def node_table(model: Result) -> Table:
    """Every node of the main graph in the file's order."""
    made = table(">", "operator", "module or name", "takes", "gives", ">parameters", "attributes")
    for node in model["nodes"]:
        made.add_row(
            str(node["number"]),
            node["operator"],
            escape(node["module"] or node["name"]),
            " ".join(map(shape, node["input_shapes"])),
            " ".join(map(shape, node["output_shapes"])),
            f"{node['parameters']:,}" if node["parameters"] else "",
            escape(" ".join(f"{name}={value}" for name, value in node["attributes"].items())),
        )
    return made


def shape(sizes: list[Any] | None) -> str:
    return "?" if sizes is None else "x".join(map(str, sizes)) or "scalar"


def compared(value: Result) -> None:
    """A column a model, numbered as the files were named."""
    models = value["models"]
    numbers = {model["path"]: str(number) for number, model in enumerate(models, 1)}
    made = table("", "file", ">size", ">opset", ">parameters", ">top-1")
    for model in models:
        made.add_row(
            numbers[model["path"]],
            model["path"],
            size(model["bytes"]),
            str(model["opset"]),
            f"{model['parameters']:,}",
            percent(model["top1"]),
        )
    stdout.print(made)
    made = table("operator", *(f">{number}" for number in numbers.values()))
    for name, counts in value["operators"].items():
        changes = [f" ({count - counts[0]:+})" if count != counts[0] else "" for count in counts]
        shown = [f"{count or '-'}{change}" for count, change in zip(counts, changes, strict=True)]
        made.add_row(name, *shown, style="bold" if any(changes) else "dim")
    stdout.print("", made)
    parity = value["parity"]
    stdout.print(escape(f"\noutputs against {parity['reference']}, {parity['samples_source'] or 'not compared'}"))
    made = table("", "backend", ">samples", ">largest difference", ">same top-1", "")
    for result in parity["results"]:
        found = result["parity"]
        cells = ["-", "-", "-", escape(result["reason"])]
        if found:
            cells = [
                f"{found['samples']:,}",
                f"{found['max_logit_difference']:.2e}",
                percent(found["top1_agreement"]),
                f"within {found['tolerance']:.1e}" if found["passed"] else f"above {found['tolerance']:.1e}",
            ]
        made.add_row(numbers[result["model"]], result["backend"], *cells)
    stdout.print(made)
    stdout.print("\nlatency of one run, one thread, warmed up")
    latencies(value["latency"], numbers)


def latencies(by_backend: Result, numbers: dict[str, str]) -> None:
    """Median and spread between the quartiles, in milliseconds."""
    made = table("", "backend", ">batch", ">median ms", ">spread ms", ">runs", "")
    for backend, timings in by_backend.items():
        for timing in timings:
            cells = ["-", "-", "-"]
            if timing["median"] is not None:
                cells = [f"{1000 * timing['median']:.2f}", f"{1000 * timing['spread']:.2f}", str(timing["runs"])]
            name = numbers.get(timing["model"], timing["model"])
            made.add_row(name, backend, str(timing["batch"]), *cells, escape(timing["reason"]))
    stdout.print(made)


def pooled(value: Result) -> None:
    stdout.print(escape(f"{value['model_path']}, trained by {value['trained']}; files for the target tract"))
    stdout.print(escape(f"measured on {value['samples']:,} samples: {value['samples_source']}"))
    made = table("type", ">size", ">top-1", ">nodes", ">ORT ms b1", ">b32", ">tract ms b1", ">b32", "pooling nodes")
    for row in value["poolings"]:
        name = f"{row['type']}{' (as trained)' if row['trained'] else ''}"
        if row["refused"]:
            made.add_row(name, *["-"] * 7, escape(row["refused"]), style="dim")
            continue
        timings = [timing["median"] for engine in row["latency"].values() for timing in engine]
        shown = ["-" if median is None else f"{1000 * median:.2f}" for median in timings]
        nodes = f"{sum(row['operators'].values())}"
        made.add_row(name, size(row["bytes"]), percent(row["top1"]), nodes, *shown, row["pooling"])
    stdout.print(made)
