"""How what a model sees is shown: suspect labels, saliency."""

from kanji_tui.cli.console import escape
from kanji_tui.cli.show.words import Result, percent, stdout, table

SUSPECTS_SHOWN = 20
SHADES = " ░▒▓█"
MAP_SIDE = 16  # cells across, each two wide


def suspects(value: Result) -> None:
    """The most suspect first; a TSV file or --json holds them all."""
    found = value["suspects"]
    stdout.print(f"{len(found):,} of {value['samples']:,} samples of {value['split']} have a suspect label")
    if value["unknown_samples"]:
        stdout.print(f"  not judged: {value['unknown_samples']:,} samples of classes the model lacks")
    if found:
        made = table("label", "read as", ">p(label)", ">p(read as)", "split", ">sample", "where")
        for suspect in found[:SUSPECTS_SHOWN]:
            where = suspect["path"] or f"{suspect['file']} record {suspect['record']} set {suspect['data_set']}"
            made.add_row(
                f"{suspect['label']} {suspect['label_jis']}",
                f"{suspect['predicted']} {suspect['predicted_jis']}",
                f"{suspect['label_probability']:.4f}",
                f"{suspect['predicted_probability']:.4f}",
                suspect["split"],
                str(suspect["sample"]),
                escape(where),
            )
        stdout.print(made)
    if value["output_path"]:
        stdout.print(f"all of them: {escape(value['output_path'])}")
    elif len(found) > SUSPECTS_SHOWN:
        stdout.print("--json lists them all, --output-path FILE.tsv writes them")


def saliency(value: Result) -> None:
    """Each map in shades, two cells a place."""
    for one in value["explained"]:
        what = f"sample {one['sample']} ({one['truth']})" if one["sample"] is not None else "the picture"
        stdout.print(
            f"{what}: what speaks for {one['character']} {one['jis']} ({percent(one['probability'])}), "
            f"by {one['method']}"
        )
        for row in shades(one["map"]):
            stdout.print("  " + row)
    if value["picture_path"]:
        stdout.print(f"{escape(value['picture_path'])}, {escape(value['array_path'])}")


def shades(rows: list[list[float]]) -> list[str]:
    """A map of S rows of S numbers 0-1 as at most 16 lines of shades."""
    step = max(1, len(rows) // MAP_SIDE)
    lines = []
    for top in range(0, len(rows), step):
        line = ""
        for left in range(0, len(rows), step):
            part = [value for row in rows[top : top + step] for value in row[left : left + step]]
            line += 2 * SHADES[round(sum(part) / len(part) * (len(SHADES) - 1))]
        lines.append(line)
    return lines
