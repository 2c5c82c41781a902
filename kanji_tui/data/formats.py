"""What lies in a folder of pictures to be prepared: recognised by its files, or named."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kanji_tui.data.etl import FILE_NAME
from kanji_tui.data.images import character_folders, list_images, open_images
from kanji_tui.data.kuzushiji import list_pairs, open_kuzushiji, pairs_in
from kanji_tui.data.listing import Listing
from kanji_tui.data.record_files import list_record_files, open_record_files
from kanji_tui.data.source import Source, require_folder, unreadable, what_is_there
from kanji_tui.errors import KanjiError, UsageError

OPENERS: dict[str, Callable[[Path], Source]] = {
    "etl9g": lambda directory: open_record_files(directory, "etl9g"),
    "etl8g": lambda directory: open_record_files(directory, "etl8g"),
    "kuzushiji": open_kuzushiji,
    "images": open_images,
}
LISTERS: dict[str, Callable[[Path], Listing]] = {
    "etl9g": lambda directory: list_record_files(directory, "etl9g"),
    "etl8g": lambda directory: list_record_files(directory, "etl8g"),
    "kuzushiji": list_pairs,
    "images": list_images,
}


def open_source(directory: Path, format: str | None) -> Source:
    """The source in `directory`, of the format named or else recognised.

    Raises UsageError for an unknown format, for a folder that is not there or holds nothing to prepare, and where
    the files could be meant in two ways.
    """
    if format is not None and format not in OPENERS:
        raise UsageError(f"the format '{format}' is not known", f"choose one of: {', '.join(OPENERS)}")
    directory = require_folder(directory)
    return OPENERS[format or recognise(directory)](directory)


def list_inputs(directory: Path) -> Listing:
    """What `open_source` would find in `directory`, told without reading a picture; what is wrong is said in it."""
    try:
        return LISTERS[recognise(require_folder(directory))](directory)
    except KanjiError as error:
        return Listing(problem=error.message, advice=error.remedy)
    except OSError as error:
        return Listing(problem=unreadable(directory, error).message)


def recognise(directory: Path) -> str:
    """The one format of which there are files in the folder; UsageError where there is none or more than one."""
    try:
        found = _look(directory)
        if not found:
            raise UsageError(f"nothing to prepare in {directory}: {what_is_there(directory)}", _advice(directory))
    except OSError as error:
        raise unreadable(directory, error) from None
    if len(found) > 1:
        raise UsageError(
            f"{directory} could be meant in {len(found)} ways: it holds {', '.join(found.values())}",
            f"say which: --format {' or '.join(found)}",
        )
    return next(iter(found))


def _look(directory: Path) -> dict[str, str]:
    """Each format of which there are files, and what there is in words."""
    found: dict[str, str] = {}
    records = [path.name.upper()[:5] for path in directory.iterdir() if FILE_NAME.fullmatch(path.name)]
    for kind in ("ETL9G", "ETL8G"):
        if kind in records:
            found[kind.lower()] = f"{kind} files ({records.count(kind)})"
    if pairs := pairs_in(directory):
        found["kuzushiji"] = f"npz pairs ({', '.join(pairs)})"
    if folders := character_folders(directory):
        found["images"] = f"folders of images ({len(folders)}, like {folders[0].name})"
    return found


def _advice(directory: Path) -> str:
    """Where nothing was recognised: the folder that was meant, or what is expected."""
    for folder in sorted(path for path in directory.iterdir() if path.is_dir()):
        with suppress(OSError):  # a folder that is not ours to read is not the one that was meant
            if inside := _look(folder):
                return f"there are {next(iter(inside.values()))} one folder down: --etl-dir {folder}"
    return (
        "expected are files named ETL9G_01 ... ETL9G_50, npz pairs like k49-train-imgs.npz, or a folder of images "
        f"for each character; or make a synthetic sample: kanji-tui sample --output-dir {directory}"
    )
