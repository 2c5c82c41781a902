"""What lies in a folder of pictures to be prepared: recognised by its files, or named."""

from pathlib import Path

from kanji_tui.data.etl import FILE_NAME, record_files
from kanji_tui.data.images import class_folders_in, open_images, parse_class
from kanji_tui.data.kuzushiji import open_kuzushiji, pairs_in
from kanji_tui.data.record_files import open_record_files
from kanji_tui.data.source import Source, unreadable
from kanji_tui.errors import UsageError

FORMATS = ("etl9g", "etl8g", "kuzushiji", "images")


def open_source(directory: Path, format: str | None) -> Source:
    """The source in `directory`, of the format named or else recognised.

    Raises UsageError for an unknown format, for a folder that is not there or holds nothing to prepare, and where
    the files could be meant in two ways.
    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"the format '{format}' is not known", f"choose one of: {', '.join(FORMATS)}")
    directory = Path(directory)
    if not directory.is_dir():
        record_files(directory)  # says so, and what to do
    if format is None:
        format = _recognise(directory)
    if format == "kuzushiji":
        return open_kuzushiji(directory)
    if format == "images":
        return open_images(directory)
    return open_record_files(directory, format)


def _recognise(directory: Path) -> str | None:
    """The one format found in the folder; None leaves the say to the names of record files."""
    try:
        found = _look(directory)
    except OSError as error:
        raise unreadable(directory, error) from None
    if len(found) > 1:
        raise UsageError(
            f"{directory} could be meant in {len(found)} ways: it holds {', '.join(found.values())}",
            f"say which: --format {' or '.join(found)}",
        )
    return next(iter(found), None)


def _look(directory: Path) -> dict[str, str]:
    """Each format of which there are files, and what there is in words."""
    found: dict[str, str] = {}
    records = [path.name.upper()[:5] for path in directory.iterdir() if FILE_NAME.fullmatch(path.name)]
    for kind in ("ETL9G", "ETL8G"):
        if kind in records:
            found[kind.lower()] = f"{kind} files ({records.count(kind)})"
    if pairs := pairs_in(directory):
        found["kuzushiji"] = f"npz pairs ({', '.join(pairs)})"
    folders = [folder.name for folder in class_folders_in(directory) if parse_class(folder.name)]
    if folders:
        found["images"] = f"folders of images ({len(folders)}, like {folders[0]})"
    return found
