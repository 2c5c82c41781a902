"""Decides whether too many records of the input are unusable, and describes those that are."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kanji_tui.data.source import Contents, Quarantined, Source
from kanji_tui.errors import KanjiError

MAX_SHARE, FEWEST = 0.01, 10
NAMED = 3  # files in a message


def check_quarantine(source: Source, directory: Path, contents: Sequence[Contents], accept: bool) -> str:
    """A notice about the unusable records; empty where there are none.

    Raises KanjiError where no record is usable, and, unless the user chose to `accept` it, where more than
    MAX_SHARE of the records and at least FEWEST are unusable: of all records, or of those of one file.
    """
    damaged = [content for content in contents if content.quarantined]
    if not any(map(len, contents)):
        raise _none_usable(source, directory, damaged)
    if not damaged:
        return ""
    of_files = [content for content in damaged if source.format != "images" and _too_many([content])]
    if not accept and (of_files or _too_many(contents)):
        raise _refusal(of_files or damaged, contents)
    first = damaged[0].quarantined[0]
    return f"excluded records: {_count(damaged):,}, listed in quarantine.tsv; the first: {_place(first)}"


def _too_many(contents: Sequence[Contents]) -> bool:
    unusable = _count(contents)
    return unusable >= FEWEST and unusable > MAX_SHARE * (unusable + sum(map(len, contents)))


def _count(contents: Sequence[Contents]) -> int:
    return sum(len(content.quarantined) for content in contents)


def _none_usable(source: Source, directory: Path, damaged: Sequence[Contents]) -> KanjiError:
    why = _place(_typical(damaged[0])) if damaged else "they are empty"
    check = f"check that these are {source.format.upper()} files, or name their format with --format"
    return KanjiError(f"none of the records in {directory} is usable: {why}", _remedies(damaged) or check)


def _refusal(bad: Sequence[Contents], contents: Sequence[Contents]) -> KanjiError:
    """The error that names the worst files, and what happened to them."""
    unusable = _count(contents)
    total = unusable + sum(map(len, contents))
    worst = sorted(bad, key=lambda content: -len(content.quarantined))
    causes = "; ".join(
        f"{_place(_typical(content))} ({len(content.quarantined):,} records)" for content in worst[:NAMED]
    )
    more = f"; and {len(worst) - NAMED:,} more files" if len(worst) > NAMED else ""
    remedy = _remedies(worst) or "replace or remove the files that are named"
    return KanjiError(
        f"{unusable:,} of {total:,} records are unusable, so nothing was changed: {causes}{more}",
        f"{remedy}; or prepare without these records: --accept-quarantine",
    )


def _typical(content: Contents) -> Quarantined:
    """The first record with the most frequent reason."""
    ((reason, _),) = Counter(record.reason for record in content.quarantined).most_common(1)
    return next(record for record in content.quarantined if record.reason == reason)


def _place(record: Quarantined) -> str:
    return f"{record.file} record {record.record}: {record.reason}"


def _remedies(contents: Sequence[Contents]) -> str:
    """What to do about these inputs, each remedy once; empty where none is known."""
    return "; ".join(dict.fromkeys(content.remedy for content in contents if content.remedy))
