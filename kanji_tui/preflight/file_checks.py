"""The preflight checks of what is to be prepared: record files, npz pairs or folders of images.

Told by names, sizes and headers; of record files a few pictures are looked at as well.
"""

from pathlib import Path
from shlex import quote

from kanji_tui.data.listing import Listing
from kanji_tui.errors import KanjiError
from kanji_tui.system.check import Check
from kanji_tui.system.numbers import size

ETL_FILES = "ETL9G files"


def file_checks(folder: Path, files: Listing, otherwise: str) -> list[Check]:
    """What lies in `folder`, whatever its format; `otherwise` is the command where there is nothing at all."""
    if not files.items:
        return [Check(ETL_FILES, "files", "warning", files.problem, _remedy(folder, files, otherwise))]
    if files.problem:
        return [Check(ETL_FILES, "files", "warning", files.problem, _look_at(folder, files.remedy))]
    if files.format == "images":
        return [_images_check(folder, files)]
    if files.format == "kuzushiji":
        found = f"{files.summary}, {size(files.bytes)} in {folder}{_aside(files)}"
        return [Check(ETL_FILES, "files", "ok", found)]
    return _record_checks(folder, files)


def _remedy(folder: Path, files: Listing, otherwise: str) -> str:
    """What to type where nothing can be prepared."""
    if elsewhere := files.remedy.partition("--etl-dir ")[2]:
        return f"kanji-tui prepare --etl-dir {quote(elsewhere)}"
    if "kanji-tui sample" in files.remedy:
        return otherwise
    return _look_at(folder, files.remedy)


def _look_at(folder: Path, advice: str) -> str:
    return f"ls -l {quote(str(folder))}  # {advice}" if advice else f"ls -l {quote(str(folder))}"


def _images_check(folder: Path, files: Listing) -> Check:
    """Folders of images; one that names no character would have its images left out."""
    found = f"{files.summary} in {folder}, like {files.items[0].name}"
    if not files.ignored:
        return Check(ETL_FILES, "files", "ok", found)
    advice = "a folder is named by its character, its JIS code or its code point: 田, 4544 or U+7530"
    left_out = f"{found}; named after no character, so left out: {_first_of(files.ignored)}"
    return Check(ETL_FILES, "files", "warning", left_out, _look_at(folder, advice))


def _record_checks(folder: Path, files: Listing) -> list[Check]:
    """Which record files are there, of the right size, and with records in them?"""
    from kanji_tui.data.etl import KNOWN_FILES

    amount = f"{files.summary}, {size(files.bytes)}"
    if files.synthetic:
        return [Check(ETL_FILES, "files", "ok", f"{amount} in {folder}: a drawn sample, not handwriting")]
    missing = sorted(KNOWN_FILES.keys() - {item.name.upper() for item in files.items})
    if files.format == "etl8g":
        found = f"{amount} of ETL8G in {folder}{_aside(files)}"
    else:
        found = f"{len(KNOWN_FILES) - len(missing)} of the {len(KNOWN_FILES)} in {folder}: {amount}"
        found += (f"; not there: {_ranges(missing)}" if missing else "") + _aside(files)
    return [Check(ETL_FILES, "files", "ok", found), _size_check(folder, files), _content_check(folder, files)]


def _content_check(folder: Path, files: Listing) -> Check:
    """Do the files begin with records, and does their ink lie where this format has it?"""
    from kanji_tui.data.record_files import files_of_another_format, format_warning

    paths = [folder / item.name for item in files.items]
    try:
        strange, why = files_of_another_format(paths, files.format), format_warning(paths, files.format)
    except KanjiError as error:
        return Check(ETL_FILES, "content", "warning", error.message, _look_at(folder, error.remedy))
    if strange:
        found = f"no record of {files.format.upper()} stands at the beginning of {_first_of(strange)}"
        advice = "copy them again from where they came, unpacked"
        return Check(ETL_FILES, "content", "warning", found, _look_at(folder, advice))
    if why:
        advice = "if they are, name the format: kanji-tui prepare --format"
        return Check(ETL_FILES, "content", "warning", why, _look_at(folder, advice))
    return Check(ETL_FILES, "content", "ok", "records at the beginning of each file, ink in the middle")


def _aside(files: Listing) -> str:
    return f"; not read: {_first_of(files.ignored)}" if files.ignored else ""


def _first_of(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _size_check(folder: Path, files: Listing) -> Check:
    """Files that are not as large as the database's own list says, or that end within a record."""
    from kanji_tui.data.etl import KNOWN_FILES, RECORD_BYTES

    told = {}
    for item in files.items:
        known, size = KNOWN_FILES.get(item.name.upper()), item.bytes or 0
        if known and size != known:
            told[item.name] = f"{item.name} has {size:,} of {known:,} bytes"
        elif not known and size % RECORD_BYTES:
            told[item.name] = f"{item.name} ends within a record ({size:,} bytes)"
    if not told:
        listed = files.format == "etl9g"
        return Check(ETL_FILES, "sizes", "ok", "as ETL9INFO lists them" if listed else "whole records")
    found = f"{'; '.join([*told.values()][:3])}{f' and {len(told) - 3} more' if len(told) > 3 else ''}"
    paths = " ".join(quote(str(folder / name)) for name in [*told][:3])
    remedy = f"ls -l {paths}  # copy them again from where they came"
    return Check(ETL_FILES, "sizes", "warning", f"{found}. Whole records are used, a cut one is left out", remedy)


def _ranges(names: list[str]) -> str:
    """File numbers in short: ETL9G_01, 02, 03 and 07 are `01-03, 07`."""
    numbers = sorted(int(name.rpartition("_")[2]) for name in names)
    starts = [number for number in numbers if number - 1 not in numbers]
    ends = [number for number in numbers if number + 1 not in numbers]
    pairs = zip(starts, ends, strict=True)
    return ", ".join(f"{start:02}" if start == end else f"{start:02}-{end:02}" for start, end in pairs)
