"""Is a dataset whole, and do its pictures look like characters?

Every picture is looked at once, in pieces, so memory stays small. What is odd is reported and kept: a check warns
where a person should look, and fails where the dataset cannot be what it says.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kanji_tui.characters.classes import etl9g_classes
from kanji_tui.characters.jis import jis_to_character, name_jis
from kanji_tui.data.chunks import chunk_name, file_digest
from kanji_tui.data.contact_sheet import draw_contact_sheet
from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.events import Progress, Report, raise_if_stopped

PIECE = 2048  # pictures looked at together
REPORT_SECONDS = 0.25
INK = 64  # of 255: from here on a pixel counts as ink
FAINT = 32  # a picture whose brightest pixel stays below has no ink
FULL = 250
FULL_SHARE = 0.5  # more pixels than this at full ink: saturated
# ETL8G read as ETL9G (or the other way) moves every picture by 8 of 128 columns, 0.063 of its width.
SHIFT = 0.04
MANY_TOUCH = 0.75
AGAIN = "prepare the dataset again: kanji-tui prepare"


@dataclass(frozen=True)
class Check:
    """`verdict`: ok, warning or failed. `found` in words with numbers; `remedy`: what to do, empty where ok."""

    name: str
    verdict: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Verified:
    """What `verify` found. `contact_sheet`: the PNG that was drawn, empty where none was asked for."""

    samples: int
    classes: int
    checks: tuple[Check, ...]
    contact_sheet: str = ""


@dataclass(frozen=True, eq=False)
class Looks:
    """What the look at each picture (N of them) gave.

    `brightest` uint8. `mean`, `border` float32: mean value of all pixels, of the outermost ones. `full`: share of
    pixels at full ink. `touches` bool: ink in the outermost pixels. `middle` (N, 2): how far right of and below the
    picture's middle the centre of mass lies, as a fraction of its side. `print`: a 64-bit fingerprint.
    """

    brightest: np.ndarray
    mean: np.ndarray
    border: np.ndarray
    full: np.ndarray
    touches: np.ndarray
    middle: np.ndarray
    print: np.ndarray


def verify(data_dir: Path, contact_sheet: Path | None, report: Report) -> Verified:
    """Check the dataset in `data_dir` and, where `contact_sheet` names a file, draw samples of it as a PNG.

    Raises KanjiError where there is no dataset.
    """
    dataset = open_dataset(data_dir)
    if contact_sheet is not None:
        draw_contact_sheet(dataset, contact_sheet)
    looks = look_at_all(dataset, report)
    checks = (
        check_chunks(dataset, report),
        check_samples(dataset),
        check_quarantine(dataset),
        check_classes(dataset),
        check_sets(dataset),
        *check_pictures(looks),
        check_duplicates(dataset, looks),
        check_edges(looks),
        check_middle(dataset, looks),
    )
    return Verified(len(dataset), len(dataset.classes), checks, str(contact_sheet or ""))


def look_at_all(dataset: Dataset, report: Report) -> Looks:
    """Look at every picture once."""
    pieces, told, began = [], 0.0, time.monotonic()
    for start in range(0, len(dataset), PIECE):
        raise_if_stopped(report)
        pieces.append(_look(dataset.images(np.arange(start, min(start + PIECE, len(dataset))))))
        if time.monotonic() - told > REPORT_SECONDS:
            told = time.monotonic()
            rate = start / max(told - began, 1e-6)
            left = (len(dataset) - start) / rate if rate else None
            report(Progress("pictures", start, len(dataset), "samples", "", rate, left))
    report(Progress("pictures", len(dataset), len(dataset), "samples"))
    return Looks(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def _look(images: np.ndarray) -> tuple[np.ndarray, ...]:
    count, size = images.shape[:2]
    flat = images.reshape(count, -1)
    border = np.concatenate([images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1)
    across = images.sum(axis=1, dtype=np.float32)
    down = images.sum(axis=2, dtype=np.float32)
    place = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    mass = np.maximum(across.sum(axis=1), 1)
    middle = np.stack([across @ place / mass, down @ place / mass], axis=1)
    # A fingerprint: 64-bit words times fixed odd numbers, summed modulo 2**64.
    words = flat.view(np.uint64)
    factors = np.random.RandomState(0).randint(0, 2**63, words.shape[1], dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    prints = (words * factors).sum(axis=1, dtype=np.uint64)
    return (
        flat.max(axis=1),
        flat.mean(axis=1, dtype=np.float32),
        border.mean(axis=1, dtype=np.float32),
        (flat >= FULL).mean(axis=1, dtype=np.float32),
        border.max(axis=1) >= INK,
        middle,
        prints,
    )


def check_chunks(dataset: Dataset, report: Report) -> Check:
    """Are the chunk files bit for bit what was prepared?"""
    digests, damaged = dataset.chunk_digests, []
    for number, digest in enumerate(digests):
        raise_if_stopped(report)
        report(Progress("chunks", number, len(digests), "files", chunk_name(number)))
        if file_digest(dataset.path / chunk_name(number)) != digest:
            damaged.append(chunk_name(number))
    if damaged:
        return Check("chunk files", "failed", f"changed since they were made: {_some(damaged)}", AGAIN)
    return Check("chunk files", "ok", f"{len(digests)}, all as they were made")


def check_samples(dataset: Dataset) -> Check:
    """How many samples are there, and do labels and JIS codes agree?"""
    expected = np.array(dataset.classes, np.uint16)
    if dataset.labels.min() < 0 or dataset.labels.max() >= len(expected):
        return Check("samples", "failed", "there are labels without a class", AGAIN)
    if wrong := int((expected[dataset.labels] != dataset.jis).sum()):
        return Check("samples", "failed", f"{wrong:,} labels contradict their JIS code", AGAIN)
    return Check("samples", "ok", f"{len(dataset):,} from {len(dataset.files)} files ({dataset.source})")


def check_quarantine(dataset: Dataset) -> Check:
    """Were records left out?"""
    if not dataset.quarantined:
        return Check("records left out", "ok", "none")
    first = dataset.quarantined[0]
    return Check(
        "records left out",
        "warning",
        f"{len(dataset.quarantined):,}; the first: {first.file} record {first.record}: {first.reason}",
        f"read {dataset.path / 'quarantine.tsv'}, and copy damaged files again",
    )


def check_classes(dataset: Dataset) -> Check:
    """How many classes are there, and has each enough samples?"""
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    found = (
        f"{len(dataset.classes):,} of {len(etl9g_classes()):,}, {counts.min():,} to {counts.max():,} samples each"
    )
    few = [_character(dataset, index) for index in np.flatnonzero(counts < 3).tolist()]
    if few:
        return Check("classes", "warning", f"{found}; fewer than 3: {_some(few)}", "prepare more record files")
    return Check("classes", "ok", found)


def check_sets(dataset: Dataset) -> Check:
    """How many data sets are there, and does each hold every class?"""
    writers = dataset.writers()
    count = int(writers.max()) + 1
    present = np.zeros((count, len(dataset.classes)), bool)
    present[writers, dataset.labels] = True
    lacking = (~present).sum(axis=1)
    found = f"{count} in {len(dataset.files)} files"
    if count < 3:
        return Check(
            "data sets",
            "warning",
            f"{found}: too few to keep writers apart",
            "prepare more files; splits are random",
        )
    incomplete = np.flatnonzero(lacking)
    if len(incomplete):
        names = [f"{_set_name(dataset, writers, number)} lacks {lacking[number]:,}" for number in incomplete[:3]]
        return Check(
            "data sets",
            "warning",
            f"{found}; {len(incomplete)} without some classes: {_some(names, len(incomplete))}",
            "normal for partial files; else copy these files again",
        )
    return Check("data sets", "ok", f"{found}, each with every class")


def check_pictures(looks: Looks) -> list[Check]:
    """Blank, inverted and saturated pictures."""
    inverted = (looks.border > 127) & (looks.mean > 127)
    odd = {
        "blank pictures": looks.brightest < FAINT,
        "inverted pictures": inverted,
        "saturated pictures": (looks.full > FULL_SHARE) & ~inverted,
    }
    return [_share_check(name, found) for name, found in odd.items()]


def _share_check(name: str, odd: np.ndarray) -> Check:
    """Some odd pictures are worth a look; half of all means that the files are not what they seem."""
    numbers = np.flatnonzero(odd)
    if not len(numbers):
        return Check(name, "ok", "none")
    found = f"{len(numbers):,} of {len(odd):,}; samples {_some([str(number) for number in numbers])}"
    if len(numbers) > len(odd) / 2:
        return Check(name, "failed", found, "these are no ETL9G records as they should be: name the --format")
    return Check(name, "warning", found, "look at them; they are kept")


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
        return Check("duplicate pictures", "warning", found, "is one record file there twice under two names?")
    return Check("duplicate pictures", "ok", "none")


def check_edges(looks: Looks) -> Check:
    """In how many pictures does ink touch the edge? In ETL9G neighbours bleed in, so many do."""
    share = float(looks.touches.mean())
    found = f"{share:.1%} of the pictures"
    if share > MANY_TOUCH:
        return Check(
            "ink at the edges", "warning", found, "look at the contact sheet: verify --contact-sheet sheet.png"
        )
    return Check("ink at the edges", "ok", found)


def check_middle(dataset: Dataset, looks: Looks) -> Check:
    """Does the ink lie around the middle? A file read in the wrong format has all its pictures shifted."""
    right, down = (
        looks.middle[looks.brightest >= FAINT].mean(axis=0) if (looks.brightest >= FAINT).any() else (0, 0)
    )
    found = f"on average {right:+.1%} of the width right and {down:+.1%} of the height down of the middle"
    if max(abs(right), abs(down)) <= SHIFT:
        return Check("ink in the middle", "ok", found)
    other = "etl8g" if dataset.format == "etl9g" else "etl9g"
    return Check(
        "ink in the middle",
        "warning",
        f"{found}: the pictures are shifted, as when ETL8G is read as ETL9G",
        f"look at the contact sheet, and where it is so: kanji-tui prepare --format {other}",
    )


def _some(names: list[str], total: int | None = None) -> str:
    """The first few of a list, and how many more there are."""
    more = (total or len(names)) - min(len(names), 3)
    return ", ".join(names[:3]) + (f" and {more:,} more" if more else "")


def _character(dataset: Dataset, index: int) -> str:
    jis = dataset.classes[index]
    return f"{jis_to_character(jis)} ({name_jis(jis)})"


def _set_name(dataset: Dataset, writers: np.ndarray, writer: int) -> str:
    sample = int(np.argmax(writers == writer))
    return f"{dataset.files[dataset.file[sample]]} set {dataset.set[sample]}"
