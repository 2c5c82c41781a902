"""Record files, the dataset made from them, and what verification found in it."""

from collections.abc import Callable, Sequence
from typing import Any

from kanji_tui.characters.jis import character_of, jis_to_character, name_jis
from kanji_tui.data.advice import dataset_advice
from kanji_tui.data.defaults import SYNTHETIC, SYNTHETIC_SOURCE
from kanji_tui.data.listing import ListedInput, Listing
from kanji_tui.data.results import ClassOutliers, IncompleteSet, Outlier, Preparation, SyntheticSample, Verification
from kanji_tui.events import Progress
from kanji_tui.paths import DATA_DIR
from kanji_tui.presentation import marks
from kanji_tui.presentation.document import (
    Block,
    Column,
    Document,
    KeyValues,
    LazyRows,
    Line,
    Row,
    Styled,
    Table,
    join,
    quiet,
)
from kanji_tui.presentation.lineage import lineage_line
from kanji_tui.presentation.preflight import checks_document
from kanji_tui.presentation.status import running_sentences, share_of
from kanji_tui.system import numbers
from kanji_tui.workspace.lineage import Link
from kanji_tui.workspace.opened_dataset import Overview
from kanji_tui.workspace.run_views import RunView

FILE_KINDS = {"kuzushiji": "npz pairs", "images": "image folders"}
LABELS = {"unicode": "Unicode", "jis": "JIS"}
SHADES = " ░▒▓█"
BAR, FILE_BAR = 8, 4
SETS_SHOWN, CLASSES_SHOWN, OUTLIERS_SHOWN = 10, 20, 20
OUTLIERS_LISTED = 1000  # in the workbench
NEARLY_ALL = 100  # fewer missing samples than this are counted

FILE_COLUMNS = (
    Column("file"),
    Column("size", 8, right=True),
    Column("samples", 7, right=True),
    Column("state", 10),
)
CLASS_COLUMNS = (Column("", 2), Column("JIS", 4), Column("samples", 7, right=True), Column(""))
SET_COLUMNS = (
    Column("file", 9),
    Column("set", 3, right=True),
    Column("missing", 7, right=True),
    Column("classes"),
)
OUTLIER_COLUMNS = (
    Column("", 2),
    Column("JIS", 4),
    Column("dist", 4, right=True),
    Column("sample", 6, right=True),
    Column("where"),
)


# files


def file_table(
    files: Listing, overview: Overview | None, preparing: RunView | None, changed: Sequence[str] = ()
) -> Table:
    """The files with their states, then those that are not read; for files in another folder, those of the
    preparation or of the dataset. `changed`: files that are no longer as they were prepared.
    """
    working = {progress.item: progress for progress in preparing.files} if preparing else {}
    done = dict(overview.files) if overview else {}
    items, ignored = files.items, frozenset(files.ignored)
    if not items or (working and not working.keys() & {item.name for item in items}):
        counts = {name: progress.total for name, progress in working.items()} if preparing else done
        items, ignored = tuple(ListedInput(name, samples=count) for name, count in counts.items()), frozenset()
    elif files.format == "images":
        of_images = overview is not None and overview.name == "images"
        done = {item.name: item.samples or 0 for item in items} if of_images else {}

    def row(item: ListedInput) -> Row:
        if item.name in ignored:
            return Row(item.name, (item.name, "", "", Styled("not read", "warning")))
        state = _file_state(item, working.get(item.name), done, preparing is not None)
        if item.name in changed and preparing is None:
            state = Styled("changed", "warning")
        size = "" if item.bytes is None else numbers.size(item.bytes)
        return Row(item.name, (_label(item), size, numbers.count(item.samples), state))

    return Table(FILE_COLUMNS, LazyRows((*items, *map(ListedInput, sorted(ignored))), row))


def _file_state(item: ListedInput, progress: Progress | None, done: dict[str, int], preparing: bool) -> Line:
    """How far a file is prepared; `done`: the samples of each file in the dataset."""
    if progress is not None and progress.total:
        return share_of(progress, FILE_BAR)
    if preparing:
        return quiet("waiting")
    if item.name not in done:
        return quiet("new")
    missing = (item.samples or 0) - done[item.name]
    if missing <= 0:
        return Styled("prepared", "good")
    return Styled(f"all but {missing}" if missing < NEARLY_ALL else "partly", "warning")


def _label(item: ListedInput) -> str:
    """The name of a file, short; of a folder also the character that its name means, where that is another text."""
    if item.character and item.character != item.name:
        return f"{item.name} {item.character}"
    return _short(item.name)


def _short(name: str) -> str:
    """A file's name without the parts that all names share."""
    return name.removesuffix("-imgs.npz").removesuffix(".npz").removeprefix("etl9g_dataset_")


def files_note(files: Listing) -> Line:
    """The kind of the files, as a note in the pane's title."""
    if files.synthetic:
        return Styled("SYNTHETIC SAMPLE", "warning")
    labels = f", {LABELS[files.labels]} names" if files.labels else ""
    return quiet(FILE_KINDS.get(files.format, "") + labels)


# the dataset


def dataset_key_values(overview: Overview, lineage: Sequence[Link] = ()) -> KeyValues:
    """A summary of the dataset, with the `lineage` of the published model."""
    counts = [count for _, count in overview.counts]
    each = numbers.count(min(counts))
    if min(counts) < max(counts):
        each += f" to {numbers.count(max(counts))}"
    skipped = f"{numbers.count(overview.quarantined)}, see quarantine.tsv" if overview.quarantined else "none"
    pairs: list[tuple[str, Line]] = [
        ("samples", numbers.count(overview.samples)),
        ("classes", f"{numbers.count(overview.classes)} with {each} each"),
        ("images", f"{overview.size}x{overview.size}, 256 grey levels"),
        ("writers", f"{overview.sets} in {len(overview.files)} files" if overview.sets else "unknown"),
        ("split", f"{overview.split}: train / val / test"),
        ("sizes", " / ".join(numbers.count(number) for _, number in overview.split_sizes)),
        ("skipped", skipped),
        ("digest", quiet(overview.digest[:16])),
    ]
    origin: list[tuple[str, Line]] = [("lineage", lineage_line(lineage))] if lineage else []
    if overview.synthetic:
        return KeyValues((("source", Styled(SYNTHETIC, "warning strong")), *pairs, *origin))
    pairs.append(("source", overview.source))
    if overview.note:
        pairs.append(("note", quiet(overview.note)))
    return KeyValues((*pairs, *origin))


def class_count_table(overview: Overview) -> Table:
    """Every class with its number of samples, the smallest first; a row's key is its JIS code."""
    most = max(count for _, count in overview.counts)

    def row(jis_and_count: tuple[int, int]) -> Row:
        jis, count = jis_and_count
        code = name_jis(jis)
        return Row(code, (character_of(jis), code, numbers.count(count), marks.bar(count / most, BAR)))

    return Table(CLASS_COLUMNS, LazyRows(sorted(overview.counts, key=lambda pair: (pair[1], pair[0])), row))


# verification


def incomplete_table(sets: Sequence[IncompleteSet], most: int | None = None) -> Table:
    """The writers with missing classes, and these classes, `most` of them named."""

    def row(lacking: IncompleteSet) -> Row:
        classes = " ".join(jis_to_character(int(code, 16)) or code for code in lacking.lacks[:most])
        if most is not None and len(lacking.lacks) > most:
            classes += f" and {len(lacking.lacks) - most:,} more"
        cells = (lacking.file, str(lacking.set), numbers.count(len(lacking.lacks)), classes)
        return Row(f"{lacking.file} {lacking.set}", cells)

    return Table(SET_COLUMNS, [row(lacking) for lacking in sets], "Writers with missing classes")


def outlier_table(classes: Sequence[ClassOutliers], jis: str = "", most: int = OUTLIERS_LISTED) -> Table:
    """The samples least like their class, of one class or of all, the most distant first; a row's key is the sample
    number.
    """
    found = [(sample, each) for each in classes if jis in ("", each.jis) for sample in each.samples]
    found.sort(key=lambda pair: -pair[0].distance)
    title = f"Outliers, {min(most, len(found)):,} of {len(found):,} listed"
    return Table(OUTLIER_COLUMNS, [_outlier_row(*pair) for pair in found[:most]], title)


def _outlier_row(sample: Outlier, known: ClassOutliers) -> Row:
    where = sample.path or f"{_short(sample.file)} {sample.record}"
    cells = (known.character, known.jis, f"{sample.distance:.2f}", str(sample.sample), where)
    return Row(str(sample.sample), cells)


def mean_image_lines(heat_map: Sequence[Sequence[float]]) -> tuple[Line, ...]:
    """The mean of all images in shade characters, two cells for each value 0-1; the highest is full ink."""
    peak = max(max(row) for row in heat_map) or 1
    return tuple(
        "  " + "".join(2 * SHADES[round(value / peak * (len(SHADES) - 1))] for value in row) for row in heat_map
    )


def mean_image_details(result: Verification | None) -> tuple[Line, ...]:
    """The mean image in numbers."""
    if result is None or not result.heat_map:
        return (quiet("press v to compute the mean image"),)
    rows = result.heat_map
    mean = sum(map(sum, rows)) / sum(map(len, rows))
    found = {check.name: check.found for check in result.checks}
    return (
        (quiet("mean image of  "), f"{numbers.count(result.samples)} samples"),
        (quiet("mean ink       "), numbers.percent(mean, 1)),
        (quiet("peak           "), numbers.percent(max(map(max, rows)), 1)),
        *((quiet(f"{name}: "), found[name]) for name in ("ink in the middle", "ink at the edges") if name in found),
    )


# documents


def sample_document(result: SyntheticSample) -> Document:
    """What a synthetic sample contains."""
    return (
        f"{numbers.count(result.records)} synthetic samples (not handwriting) of {numbers.count(result.classes)} "
        f"characters by {result.sets} synthetic writers in {len(result.files)} files",
        f"from {result.source}: {result.written_from or result.font}, seed {result.seed}",
    )


def preparation_document(result: Preparation) -> Document:
    """The prepared records, and the skipped ones."""
    lines: list[Block] = [
        f"{numbers.count(result.records)} records of {numbers.count(result.classes)} classes at "
        f"{result.size}x{result.size} in {numbers.duration(result.seconds)} "
        f"({numbers.rate(result.records_per_second, 'records')})"
    ]
    if result.source == SYNTHETIC_SOURCE:
        lines.append(Styled(SYNTHETIC, "warning"))
    if result.quarantined:
        text = f"skipped records: {numbers.count(result.quarantined)}, see quarantine.tsv in {result.output_dir}"
        lines.append(Styled(text, "warning"))
    return tuple(lines)


def verification_document(result: Verification) -> Document:
    """Checks with their remedies, writers with missing classes, the mean image, outliers."""
    samples, classes = numbers.count(result.samples), numbers.count(result.classes)
    blocks: list[Block] = [f"{samples} samples of {classes} classes", *checks_document(result.checks)]
    if result.incomplete_sets:
        blocks.append(incomplete_table(result.incomplete_sets[:SETS_SHOWN], CLASSES_SHOWN))
    if len(result.incomplete_sets) > SETS_SHOWN:
        blocks.append(f"{len(result.incomplete_sets) - SETS_SHOWN} more writers; --json lists all")
    if result.heat_map:
        blocks += ["", Styled("Mean image", "strong"), *mean_image_lines(result.heat_map)]
        blocks += mean_image_details(result)[1:3]
    if result.unusual:
        blocks.append(outlier_table(result.unusual, most=OUTLIERS_SHOWN))
        blocks.append("--json lists all, --contact-sheet FILE.png draws them")
    if result.contact_sheet:
        blocks.append(f"contact sheet: {result.contact_sheet}")
    return tuple(blocks)


def dataset_command(files: Listing) -> str:
    """What to type where there is no dataset yet; `files`: those that can be prepared."""
    return "kanji-tui prepare" if files.items else dataset_advice(DATA_DIR)


def ways_to_dataset(files: Listing) -> Line:
    """What to press where there is no dataset yet, the most useful first; `files`: those that can be prepared."""
    if files.items:
        return quiet("no dataset yet: press p to prepare one")
    ways = (
        ("n", "makes a synthetic sample"),
        ("p", "prepares your own: a folder of images for each character, or record files"),
        ("3 n", "trains on synthetic writers, without a dataset"),
    )
    return join("\n", [quiet("no dataset yet"), *(join("  ", [Styled(key, "accent"), way]) for key, way in ways)])


def dataset_screen(
    files: Listing,
    overview: Overview | None,
    problem: str,
    verified: RunView | None,
    running: Sequence[RunView],
    changed: Sequence[str] = (),
    lineage: Sequence[Link] = (),
) -> Document:
    """The Dataset screen as text. `overview` None: there is no dataset, or it cannot be used because of `problem`;
    `verified`: the newest finished verification; `running`: active jobs on files or dataset;
    `changed`: files that are no longer as they were prepared; `lineage`: that of the published model.
    """
    blocks: list[Block] = [*running_sentences(running)]
    if files.problem:
        blocks.append(f"Nothing to prepare: {files.problem}; {files.remedy}")
    else:
        preparing = next((view for view in running if view.job == "prepare"), None)
        blocks.append(f"Files to prepare: {files.summary}{f', {SYNTHETIC}' if files.synthetic else ''}.")
        blocks.append(file_table(files, overview, preparing, changed))
    blocks.append("")
    if overview is None:
        return (*blocks, problem or f"There is no dataset yet. To do: {dataset_command(files)}")
    if changed:
        blocks.append(f"Changed since it was prepared: {', '.join(changed)}. To do: kanji-tui prepare")
    blocks += ["The dataset:", dataset_key_values(overview, lineage), ""]
    if verified is not None and isinstance(verified.result, Verification):
        return (*blocks, f"The newest verification, {verified.name}:", *checks_document(verified.result.checks))
    return (*blocks, "It has not been verified yet. To do: kanji-tui verify")


PRESENTERS: dict[type, Callable[[Any], Document]] = {
    SyntheticSample: sample_document,
    Preparation: preparation_document,
    Verification: verification_document,
}
