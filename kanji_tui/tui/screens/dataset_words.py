"""Files, facts, checks, classes and unusual samples in the words and rows of the Dataset screen."""

import re
from typing import Any

from textual.content import Content

from kanji_tui.characters.jis import jis_to_character, name_jis
from kanji_tui.data.listing import Listing
from kanji_tui.events import Progress
from kanji_tui.tui.runs import RunView
from kanji_tui.tui.shelf import Overview
from kanji_tui.tui.widgets import words
from kanji_tui.tui.widgets.facts import Fact
from kanji_tui.tui.widgets.rows import Row
from kanji_tui.tui.widgets.status_line import progress_words

HOLDERS = {"kuzushiji": "npz pairs", "images": "folders of images"}
UNUSUAL_SHOWN = 1000
BAR = 8


def file_rows(files: Listing, overview: Overview | None, running: RunView | None) -> list[Row]:
    """What lies there with the state of each; of a folder elsewhere what the preparation or the dataset names."""
    moving = {progress.item: progress for progress in running.files} if running else {}
    done = dict(overview.files) if overview else {}
    if not files.items or (moving and not moving.keys() & {item.name for item in files.items}):
        counts = {name: progress.total for name, progress in moving.items()} if running else done
        return [_file_row(name, None, count, moving, done, running) for name, count in counts.items()]
    if files.format == "images":
        done = {item.name: item.samples or 0 for item in files.items} if _has_images(overview) else {}
    return [_file_row(item.name, item.bytes, item.samples, moving, done, running) for item in files.items]


def _has_images(overview: Overview | None) -> bool:
    return overview is not None and overview.name == "images"


def _file_row(
    name: str,
    size: int | None,
    count: int | None,
    moving: dict[str, Progress],
    done: dict[str, int],
    running: RunView | None,
) -> Row:
    progress = moving.get(name)
    if progress is not None and progress.total:
        share = progress.done / progress.total
        state = words.bar(share, 4) + Content(f" {100 * share:3.0f} %")
    elif running is not None:
        state = words.quiet("waits")
    elif name not in done:
        state = words.quiet("not yet")
    elif not count or done[name] >= count:
        state = Content.styled("prepared", "$success")
    else:
        short = count - done[name]
        state = Content.styled(f"all but {short}" if short < 100 else "in part", "$warning")
    megabytes = f"{size / 1e6:.1f}" if size is not None else ""
    return Row(name, (_short(name), megabytes, words.count(count), state))


def _short(name: str) -> str:
    """A file's name without what is the same in all of them."""
    return name.removesuffix("-imgs.npz").removesuffix(".npz").removeprefix("etl9g_dataset_")


def files_note(files: Listing) -> str | Content:
    """What kind of files these are, after the pane's title."""
    return Content.styled("DRAWN SAMPLE", "$warning") if files.drawn else HOLDERS.get(files.format, "")


def facts_of(overview: Overview) -> list[Fact]:
    """The dataset in a few facts, the long ones last."""
    counts = [count for _, count in overview.counts]
    each = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
    facts: list[Fact] = [
        ("samples", words.count(overview.samples)),
        ("classes", f"{overview.classes:,} with {each} each"),
        ("pictures", f"{overview.size} x {overview.size}, 256 greys"),
        ("data sets", f"{overview.sets} in {len(overview.files)} files" if overview.sets else "hands not known"),
        ("split", " / ".join(words.count(number) for _, number in overview.parts)),
        (" ", words.quiet(f"train/val/test, by {overview.split}")),
        ("left out", f"{overview.quarantined:,}, see quarantine.tsv" if overview.quarantined else "none"),
        ("digest", words.quiet(overview.digest[:16])),
    ]
    if overview.drawn:
        return [("source", Content.styled("DRAWN, not handwriting", "bold $warning")), *facts]
    facts.append(("source", overview.source))
    return [*facts, ("note", words.quiet(overview.note))] if overview.note else facts


def job_words(running: RunView) -> Content:
    """The job at work in one line: how far, how fast, how long yet."""
    progress = running.progress
    if progress is None:
        return Content.styled(f"{running.job} is starting", "$primary")
    parts = [Content.styled(running.job, "bold $primary"), *progress_words(progress)]
    if progress.rate is not None:
        parts.append(Content(f"{words.count(progress.rate)} {progress.unit}/s"))
    if progress.bytes_per_second:
        parts.append(words.quiet(f"{progress.bytes_per_second / 1e6:,.0f} MB/s"))
    return Content("  ").join(parts)


def check_rows(result: dict[str, Any]) -> list[Row]:
    """What verify checked: verdict, name, and the beginning of what was found."""
    return [
        Row(
            check["name"],
            (words.verdict(check["verdict"]), check["name"], re.split(r"[;:] | \(", check["found"])[0]),
        )
        for check in result.get("checks", [])
    ]


def check_words(result: dict[str, Any], name: str) -> Content:
    """All that one check found, with its remedy."""
    check = next((check for check in result.get("checks", []) if check["name"] == name), None)
    if check is None:
        return Content()
    remedy = f"\n{check['remedy']}" if check["remedy"] else ""
    return Content.assemble(check["found"], (remedy, "$accent"))


def ink_words(result: dict[str, Any]) -> Content:
    """What the map of the ink says in numbers."""
    rows = result.get("heat_map") or []
    if not rows:
        return words.quiet("v looks where the ink lies")
    mean = sum(map(sum, rows)) / sum(map(len, rows))
    lines = [
        Content.assemble(("mean of all pictures  ", "$quiet"), f"{result['samples']:,}"),
        Content.assemble(("ink on average        ", "$quiet"), f"{100 * mean:.1f} %"),
        Content.assemble(("at its darkest        ", "$quiet"), f"{100 * max(map(max, rows)):.1f} %"),
    ]
    for name in ("ink in the middle", "ink at the edges"):
        lines.append(words.quiet(f"{name}: ") + check_words(result, name))
    return Content("\n").join(lines)


def class_rows(overview: Overview) -> list[Row]:
    """Every class with its samples, those with the fewest first."""
    most = max(count for _, count in overview.counts)
    return [
        Row(
            name_jis(jis),
            (jis_to_character(jis) or "?", name_jis(jis), words.count(count), words.bar(count / most, BAR)),
        )
        for jis, count in sorted(overview.counts, key=lambda pair: (pair[1], pair[0]))
    ]


def set_rows(result: dict[str, Any]) -> list[Row]:
    """The data sets without some classes, and which these are."""
    return [
        Row(
            f"{lacking['file']} {lacking['set']}",
            (
                lacking["file"],
                str(lacking["set"]),
                words.count(len(lacking["lacks"])),
                _characters(lacking["lacks"]),
            ),
        )
        for lacking in result.get("incomplete_sets", [])
    ]


def _characters(codes: list[str]) -> str:
    return " ".join(jis_to_character(int(code, 16)) or "?" for code in codes)


def unusual_rows(result: dict[str, Any], jis: str) -> list[Row]:
    """The samples least like their class, of one class or of all, the furthest first."""
    known = [each for each in result.get("unusual", []) if jis in ("", each["jis"])]
    found = [(sample, each) for each in known for sample in each["samples"]]
    found.sort(key=lambda pair: -pair[0]["distance"])
    return [
        Row(
            str(sample["sample"]),
            (
                each["character"],
                each["jis"],
                f"{sample['distance']:.2f}",
                sample["path"] or f"{_short(sample['file'])} {sample['record']}",
            ),
        )
        for sample, each in found[:UNUSUAL_SHOWN]
    ]
