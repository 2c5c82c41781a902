"""Checks a dataset: are its files intact, and do its images look like characters?

A check warns where a person should look at the data, and fails where the dataset cannot be used as it is. Unusual
images are reported and stay in the dataset.
"""

from pathlib import Path

import numpy as np

from kanji_tui.characters.classes import classes_by_jis
from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.chunks import chunk_name
from kanji_tui.data.contact_sheet import draw_contact_sheet
from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.defaults import describe_source
from kanji_tui.data.etl import FORMAT_SHIFT, SHIFT_TOLERANCE
from kanji_tui.data.image_statistics import ImageStatistics, measure_images
from kanji_tui.data.legacy import FORMAT as LEGACY
from kanji_tui.data.outliers import find_outliers
from kanji_tui.data.results import IncompleteSet, Verification
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.system.check import Check
from kanji_tui.system.files import sha256
from kanji_tui.system.numbers import percent

MIN_INK = 32  # an image whose brightest pixel is below this is blank
SATURATED_SHARE = 0.5  # an image with a larger share of pixels at full ink is saturated
MAX_EDGE_SHARE = 0.75  # of the images: with ink at the edge of more of them, the check warns
DATASET = "dataset"  # the group of these checks
PREPARE_AGAIN = "prepare the dataset again: kanji-tui prepare"


def verify(data_dir: Path, contact_sheet: Path | None, report: Report, outliers_per_class: int = 0) -> Verification:
    """Check the dataset in `data_dir` and, where `contact_sheet` names a file, draw samples of it as a PNG.

    With `outliers_per_class` above 0, that many outliers of each class are found as well. Raises KanjiError where
    there is no dataset.
    """
    dataset = open_dataset(data_dir, with_wrong_labels=True)
    if dataset.wrong_labels():  # what follows counts by class
        found = (check_chunks(dataset, report), check_samples(dataset), check_quarantine(dataset))
        return Verification(len(dataset), len(dataset.classes), found)
    statistics = measure_images(dataset, report)
    outliers = find_outliers(dataset, outliers_per_class, report) if outliers_per_class else ()
    if contact_sheet is not None:
        draw_contact_sheet(dataset, contact_sheet, statistics.heat_map(), outliers)
    incomplete = find_incomplete_sets(dataset)
    checks = (
        check_chunks(dataset, report),
        check_samples(dataset),
        check_quarantine(dataset),
        check_classes(dataset),
        check_sets(dataset, incomplete),
        *check_images(statistics),
        check_duplicates(dataset, statistics),
        check_edges(statistics),
        check_position(dataset, statistics),
    )
    return Verification(
        samples=len(dataset),
        classes=len(dataset.classes),
        checks=checks,
        contact_sheet=str(contact_sheet or ""),
        heat_map=statistics.heat_map(),
        incomplete_sets=incomplete,
        unusual=outliers,
    )


def check_chunks(dataset: Dataset, report: Report) -> Check:
    """Do the chunk files have the checksums that were stored when they were written?"""
    digests, damaged = dataset.chunk_digests, []
    if dataset.format == LEGACY:
        found = f"{len(dataset.files)} of the original scripts, zip checksums match"
        return Check(DATASET, "chunk files", "ok", found)
    for number, digest in enumerate(digests):
        raise_if_stopped(report)
        report(Progress("chunks", number, len(digests), "files", chunk_name(number)))
        if sha256(dataset.path / chunk_name(number)) != digest:
            damaged.append(chunk_name(number))
    if damaged:
        return Check(DATASET, "chunk files", "failed", f"checksums differ: {_some(damaged)}", PREPARE_AGAIN)
    return Check(DATASET, "chunk files", "ok", f"{len(digests)}, checksums match")


def check_samples(dataset: Dataset) -> Check:
    """How many samples are there, and do labels and JIS codes agree?"""
    if wrong := dataset.wrong_labels():
        return Check(DATASET, "samples", "failed", wrong, PREPARE_AGAIN)
    source = describe_source(dataset.source)
    return Check(DATASET, "samples", "ok", f"{len(dataset):,} from {len(dataset.files)} files ({source})")


def check_quarantine(dataset: Dataset) -> Check:
    """Were records excluded?"""
    if not dataset.quarantined:
        return Check(DATASET, "excluded records", "ok", "none")
    first = dataset.quarantined[0]
    return Check(
        DATASET,
        "excluded records",
        "warning",
        f"{len(dataset.quarantined):,}; the first: {first.file} record {first.record}: {first.reason}",
        f"read {dataset.path / 'quarantine.tsv'}, and copy damaged files again",
    )


def check_classes(dataset: Dataset) -> Check:
    """How many classes are there, and has each enough samples?"""
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    # a synthetic sample may have other characters than ETL9G
    part_of_etl9g = dataset.format == "etl9g" and classes_by_jis().keys() >= set(dataset.classes)
    of_all = f" of {len(classes_by_jis()):,}" if part_of_etl9g else ""
    found = f"{len(dataset.classes):,}{of_all}, {counts.min():,} to {counts.max():,} samples each"
    few = [_character(dataset, label) for label in np.flatnonzero(counts < 3).tolist()]
    if few:
        found = f"{found}; fewer than 3 samples: {_some(few)}"
        return Check(DATASET, "classes", "warning", found, "prepare more record files")
    return Check(DATASET, "classes", "ok", found)


def find_incomplete_sets(dataset: Dataset) -> tuple[IncompleteSet, ...]:
    """The data sets that lack classes; none where the data sets are unknown."""
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
        return Check(DATASET, "data sets", "ok", "writers unknown, so splits are random")
    count = int(dataset.writers().max()) + 1
    found = f"{count} in {len(dataset.files)} files"
    if count < 3:
        found = f"{found}: too few to keep writers apart, so splits are random"
        return Check(DATASET, "data sets", "warning", found, "prepare more record files")
    if incomplete:
        names = [f"{each.file} set {each.set} lacks {len(each.lacks):,}" for each in incomplete[:3]]
        return Check(
            DATASET,
            "data sets",
            "warning",
            f"{found}; {len(incomplete)} without some classes: {_some(names, len(incomplete))}",
            "normal for partial files; otherwise copy these files again",
        )
    return Check(DATASET, "data sets", "ok", f"{found}, each with every class")


def check_images(statistics: ImageStatistics) -> list[Check]:
    """Are there blank, inverted or saturated images?"""
    inverted = (statistics.border > 127) & (statistics.mean > 127)
    suspicious = {
        "blank images": statistics.brightest < MIN_INK,
        "inverted images": inverted,
        "saturated images": (statistics.saturated > SATURATED_SHARE) & ~inverted,
    }
    return [_share_check(name, found) for name, found in suspicious.items()]


def _share_check(name: str, suspicious: np.ndarray) -> Check:
    """A warning for some suspicious images; a failure for more than half, which points to a wrong format."""
    numbers = np.flatnonzero(suspicious)
    if not len(numbers):
        return Check(DATASET, name, "ok", "none")
    found = f"{len(numbers):,} of {len(suspicious):,}; samples {_some([str(number) for number in numbers])}"
    if len(numbers) > len(suspicious) / 2:
        remedy = "the images were probably read in the wrong format: name it with prepare --format"
        return Check(DATASET, name, "failed", found, remedy)
    return Check(DATASET, name, "warning", found, "look at these samples; they stay in the dataset")


def check_duplicates(dataset: Dataset, statistics: ImageStatistics) -> Check:
    """Are there images that are equal pixel for pixel? Blank ones do not count."""
    order = np.argsort(statistics.fingerprint, kind="stable")
    alike = np.flatnonzero(
        (np.diff(statistics.fingerprint[order].view(np.int64)) == 0) & (statistics.brightest[order][1:] >= MIN_INK)
    )
    pairs = []
    for position in alike:
        first, second = int(order[position]), int(order[position + 1])
        one, other = dataset.images([first, second])
        if np.array_equal(one, other):
            pairs.append(f"{first} = {second}")
    if pairs:
        found = f"{len(pairs):,} are equal to another; samples {_some(pairs)}"
        remedy = "check whether a record file is there twice under two names"
        return Check(DATASET, "duplicate images", "warning", found, remedy)
    return Check(DATASET, "duplicate images", "ok", "none")


def check_edges(statistics: ImageStatistics) -> Check:
    """In how many images does ink touch the edge? In ETL9G neighbouring characters reach in, so many do."""
    share = float(statistics.touches_edge.mean())
    found = f"{percent(share, 1)} of the images"
    if share > MAX_EDGE_SHARE:
        remedy = "look at the contact sheet: kanji-tui verify --contact-sheet sheet.png"
        return Check(DATASET, "ink at the edges", "warning", found, remedy)
    return Check(DATASET, "ink at the edges", "ok", found)


def check_position(dataset: Dataset, statistics: ImageStatistics) -> Check:
    """Is the ink centred? A file that is read in the wrong format has all its images shifted."""
    inked = statistics.brightest >= MIN_INK
    right, down = statistics.offset[inked].mean(axis=0) if inked.any() else (0, 0)
    found = f"mean offset {100 * right:+.1f} % right, {100 * down:+.1f} % down"
    if max(abs(right), abs(down)) < FORMAT_SHIFT - SHIFT_TOLERANCE:
        return Check(DATASET, "ink in the middle", "ok", found)
    if dataset.format not in ("etl9g", "etl8g") or abs(abs(right) - FORMAT_SHIFT) > SHIFT_TOLERANCE:
        return Check(DATASET, "ink in the middle", "warning", found, "look at the contact sheet")
    other = "etl8g" if dataset.format == "etl9g" else "etl9g"
    return Check(
        DATASET,
        "ink in the middle",
        "failed",
        f"{found}: shifted like {other.upper()} read as {dataset.format.upper()}",
        f"if the contact sheet appears shifted: kanji-tui prepare --format {other}",
    )


def _some(names: list[str], total: int | None = None) -> str:
    """The first three names, and how many more there are."""
    more = (total or len(names)) - min(len(names), 3)
    return ", ".join(names[:3]) + (f" and {more:,} more" if more else "")


def _character(dataset: Dataset, label: int) -> str:
    jis = dataset.classes[label]
    return f"{character_of(jis)} ({name_jis(jis)})"
