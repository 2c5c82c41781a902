"""What compare, pooling and the exports found, as their commands print it with --json, in rows and words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.content import Content

from kanji_tui.presentation.document import Column, Line, Row
from kanji_tui.system.plain_data import to_plain
from kanji_tui.tui.widgets import formatting
from kanji_tui.workspace.run_views import RunView

Result = dict[str, Any]
JOBS = ("compare", "pooling", "export_onnx", "export_safetensors", "export_mapping")


@dataclass(frozen=True)
class Table:
    """`about` stands above the rows; `told` has all words of a row, by its key, for below them."""

    title: str
    about: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    told: dict[str, Content] = field(default_factory=dict)


def result_table(view: RunView) -> Table:
    """What an ended run of one of JOBS found, or why it found nothing."""
    title = f"{view.title}  {formatting.moment(view.started)}"
    if view.result is None:
        failure = view.failure
        said = {"what": failure.message, "remedy": failure.remedy} if failure else {"what": view.state}
        return facts_table(title, f"{view.title} {view.state}", said.items())
    result = to_plain(view.result)
    if view.job == "compare":
        return compare_table(title, result)
    if view.job == "pooling":
        return pooling_table(title, result)
    return facts_table(title, result["path"], export_facts(result))


def facts_table(title: str, about: str, facts: Iterable[tuple[str, str]]) -> Table:
    """A name and a value a row."""
    kept = [(name, value) for name, value in facts if value]
    rows = [Row(name, (formatting.quiet(name), value)) for name, value in kept]
    return Table(
        title, about, (Column("", 14), Column("", 0)), rows, {name: Content(value) for name, value in kept}
    )


def export_facts(result: Result) -> list[tuple[str, str]]:
    """What an export says of itself, by name; what it has not is empty."""
    verified = {True: "read back: every bit is the model's", None: "not read back", False: ""}
    facts = [
        ("size", formatting.size(result["bytes"])),
        ("opset", str(result.get("opset", ""))),
        ("exporter", f"{result['exporter']}: {result['exporter_reason']}" if "exporter" in result else ""),
        ("pooling", result.get("pooling", "")),
        ("numbers", result.get("quantization", "")),
        ("changed", result.get("changed", "")),
        ("ranges from", result.get("calibration", "")),
        ("tested on", result.get("samples_source", "")),
        *((engine, parity_words(parity)) for engine, parity in result.get("parity", {}).items()),
    ]
    if accuracy := result.get("accuracy"):
        top1, before = formatting.percent(accuracy["top1"], 2), formatting.percent(accuracy["before"], 2)
        facts.append(
            ("top-1", f"{top1}, as trained {before}, {accuracy['samples']:,} samples: {accuracy['source']}")
        )
    for engine, timings in result.get("latency", {}).items():
        facts += [(f"{engine} b{timing['batch']}", timing_words(timing)) for timing in timings]
    if "tensors" in result:
        facts += [("tensors", f"{result['tensors']}, {formatting.count(result['parameters'])} parameters")]
        facts += [("verify", verified[result["verified"]]), ("card", result["metadata"].get("card", "left out"))]
    if "statistics" in result:
        counts = [f"{name.replace('_', ' ')} {number:,}" for name, number in result["statistics"].items()]
        facts.append(("statistics", ", ".join(counts)))
    return [*facts, ("target", result.get("note", "")), ("mapping", result.get("mapping_path", ""))]


def compare_table(title: str, result: Result) -> Table:
    """A column a file; the first is what the others are held against."""
    models = result["models"]
    paths = [model["path"] for model in models]
    names, files = short_names(paths), [Path(path).name for path in paths]
    rows: list[Row] = []
    told: dict[str, Content] = {}

    def heading(text: str) -> None:
        rows.append(Row(text, (Content(text),), heading=True))

    def add(label: str, cells: list[Line], lines: list[str], key: str = "") -> None:
        rows.append(Row(key or label, (label, *cells)))
        told[key or label] = per_file(names, lines)

    heading("files")
    add("size", [formatting.size(model["bytes"]) for model in models], files)
    add("opset", [str(model["opset"]) for model in models], [model["producer"] for model in models])
    add("parameters", [formatting.count(model["parameters"]) for model in models], files)
    add("top-1", [formatting.percent(model["top1"], 2) for model in models], files)

    heading(f"largest difference to 1, on {result['parity']['samples']:,} samples")
    found = {(one["model"], one["backend"]): one for one in result["parity"]["results"]}
    for backend in dict.fromkeys(backend for _, backend in found):
        ones = [found[path, backend] for path in paths]
        said = [parity_words(one["parity"]) if one["parity"] else one["reason"] for one in ones]
        add(backend, [difference(one["parity"]) for one in ones], said, f"parity {backend}")

    heading("latency of one run in ms: median (spread), one thread, warmed up")
    for backend, timings in result["latency"].items():
        by = {(timing["model"], timing["batch"]): timing for timing in timings}
        for batch in dict.fromkeys(timing["batch"] for timing in timings):
            ones = [by[path, batch] for path in paths]
            add(f"{backend} batch {batch}", [spread(one) for one in ones], [timing_words(one) for one in ones])

    heading("operators")
    for operator, counts in result["operators"].items():
        add(
            operator,
            [counted(count, counts[0]) for count in counts],
            [change(count, counts[0]) for count in counts],
        )
    width = {2: 20, 3: 15}.get(len(models), 12)
    columns = (Column("", 0), *(Column(f"{n} {name}", width, right=True) for n, name in enumerate(names, 1)))
    return Table(title, f"1 is {files[0]}\n{parity_source(result)}", columns, rows, told)


def pooling_table(title: str, result: Result) -> Table:
    """A row a pooling type; refusals in the words of the export."""
    rows, told = [], {}
    for one in result["poolings"]:
        key = one["type"]
        name = Content(key) + formatting.quiet(" *" if one["trained"] else "")
        if one["refused"]:
            rows.append(Row(key, (name, *(formatting.quiet("-"),) * 7)))
            told[key] = Content(one["refused"])
            continue
        timings = [timing for engine in one["latency"].values() for timing in engine]
        nodes = sum(one["operators"].values())
        cells = [
            formatting.size(one["bytes"]),
            formatting.percent(one["top1"], 2),
            str(nodes),
            *map(milliseconds, timings),
        ]
        rows.append(Row(key, (name, *cells)))
        operators = ", ".join(f"{count} {operator}" for operator, count in one["operators"].items())
        told[key] = Content(
            f"{one['pooling']}\n{operators}\nlogits differ by {one['max_logit_difference']:.1e} at most"
        )
    titles = ("size", "top-1", "nodes", "ORT b1", "b32", "tract b1", "b32")
    columns = (Column("type", 0), *(Column(name, 8 if "tract" in name else 7, right=True) for name in titles))
    about = f"{result['samples']:,} samples: {result['samples_source']}; * as trained; ms of one run, one thread"
    return Table(title, about, columns, rows, told)


def layer_table(model: Result) -> Table:
    """Where the weights and the work of an inspected model are."""
    layers = model["layers"]
    whole = max(1, sum(layer["bytes"] for layer in layers))
    rows, told = [], {}
    for layer in layers:
        share = layer["bytes"] / whole
        cells = (
            layer["name"],
            formatting.bar(share, 8),
            formatting.percent(share),
            formatting.size(layer["bytes"]),
            formatting.count(layer["parameters"]),
            formatting.count(layer["macs"]),
        )
        rows.append(Row(layer["name"], cells))
        told[layer["name"]] = Content(f"{layer['name']}\n{', '.join(layer['operators'])}")
    columns = (
        Column("layer", 0, tail=True),
        Column("", 8),
        Column("share", 7, right=True),
        Column("size", 8, right=True),
        Column("params", 10, right=True),
        Column("MACs", 12, right=True),
    )
    held, whole = formatting.size(model["weight_bytes"]), formatting.size(model["bytes"])
    about = f"{len(layers)} layers hold {held}; the file has {whole}"
    return Table(f"size by layer  {Path(model['path']).name}", about, columns, rows, told)


def short_names(paths: list[str]) -> list[str]:
    """What tells the files apart: the parts of their names behind those that all begin with."""
    parts = [Path(path).stem.split("_") for path in paths]
    shared = 0
    while all(len(own) > shared for own in parts) and len({own[shared] for own in parts}) == 1:
        shared += 1
    return ["_".join(own[shared:]) or own[-1] for own in parts]


def per_file(names: list[str], lines: list[str]) -> Content:
    """A line for each file, its number and name before it."""
    pairs = zip(names, lines, strict=True)
    return Content("\n").join(
        Content.assemble((f"{number} {name}  ", "$quiet"), line) for number, (name, line) in enumerate(pairs, 1)
    )


def parity_source(result: Result) -> str:
    return f"on {result['parity']['samples_source']}" if result["parity"]["samples_source"] else "on no samples"


def difference(parity: Result | None) -> Line:
    """The largest difference, marked where it is above the tolerance."""
    if parity is None:
        return formatting.quiet("-")
    return Content.styled(f"{parity['max_logit_difference']:.1e}", "$success" if parity["passed"] else "$warning")


def parity_words(parity: Result) -> str:
    verdict = "within" if parity["passed"] else "above"
    return (
        f"off by {parity['max_logit_difference']:.1e}, {verdict} {parity['tolerance']:.1e}; same top-1 "
        f"{formatting.percent(parity['top1_agreement'], 2)} of {parity['samples']:,}"
    )


def milliseconds(timing: Result) -> Line:
    return formatting.quiet("-") if timing["median"] is None else short(1000 * timing["median"])


def spread(timing: Result) -> Line:
    """Median and spread, in milliseconds."""
    if timing["median"] is None:
        return formatting.quiet("-")
    return f"{short(1000 * timing['median'])} ({short(1000 * timing['spread'])})"


def short(number: float) -> str:
    """Three or four digits, whatever the size."""
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:.0f}"


def timing_words(timing: Result) -> str:
    if timing["median"] is None:
        return str(timing["reason"])
    return (
        f"median {1000 * timing['median']:.2f} ms, spread {1000 * timing['spread']:.2f} ms, {timing['runs']} runs, "
        f"{timing['threads']} thread"
    )


def counted(count: int, first: int) -> Line:
    """How often an operator occurs, and how much more or less than in the first file."""
    text = str(count) if count else "-"
    return formatting.quiet(text) if count == first else Content.styled(f"{text} ({count - first:+})", "bold")


def change(count: int, first: int) -> str:
    if count == first:
        return f"{count}, as in the first"
    return f"{count}: {abs(count - first)} {'added' if count > first else 'gone'}"
