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
