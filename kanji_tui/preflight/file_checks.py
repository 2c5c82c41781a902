"""Preflight checks of the input files: record files, npz pairs or folders of images.

They read names, sizes and headers; of record files also a few images.
"""

from pathlib import Path
from shlex import quote

from kanji_tui.data.folder_names import LABELS
from kanji_tui.data.listing import Listing
from kanji_tui.errors import KanjiError
from kanji_tui.system.check import Check
from kanji_tui.system.numbers import size

ETL_FILES = "ETL9G files"


def file_checks(folder: Path, files: Listing, sample_command: str) -> list[Check]:
    """The checks of the files in `folder`, of any format; `sample_command` is the remedy where there are none."""
    if not files.items:
        return [Check(ETL_FILES, "files", "warning", files.problem, _remedy(folder, files, sample_command))]
    if files.problem:
        return [Check(ETL_FILES, "files", "warning", files.problem, _list_command(folder, files.remedy))]
    if files.format == "images":
        return [_images_check(folder, files)]
    if files.format == "kuzushiji":
        found = f"{files.summary}, {size(files.bytes)} in {folder}{_ignored(files)}"
        return [Check(ETL_FILES, "files", "ok", found)]
    return _record_checks(folder, files)


def _remedy(folder: Path, files: Listing, sample_command: str) -> str:
    """The command to type where nothing can be prepared."""
    if elsewhere := files.remedy.partition("--etl-dir ")[2]:
        return f"kanji-tui prepare --etl-dir {quote(elsewhere)}"
    if "kanji-tui sample" in files.remedy:
        return sample_command
    return _list_command(folder, files.remedy)


def _list_command(folder: Path, advice: str) -> str:
    """The command that lists the folder, with `advice` as its comment."""
    return f"ls -l {quote(str(folder))}  # {advice}" if advice else f"ls -l {quote(str(folder))}"


def _images_check(folder: Path, files: Listing) -> Check:
    """Does every folder of images name a character? The images of other folders are excluded."""
    first = files.items[0]
    found = f"{files.summary} in {folder}, like {first.name}"
    if files.labels:
        found += f": {first.character}, names of digits are {LABELS[files.labels]}"
    if not files.ignored:
        return Check(ETL_FILES, "files", "ok", found)
    advice = "name each folder by its character, its code point or its JIS code: 田, U+7530, 7530 or 4544"
    excluded = f"{found}; excluded, because the name is not a character: {_first_names(files.ignored)}"
    return Check(ETL_FILES, "files", "warning", excluded, _list_command(folder, advice))


def _record_checks(folder: Path, files: Listing) -> list[Check]:
    """Which record files are there, are their sizes right, and do they hold records?"""
    from kanji_tui.data.etl import KNOWN_FILES

    amount = f"{files.summary}, {size(files.bytes)}"
    if files.synthetic:
        return [Check(ETL_FILES, "files", "ok", f"{amount} in {folder}: a synthetic sample, not handwriting")]
    missing = sorted(KNOWN_FILES.keys() - {item.name.upper() for item in files.items})
    if files.format == "etl8g":
        found = f"{amount} of ETL8G in {folder}{_ignored(files)}"
    else:
        found = f"{len(KNOWN_FILES) - len(missing)} of the {len(KNOWN_FILES)} in {folder}: {amount}"
        found += (f"; missing: {_ranges(missing)}" if missing else "") + _ignored(files)
    return [Check(ETL_FILES, "files", "ok", found), _size_check(folder, files), _content_check(folder, files)]


def _content_check(folder: Path, files: Listing) -> Check:
    """Do the files start with records of this format, and is the ink where this format has it?"""
    from kanji_tui.data.record_files import files_of_another_format, format_warning

    paths = [folder / item.name for item in files.items]
    try:
        unknown, warning = files_of_another_format(paths, files.format), format_warning(paths, files.format)
    except KanjiError as error:
        return Check(ETL_FILES, "content", "warning", error.message, _list_command(folder, error.remedy))
    if unknown:
        found = f"these files do not start with a record of {files.format.upper()}: {_first_names(unknown)}"
        advice = "copy them again from their source, and unpack archives"
        return Check(ETL_FILES, "content", "warning", found, _list_command(folder, advice))
    if warning:
        advice = "if they are, name the format: kanji-tui prepare --format"
        return Check(ETL_FILES, "content", "warning", warning, _list_command(folder, advice))
    return Check(ETL_FILES, "content", "ok", "each file starts with a record, ink in the middle")


def _ignored(files: Listing) -> str:
    return f"; not read: {_first_names(files.ignored)}" if files.ignored else ""


def _first_names(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _size_check(folder: Path, files: Listing) -> Check:
    """Have the files the sizes that the database lists, and do they end with a complete record?"""
    from kanji_tui.data.etl import KNOWN_FILES, RECORD_BYTES

    problems = {}
    for item in files.items:
        known, size = KNOWN_FILES.get(item.name.upper()), item.bytes or 0
        if known and size != known:
            problems[item.name] = f"{item.name} has {size:,} of {known:,} bytes"
        elif not known and size % RECORD_BYTES:
            problems[item.name] = f"{item.name} ends within a record ({size:,} bytes)"
    if not problems:
        listed = files.format == "etl9g"
        return Check(ETL_FILES, "sizes", "ok", "as listed in ETL9INFO" if listed else "complete records only")
    found = f"{'; '.join([*problems.values()][:3])}{f' and {len(problems) - 3} more' if len(problems) > 3 else ''}"
    paths = " ".join(quote(str(folder / name)) for name in [*problems][:3])
    remedy = f"ls -l {paths}  # copy them again from their source"
    return Check(ETL_FILES, "sizes", "warning", f"{found}. An incomplete last record is excluded", remedy)


def _ranges(names: list[str]) -> str:
    """File numbers as ranges: `01-03, 07` for ETL9G_01, 02, 03 and 07."""
    numbers = sorted(int(name.rpartition("_")[2]) for name in names)
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    pairs = zip(starts, ends, strict=True)
    return ", ".join(f"{start:02}" if start == end else f"{start:02}-{end:02}" for start, end in pairs)
