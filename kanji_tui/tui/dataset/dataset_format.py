"""Files, facts, checks, classes and unusual samples in the words and rows of the Dataset screen."""

import re

from textual.content import Content

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.listing import ListedInput, Listing
from kanji_tui.data.results import Verification
from kanji_tui.events import Progress
from kanji_tui.presentation.document import LazyRows, Row
from kanji_tui.tui.shell.status_line import progress_words
from kanji_tui.tui.widgets import formatting
from kanji_tui.tui.widgets.key_values import KeyValue
from kanji_tui.workspace.opened_dataset import Overview
from kanji_tui.workspace.run_views import RunView

HOLDERS = {"kuzushiji": "npz pairs", "images": "folders of images"}
UNUSUAL_SHOWN = 1000
BAR = 8


def file_rows(files: Listing, overview: Overview | None, running: RunView | None) -> LazyRows[ListedInput]:
    """What lies there with the state of each; of a folder elsewhere what the preparation or the dataset names."""
    moving = {progress.item: progress for progress in running.files} if running else {}
    done = dict(overview.files) if overview else {}
    items = files.items
    if not items or (moving and not moving.keys() & {item.name for item in items}):
        counts = {name: progress.total for name, progress in moving.items()} if running else done
        items = tuple(ListedInput(name, samples=count) for name, count in counts.items())
    elif files.format == "images":
        done = {item.name: item.samples or 0 for item in items} if _has_images(overview) else {}

    def row(item: ListedInput) -> Row:
        megabytes = f"{item.bytes / 1e6:.1f}" if item.bytes is not None else ""
        state = _file_state(item, moving.get(item.name), done, running is not None)
        return Row(item.name, (_short(item.name), megabytes, formatting.count(item.samples), state))

    return LazyRows(items, row)


def _has_images(overview: Overview | None) -> bool:
    return overview is not None and overview.name == "images"


def _file_state(item: ListedInput, progress: Progress | None, done: dict[str, int], preparing: bool) -> Content:
    """How far it is prepared; `done`: samples in the dataset of each."""
    if progress is not None and progress.total:
        share = progress.done / progress.total
        return formatting.bar(share, 4) + Content(f" {100 * share:3.0f} %")
    if preparing:
        return formatting.quiet("waits")
    if item.name not in done:
        return formatting.quiet("not yet")
    short = (item.samples or 0) - done[item.name]
    if short <= 0:
        return Content.styled("prepared", "$success")
    return Content.styled(f"all but {short}" if short < 100 else "in part", "$warning")


def _short(name: str) -> str:
    """A file's name without what is the same in all of them."""
    return name.removesuffix("-imgs.npz").removesuffix(".npz").removeprefix("etl9g_dataset_")


def files_note(files: Listing) -> str | Content:
    """What kind of files these are, after the pane's title."""
    return Content.styled("DRAWN SAMPLE", "$warning") if files.synthetic else HOLDERS.get(files.format, "")


def facts_of(overview: Overview) -> list[KeyValue]:
    """The dataset in a few facts, the long ones last."""
    counts = [count for _, count in overview.counts]
    each = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
    facts: list[KeyValue] = [
        ("samples", formatting.count(overview.samples)),
        ("classes", f"{overview.classes:,} with {each} each"),
        ("pictures", f"{overview.size} x {overview.size}, 256 greys"),
        ("data sets", f"{overview.sets} in {len(overview.files)} files" if overview.sets else "hands not known"),
        ("split", " / ".join(formatting.count(number) for _, number in overview.parts)),
        (" ", formatting.quiet(f"train/val/test, by {overview.split}")),
        ("left out", f"{overview.quarantined:,}, see quarantine.tsv" if overview.quarantined else "none"),
        ("digest", formatting.quiet(overview.digest[:16])),
    ]
    if overview.drawn:
        return [("source", Content.styled("DRAWN, not handwriting", "bold $warning")), *facts]
    facts.append(("source", overview.source))
    return [*facts, ("note", formatting.quiet(overview.note))] if overview.note else facts


def job_words(running: RunView) -> Content:
    """The job at work in one line: how far, how fast, how long yet."""
    progress = running.progress
    if progress is None:
        return Content.styled(f"{running.job} is starting", "$primary")
    parts = [Content.styled(running.job, "bold $primary"), *progress_words(progress)]
    if progress.rate is not None:
        parts.append(Content(f"{formatting.count(progress.rate)} {progress.unit}/s"))
    if progress.bytes_per_second:
        parts.append(formatting.quiet(f"{progress.bytes_per_second / 1e6:,.0f} MB/s"))
    return Content("  ").join(parts)


def check_rows(result: Verification | None) -> list[Row]:
    """What verify checked: verdict, name, and the beginning of what was found."""
    return [
        Row(check.name, (formatting.verdict(check.verdict), check.name, re.split(r"[;:] | \(", check.found)[0]))
        for check in (result.checks if result else ())
    ]


def check_words(result: Verification | None, name: str) -> Content:
    """All that one check found, with its remedy."""
    check = next((check for check in (result.checks if result else ()) if check.name == name), None)
    if check is None:
        return Content()
    remedy = f"\n{check.remedy}" if check.remedy else ""
    return Content.assemble(check.found, (remedy, "$accent"))


def ink_words(result: Verification | None) -> Content:
    """What the map of the ink says in numbers."""
    rows = result.heat_map if result else ()
    if result is None or not rows:
        return formatting.quiet("v looks where the ink lies")
    mean = sum(map(sum, rows)) / sum(map(len, rows))
    lines = [
        Content.assemble(("mean of all pictures  ", "$quiet"), f"{result.samples:,}"),
        Content.assemble(("ink on average        ", "$quiet"), f"{100 * mean:.1f} %"),
        Content.assemble(("at its darkest        ", "$quiet"), f"{100 * max(map(max, rows)):.1f} %"),
    ]
    for name in ("ink in the middle", "ink at the edges"):
        lines.append(formatting.quiet(f"{name}: ") + check_words(result, name))
    return Content("\n").join(lines)


def class_rows(overview: Overview) -> LazyRows[tuple[int, int]]:
    """Every class with its samples, those with the fewest first."""
    most = max(count for _, count in overview.counts)

    def row(jis_and_count: tuple[int, int]) -> Row:
        jis, count = jis_and_count
        bar = formatting.bar(count / most, BAR)
        return Row(name_jis(jis), (character_of(jis), name_jis(jis), formatting.count(count), bar))

    return LazyRows(sorted(overview.counts, key=lambda pair: (pair[1], pair[0])), row)


def set_rows(result: Verification | None) -> list[Row]:
    """The data sets without some classes, and which these are."""
    return [
        Row(
            f"{lacking.file} {lacking.set}",
            (lacking.file, str(lacking.set), formatting.count(len(lacking.lacks)), _characters(lacking.lacks)),
        )
        for lacking in (result.incomplete_sets if result else ())
    ]


def _characters(codes: tuple[str, ...]) -> str:
    return " ".join(character_of(int(code, 16)) for code in codes)


def unusual_rows(result: Verification | None, jis: str) -> list[Row]:
    """The samples least like their class, of one class or of all, the furthest first."""
    known = [each for each in (result.unusual if result else ()) if jis in ("", each.jis)]
    found = [(sample, each) for each in known for sample in each.samples]
    found.sort(key=lambda pair: -pair[0].distance)
    return [
        Row(
            str(sample.sample),
            (
                each.character,
                each.jis,
                f"{sample.distance:.2f}",
                sample.path or f"{_short(sample.file)} {sample.record}",
            ),
        )
        for sample, each in found[:UNUSUAL_SHOWN]
    ]
