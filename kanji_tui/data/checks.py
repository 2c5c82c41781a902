"""Is a dataset whole, and do its pictures look like characters?

What is odd is reported and kept: a check warns
where a person should look, and fails where the dataset cannot be what it says.
"""

from pathlib import Path

import numpy as np

from kanji_tui.characters.classes import etl9g_classes
from kanji_tui.characters.jis import jis_to_character, name_jis
from kanji_tui.data.chunks import chunk_name
from kanji_tui.data.contact_sheet import draw_contact_sheet
from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.etl import GIVE, SHIFT
from kanji_tui.data.image_statistics import Looks, look_at_all
from kanji_tui.data.legacy import FORMAT as ORIGINAL
from kanji_tui.data.outliers import find_unusual
from kanji_tui.data.results import IncompleteSet, Verification
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.system.check import Check
from kanji_tui.system.files import sha256

FAINT = 32  # a picture whose brightest pixel stays below has no ink
FULL_SHARE = 0.5  # more pixels than this at full ink: saturated
MANY_TOUCH = 0.75
DATASET = "dataset"  # the group of these checks
AGAIN = "prepare the dataset again: kanji-tui prepare"


def verify(data_dir: Path, contact_sheet: Path | None, report: Report, unusual: int = 0) -> Verification:
    """Check the dataset in `data_dir` and, where `contact_sheet` names a file, draw samples of it as a PNG.

    `unusual`: so many samples of each class, those least like it, are found as well. Raises KanjiError where there
    is no dataset.
    """
    dataset = open_dataset(data_dir)
    looks = look_at_all(dataset, report)
    odd = find_unusual(dataset, unusual, report) if unusual else ()
    if contact_sheet is not None:
        draw_contact_sheet(dataset, contact_sheet, looks.heat_map(), odd)
    incomplete = find_incomplete_sets(dataset)
    checks = (
        check_chunks(dataset, report),
        check_samples(dataset),
        check_quarantine(dataset),
        check_classes(dataset),
        check_sets(dataset, incomplete),
        *check_pictures(looks),
        check_duplicates(dataset, looks),
        check_edges(looks),
        check_middle(dataset, looks),
    )
    sheet = str(contact_sheet or "")
    return Verification(len(dataset), len(dataset.classes), checks, sheet, looks.heat_map(), incomplete, odd)


def check_chunks(dataset: Dataset, report: Report) -> Check:
    """Are the chunk files bit for bit what was prepared?"""
    digests, damaged = dataset.chunk_digests, []
    if dataset.format == ORIGINAL:
        return Check(
            DATASET,
            "chunk files",
            "ok",
            f"{len(dataset.files)} of the original scripts; checksums of the zip right",
        )
    for number, digest in enumerate(digests):
        raise_if_stopped(report)
        report(Progress("chunks", number, len(digests), "files", chunk_name(number)))
        if sha256(dataset.path / chunk_name(number)) != digest:
            damaged.append(chunk_name(number))
    if damaged:
        return Check(DATASET, "chunk files", "failed", f"changed since they were made: {_some(damaged)}", AGAIN)
    return Check(DATASET, "chunk files", "ok", f"{len(digests)}, checksums match")


def check_samples(dataset: Dataset) -> Check:
    """How many samples are there, and do labels and JIS codes agree?"""
    expected = np.array(dataset.classes, np.uint16)
    if dataset.labels.min() < 0 or dataset.labels.max() >= len(expected):
        return Check(DATASET, "samples", "failed", "there are labels without a class", AGAIN)
    if wrong := int((expected[dataset.labels] != dataset.jis).sum()):
        return Check(DATASET, "samples", "failed", f"{wrong:,} labels contradict their JIS code", AGAIN)
    return Check(DATASET, "samples", "ok", f"{len(dataset):,} from {len(dataset.files)} files ({dataset.source})")


def check_quarantine(dataset: Dataset) -> Check:
    """Were records skipped?"""
    if not dataset.quarantined:
        return Check(DATASET, "skipped records", "ok", "none")
    first = dataset.quarantined[0]
    return Check(
        DATASET,
        "skipped records",
        "warning",
        f"{len(dataset.quarantined):,}; the first: {first.file} record {first.record}: {first.reason}",
        f"read {dataset.path / 'quarantine.tsv'}, and copy damaged files again",
    )


def check_classes(dataset: Dataset) -> Check:
    """How many classes are there, and has each enough samples?"""
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    of_all = f" of {len(etl9g_classes()):,}" if dataset.format == "etl9g" else ""
    found = f"{len(dataset.classes):,}{of_all}, {counts.min():,} to {counts.max():,} samples each"
    few = [_character(dataset, index) for index in np.flatnonzero(counts < 3).tolist()]
    if few:
        return Check(
            DATASET, "classes", "warning", f"{found}; fewer than 3: {_some(few)}", "prepare more record files"
        )
    return Check(DATASET, "classes", "ok", found)


def find_incomplete_sets(dataset: Dataset) -> tuple[IncompleteSet, ...]:
    """The data sets that lack classes, where it is known what a data set is."""
    if not dataset.writers_known:
        return ()
    writers = dataset.writers()
    present = np.zeros((int(writers.max()) + 1, len(dataset.classes)), bool)
    present[writers, dataset.labels] = True
    first = np.unique(writers, return_index=True)[1]
    return tuple(
        IncompleteSet(
            file=dataset.files[dataset.file[first[writer]]],
            set=int(dataset.set[first[writer]]),
            lacks=tuple(name_jis(dataset.classes[label]) for label in np.flatnonzero(~present[writer])),
        )
        for writer in np.flatnonzero(~present.all(axis=1)).tolist()
    )


def check_sets(dataset: Dataset, incomplete: tuple[IncompleteSet, ...]) -> Check:
    """How many data sets are there, and does each hold every class?"""
    if not dataset.writers_known:
        return Check(DATASET, "data sets", "ok", "which samples are of one hand is not known; splits are random")
    count = int(dataset.writers().max()) + 1
    found = f"{count} in {len(dataset.files)} files"
    if count < 3:
        return Check(
            DATASET,
            "data sets",
            "warning",
            f"{found}: too few to keep writers apart",
            "prepare more files; splits are random",
        )
    if incomplete:
        names = [f"{lacking.file} set {lacking.set} lacks {len(lacking.lacks):,}" for lacking in incomplete[:3]]
        return Check(
            DATASET,
            "data sets",
            "warning",
            f"{found}; {len(incomplete)} without some classes: {_some(names, len(incomplete))}",
            "normal for partial files; else copy these files again",
        )
    return Check(DATASET, "data sets", "ok", f"{found}, each with every class")


def check_pictures(looks: Looks) -> list[Check]:
    """Blank, inverted and saturated pictures."""
    inverted = (looks.border > 127) & (looks.mean > 127)
    odd = {
        "blank images": looks.brightest < FAINT,
        "inverted images": inverted,
        "saturated images": (looks.full > FULL_SHARE) & ~inverted,
    }
    return [_share_check(name, found) for name, found in odd.items()]


def _share_check(name: str, odd: np.ndarray) -> Check:
    """Some odd pictures are worth a look; half of all means that the files are not what they seem."""
    numbers = np.flatnonzero(odd)
    if not len(numbers):
        return Check(DATASET, name, "ok", "none")
    found = f"{len(numbers):,} of {len(odd):,}; samples {_some([str(number) for number in numbers])}"
    if len(numbers) > len(odd) / 2:
        return Check(
            DATASET, name, "failed", found, "the pictures are not read as they should be: name the --format"
        )
    return Check(DATASET, name, "warning", found, "look at them; they are kept")


def check_duplicates(dataset: Dataset, looks: Looks) -> Check:
    """Pictures that are equal pixel for pixel, blank ones aside."""
    order = np.argsort(looks.print, kind="stable")
    alike = np.flatnonzero(
        (np.diff(looks.print[order].view(np.int64)) == 0) & (looks.brightest[order][1:] >= FAINT)
    )
    pairs = []
    for place in alike:
        first, second = int(order[place]), int(order[place + 1])
        one, other = dataset.images([first, second])
        if np.array_equal(one, other):
            pairs.append(f"{first} = {second}")
    if pairs:
        found = f"{len(pairs):,} repeat another; samples {_some(pairs)}"
        return Check(
            DATASET, "duplicate images", "warning", found, "is one record file there twice under two names?"
        )
    return Check(DATASET, "duplicate images", "ok", "none")


def check_edges(looks: Looks) -> Check:
    """In how many pictures does ink touch the edge? In ETL9G neighbours bleed in, so many do."""
    share = float(looks.touches.mean())
    found = f"{share:.1%} of the images"
    if share > MANY_TOUCH:
        return Check(
            DATASET,
            "ink at the edges",
            "warning",
            found,
            "look at the contact sheet: verify --contact-sheet sheet.png",
        )
    return Check(DATASET, "ink at the edges", "ok", found)


def check_middle(dataset: Dataset, looks: Looks) -> Check:
    """Does the ink lie around the middle? A file read in the wrong format has all its pictures shifted."""
    right, down = (
        looks.middle[looks.brightest >= FAINT].mean(axis=0) if (looks.brightest >= FAINT).any() else (0, 0)
    )
    found = f"on average {right:+.1%} right, {down:+.1%} down of the middle"
    if max(abs(right), abs(down)) < SHIFT - GIVE:
        return Check(DATASET, "ink in the middle", "ok", found)
    if dataset.format not in ("etl9g", "etl8g") or abs(abs(right) - SHIFT) > GIVE:
        return Check(DATASET, "ink in the middle", "warning", found, "look at the contact sheet")
    other = "etl8g" if dataset.format == "etl9g" else "etl9g"
    return Check(
        DATASET,
        "ink in the middle",
        "failed",
        f"{found}: shifted like {other.upper()} read as {dataset.format.upper()}",
        f"where the contact sheet looks shifted: kanji-tui prepare --format {other}",
    )


def _some(names: list[str], total: int | None = None) -> str:
    """The first few of a list, and how many more there are."""
    more = (total or len(names)) - min(len(names), 3)
    return ", ".join(names[:3]) + (f" and {more:,} more" if more else "")


def _character(dataset: Dataset, index: int) -> str:
    jis = dataset.classes[index]
    return f"{jis_to_character(jis)} ({name_jis(jis)})"
