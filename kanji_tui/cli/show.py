"""Results on stdout: one JSON object with --json, else tables and sentences for a person."""

import json
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kanji_tui.cli.console import escape

PIPE_WIDTH = 160  # nobody folds a pipe
stdout = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)
Result = dict[str, Any]
SHADES = " ░▒▓█"
UNUSUAL_SHOWN = 20
VERDICT_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "not applicable": "dim"}
VERDICT_MARKS = {"ok": "ok", "warning": "warn", "failed": "FAIL", "not applicable": "n/a"}


def result(name: str, value: Result, as_json: bool) -> None:
    """Print the result of the command `name`."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
    else:
        SHOWN.get(name, fields)(value)


def table(*columns: str, title: str | None = None) -> Table:
    """An unboxed table; a column whose name starts with '>' is right-aligned."""
    made = Table(box=None, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for column in columns:
        made.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return made


def size(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def percent(fraction: float | None) -> str:
    """A fraction in percent, or a dash where there is none."""
    return "-" if fraction is None else f"{fraction:.2%}"


def fields(value: Result) -> None:
    """The plain values of a result, one a line."""
    for name, item in value.items():
        if not isinstance(item, dict | list):
            stdout.print(f"{name.replace('_', ' '):>20}  {escape(str(item))}")


def checks(value: Result) -> None:
    """Checks by group, each with its verdict, what was found and the remedy."""
    shown = None
    for check in value["checks"]:
        group = check.get("group", "")
        if group != shown:
            stdout.print(f"\n[bold]{escape(group)}[/]" if group else "")
            shown = group
        mark = Text(f"{VERDICT_MARKS[check['verdict']]:>5}", style=VERDICT_STYLES[check["verdict"]])
        stdout.print(mark, f" {escape(check['name'])}: {escape(check['found'])}")
        if check["remedy"] and check["verdict"] != "ok":
            stdout.print(f"        [dim]try:[/] {escape(check['remedy'])}")


def sample(value: Result) -> None:
    stdout.print(
        f"{value['records']:,} drawn samples (not handwriting) of {value['classes']:,} characters "
        f"by {value['sets']} hands in {len(value['files'])} files"
    )


def prepared(value: Result) -> None:
    stdout.print(
        f"{value['records']:,} records of {value['classes']:,} classes at {value['size']}x{value['size']} "
        f"in {value['seconds']:.1f} s ({value['records_per_second']:,.0f} records/s)"
    )
    if value["quarantined"]:
        stdout.print(f"[yellow]{value['quarantined']} records were left out: see quarantine.tsv in the dataset[/]")


def verified(value: Result) -> None:
    stdout.print(f"{value['samples']:,} samples of {value['classes']:,} classes")
    checks(value)
    heat_map(value["heat_map"])
    if value["unusual"]:
        unusual(value["unusual"])


def heat_map(rows: list[list[float]]) -> None:
    """Where the ink lies: the mean of all pictures in shades, two cells wide each."""
    stdout.print("\n[bold]where the ink lies[/]")
    most = max(max(row) for row in rows) or 1
    for row in rows:
        stdout.print("  " + "".join(2 * SHADES[round(cell / most * (len(SHADES) - 1))] for cell in row))


def unusual(classes: list[Result]) -> None:
    """The samples furthest from their classes, over all of them."""
    found = [(sample, known) for known in classes for sample in known["samples"]]
    found.sort(key=lambda pair: -pair[0]["distance"])
    made = table(
        "character", "JIS", ">distance", ">sample", "where", title=f"most unusual of {len(found):,} listed"
    )
    for sample, known in found[:UNUSUAL_SHOWN]:
        where = sample["path"] or f"{sample['file']} record {sample['record']}"
        made.add_row(
            known["character"], known["jis"], f"{sample['distance']:.2f}", str(sample["sample"]), escape(where)
        )
    stdout.print()
    stdout.print(made)
    stdout.print("--json lists them all, --contact-sheet FILE.png draws them")


def trained(value: Result) -> None:
    validation, test = value["validation"], value["test"]
    stdout.print(
        f"run {escape(value['run'])}: {value['network']}, {value['parameters']:,} parameters, on {value['device']}"
    )
    stdout.print(
        f"  best epoch {value['best_epoch']} of {value['epochs']}: "
        f"validation top-1 {percent(validation.get('top1'))}"
    )
    if test:
        stdout.print(f"  test top-1 {percent(test.get('top1'))}, top-5 {percent(test.get('top5'))}")
    stdout.print(f"  {value['seconds']:.0f} s, {value['samples_per_second']:,.0f} samples/s")


def started(value: Result) -> None:
    stdout.print(f"started {escape(value['run'])}; follow it with: kanji-tui attach {escape(value['run'])}")


def ended(value: Result) -> None:
    stdout.print(f"{escape(value['run'])}: {value['state']}")


def runs(value: Result) -> None:
    if not value["runs"]:
        stdout.print("no runs yet; start one with: kanji-tui train")
        return
    made = table("run", "job", "state", ">epoch", ">val top-1")
    for run in value["runs"]:
        epoch = f"{run['epoch']}/{run['epochs']}" if run["epoch"] else ""
        top1 = percent(run["validation"]["top1"]) if run["validation"] else ""
        made.add_row(run["run"], run["job"], run["state"], epoch, top1)
    stdout.print(made)


def networks(value: Result) -> None:
    made = table("network", ">parameters", ">MACs", ">size", "what it is")
    for network in value["networks"]:
        made.add_row(
            network["name"],
            f"{network['parameters']:,}",
            f"{network['macs']:,}",
            size(network["bytes"]),
            network.get("description", ""),
        )
    stdout.print(made)


def evaluated(value: Result) -> None:
    stdout.print(
        f"{value['samples']:,} samples: top-1 {percent(value['top1'])}, top-3 {percent(value['top3'])}, "
        f"top-5 {percent(value['top5'])}, balanced {percent(value['balanced'])}, loss {value['loss']:.4f}"
    )
    for pair in value["confusions"][:10]:
        stdout.print(f"  {pair['truth']} taken for {pair['predicted']}: {pair['count']} times")


def predicted(value: Result) -> None:
    for prediction in value["predictions"]:
        stdout.print(f"[bold]{escape(prediction['path'])}[/]")
        for candidate in prediction["candidates"]:
            bar = "#" * round(20 * candidate["probability"])
            stdout.print(f"  {candidate['character']}  {candidate['jis']}  {candidate['probability']:7.2%}  {bar}")


def exported(value: Result) -> None:
    stdout.print(f"{escape(value['path'])}  {size(value['bytes'])}")
    if "opset" in value:
        stdout.print(f"  opset {value['opset']}, pooling {value['pooling']}")
        stdout.print(escape(f"  exporter {value['exporter']}: {value['exporter_reason']}"))
        stdout.print(escape(f"  {value['target']}: {value['note']}"))
        stdout.print(escape(f"  tested on {value['samples_source']}"))
    for engine, parity in (value.get("parity") or {}).items():
        stdout.print(
            f"  {engine}: {parity['samples']:,} samples, largest logit difference "
            f"{parity['max_logit_difference']:.2e}, same top-1 {percent(parity['top1_agreement'])}"
        )
    if value.get("changed"):
        stdout.print(escape(f"  changed: {value['changed']}"))
    if value.get("calibration"):
        stdout.print(escape(f"  ranges from {value['calibration']}"))
    if accuracy := value.get("accuracy"):
        stdout.print(
            f"  top-1 {percent(accuracy['top1'])}, as trained {percent(accuracy['before'])}, on "
            f"{accuracy['samples']:,} samples of {escape(accuracy['source'])}"
        )
    if value.get("latency"):
        latencies(value["latency"], {value["target"]: ""})


def inspected(value: Result) -> None:
    for model in value["models"]:
        stdout.print(f"[bold]{escape(model['path'])}[/]")
        stdout.print(
            f"  opset {model['opset']}, {model['parameters']:,} parameters, "
            f"{model['macs'] or 0:,} MACs, {size(model['bytes'])}"
        )
        counts = sorted(model["operators"].items(), key=lambda pair: -pair[1])
        stdout.print("  " + ", ".join(f"{count} {name}" for name, count in counts))
        for engine, support in model["backends"].items():
            words = {True: "[green]runs[/]", False: "[bold red]does not run[/]", None: ""}[support["runs"]]
            stdout.print(f"  {engine}: {words} {escape(support['reason'])}")
            for refusal in support["refused"][:10]:
                stdout.print(escape(f"    {refusal['node']} ({refusal['operator']}): {refusal['reason']}"))


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
        shown = [str(count) if count else "-" for count in counts]
        made.add_row(name, *shown, style="bold" if len(set(counts)) > 1 else "dim")
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


SHOWN: dict[str, Callable[[Result], None]] = {
    "preflight": checks,
    "sample": sample,
    "prepare": prepared,
    "verify": verified,
    "train": trained,
    "started": started,
    "stop": ended,
    "publish": ended,
    "delete": ended,
    "runs": runs,
    "networks": networks,
    "evaluate": evaluated,
    "predict": predicted,
    "export_onnx": exported,
    "export_safetensors": exported,
    "export_mapping": exported,
    "inspect": inspected,
    "compare": compared,
    "pooling": pooled,
}
