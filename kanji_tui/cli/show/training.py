"""How the results about trainings and runs are shown."""

from kanji_tui.cli.console import escape
from kanji_tui.cli.show.words import Result, percent, size, stdout, table


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
    if value.get("profile"):
        profiled(value["profile"])


def profiled(value: Result) -> None:
    """Where the time of the traced steps went."""
    on_gpu = value["phases"][0]["device_seconds"] is not None
    title = f"{value['steps']} steps of {value['batch_size']} samples, traced on {value['device']}"
    made = table("phase", ">ms a step", ">share", *([">GPU ms a step"] if on_gpu else []), title=title)
    for phase in value["phases"]:
        cells = [phase["phase"], f"{1000 * phase['seconds'] / value['steps']:.2f}", percent(phase["share"])]
        device = phase["device_seconds"]
        if on_gpu:
            cells.append("" if device is None else f"{1000 * device / value['steps']:.2f}")
        made.add_row(*cells)
    stdout.print(made)
    stdout.print("  the trace is profile_trace.json in the run's directory: open it in ui.perfetto.dev")


def folds(value: Result) -> None:
    made = table("fold", "run", ">val top-1", ">test top-1", ">test top-5", ">test balanced")
    for fold in value["folds"]:
        made.add_row(fold["fold"], fold["run"], *_accuracies(fold))
    made.add_row("mean", "", *_accuracies(value["mean"]))
    made.add_row("std", "", *_accuracies(value["std"]))
    stdout.print(made)


def _accuracies(found: Result) -> list[str]:
    test = found["test"]
    return [percent(share) for share in (found["validation"]["top1"], test["top1"], test["top5"], test["balanced"])]


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
        if network["remedy"]:
            made.add_row(network["name"], "-", "-", "-", f"{network['description']}; {escape(network['remedy'])}")
            continue
        made.add_row(
            network["name"],
            f"{network['parameters']:,}",
            f"{network['macs']:,}",
            size(network["bytes"]),
            network.get("description", ""),
        )
    stdout.print(made)
