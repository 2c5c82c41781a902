"""How the accounts of runs are shown: energy, and the trials of a search."""

from rich.text import Text

from kanji_tui.cli.console import escape
from kanji_tui.cli.show.words import Result, percent, stdout, table


def accounted(value: Result) -> None:
    intensity = value["carbon_intensity"]
    named = " ".join(str(part) for part in (intensity["region"], intensity["year"]) if part)
    said_by = f"{named}, {intensity['source']}" if named else intensity["source"]
    stdout.print(f"[bold]{escape(value['run'])}[/]")
    if value["kwh"] is None:
        stdout.print(f"  not measured: {escape(value['reason'])}")
    else:
        stdout.print(f"  {energy(value['kwh'])}, {mass(value['kg_co2'])} of CO2")
        stdout.print(f"  at {intensity['g_per_kwh']:g} g/kWh ({said_by})")
        for device in value["devices"]:
            known = device["kwh"] is not None
            said = (
                f"{energy(device['kwh'])}, {device['measured_by']}"
                if known
                else f"not measured: {device['reason']}"
            )
            stdout.print(f"  {escape(device['device'])}: {escape(said)}")
    if value["epochs"]:
        made = table(">epoch", ">energy")
        for epoch in value["epochs"]:
            made.add_row(str(epoch["epoch"]), energy(epoch["kwh"]))
        stdout.print(made)
    if value["codecarbon"]:
        noted = value["codecarbon"]
        stdout.print(
            f"  CodeCarbon ({noted['country']}) notes {energy(noted['kwh'])}, {mass(noted['kg_co2'])} of CO2; "
            "it estimates what it cannot measure"
        )
    if value["resumed_from"]:
        stdout.print(
            f"  this part only; it goes on from {escape(value['resumed_from'])}, which has its own account"
        )


def searched(value: Result) -> None:
    names = list(dict.fromkeys(name for trial in value["trials"] for name in trial["values"]))
    made = table("", "run", *(f">{name.replace('_', ' ')}" for name in names), ">val top-1", ">val loss")
    for trial in value["trials"]:
        found = trial["validation"]
        made.add_row(
            "*" if trial["run"] == value["best"]["run"] else "",
            trial["run"],
            *(number(trial["values"].get(name, "")) for name in names),
            *((percent(found["top1"]), f"{found['loss']:.4f}") if found else (Text("failed"), "")),
        )
    stdout.print(made)
    stdout.print(f"best: {escape(value['best']['run'])}; its settings are in its config.yaml")


def number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def energy(kwh: float) -> str:
    """Kilowatt-hours as a person reads them."""
    return f"{kwh:.3g} kWh" if kwh >= 0.1 else f"{1000 * kwh:.3g} Wh"


def mass(kilograms: float) -> str:
    return f"{kilograms:.3g} kg" if kilograms >= 0.1 else f"{1000 * kilograms:.3g} g"
