"""How the results about the machine and the data are shown."""

from rich.text import Text

from kanji_tui.characters.jis import jis_to_character
from kanji_tui.cli.console import escape
from kanji_tui.cli.show.words import Result, stdout, table

SHADES = " ░▒▓█"
SETS_SHOWN, CLASSES_SHOWN, UNUSUAL_SHOWN = 10, 20, 20
VERDICT_STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "not applicable": "dim"}
VERDICT_MARKS = {"ok": "ok", "warning": "warn", "failed": "FAIL", "not applicable": "n/a"}


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
    incomplete_sets(value["incomplete_sets"])
    heat_map(value["heat_map"])
    if value["unusual"]:
        unusual(value["unusual"])


def incomplete_sets(sets: list[Result]) -> None:
    """The classes that data sets lack, by their characters."""
    if sets:
        stdout.print("\n[bold]classes that data sets lack[/]")
    for lacking in sets[:SETS_SHOWN]:
        named = " ".join(jis_to_character(int(code, 16)) or code for code in lacking["lacks"][:CLASSES_SHOWN])
        more = len(lacking["lacks"]) - CLASSES_SHOWN
        stdout.print(
            f"  {escape(lacking['file'])} set {lacking['set']}: {named}{f' and {more:,} more' * (more > 0)}"
        )
    if len(sets) > SETS_SHOWN:
        stdout.print(f"  and {len(sets) - SETS_SHOWN} more data sets; --json lists them all")


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
