"""How the results about ONNX files are shown."""

from kanji_tui.cli.console import escape
from kanji_tui.cli.show.words import Result, percent, size, stdout, table


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
