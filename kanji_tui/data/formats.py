"""Detects the format of an input folder by its files, and opens it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from kanji_tui.data.advice import sample_command
from kanji_tui.data.etl import FILE_NAME
from kanji_tui.data.images import character_folders, has_images, list_images, open_images, sorting_remedy
from kanji_tui.data.kuzushiji import list_pairs, open_kuzushiji, pairs_in
from kanji_tui.data.listing import Listing
from kanji_tui.data.record_files import list_record_files, open_record_files
from kanji_tui.data.source import Source, describe_folder, require_folder, unreadable
from kanji_tui.errors import KanjiError, UsageError

OPENERS: dict[str, Callable[[Path], Source]] = {
    "etl9g": lambda directory: open_record_files(directory, "etl9g"),
    "etl8g": lambda directory: open_record_files(directory, "etl8g"),
    "kuzushiji": open_kuzushiji,
}
FORMATS = (*OPENERS, "images")
DEEPEST, MOST_FOLDERS = 4, 100  # how far below a folder without inputs others are looked at
LISTERS: dict[str, Callable[[Path], Listing]] = {
    "etl9g": lambda directory: list_record_files(directory, "etl9g"),
    "etl8g": lambda directory: list_record_files(directory, "etl8g"),
    "kuzushiji": list_pairs,
    "images": list_images,
}


def open_source(directory: Path, format: str | None, labels: str | None = None) -> Source:
    """The source in `directory`; `format` None: detected; `labels`: how folder names of digits are read, see
    `folder_names`; None: decided.

    Raises UsageError for an unknown format, for a folder that does not exist or holds nothing to prepare, where
    there are files of several formats, and for labels where the input has no folder names.
    """
    if format is not None and format not in FORMATS:
        raise UsageError(f"the format '{format}' is not known", f"choose one of: {', '.join(FORMATS)}")
    directory = require_folder(directory)
    format = format or detect_format(directory)
    if format == "images":
        return open_images(directory, labels)
    if labels is not None:
        raise UsageError(f"--labels is for folders of images, {directory} holds {format} files", "omit --labels")
    return OPENERS[format](directory)


def list_inputs(directory: Path) -> Listing:
    """What `open_source` would find in `directory`, without reading images; an error becomes its `problem`."""
    try:
        return LISTERS[detect_format(require_folder(directory))](directory)
    except KanjiError as error:
        return Listing(problem=error.message, remedy=error.remedy)
    except OSError as error:
        return Listing(problem=unreadable(directory, error).message)


def detect_format(directory: Path) -> str:
    """The format of the files in the folder; UsageError where there is none or more than one."""
    try:
        found = _present_formats(directory)
        if not found:
            raise UsageError(f"nothing to prepare in {directory}: {describe_folder(directory)}", _remedy(directory))
    except OSError as error:
        raise unreadable(directory, error) from None
    if len(found) > 1:
        raise UsageError(
            f"{directory} holds files of {len(found)} formats: {', '.join(found.values())}",
            f"choose one: --format {' or '.join(found)}",
        )
    return next(iter(found))


def _present_formats(directory: Path) -> dict[str, str]:
    """Each format of which there are files, with a description of these files."""
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


def _remedy(directory: Path) -> str:
    """What to do where no format was found: name a folder below that holds one, or put files there."""
    images = has_images(directory)
    for depth, folder in _folders_below(directory):
        with suppress(OSError):  # skip folders that this user may not read
            if inside := _present_formats(folder):
                down = "one folder" if depth == 1 else f"{depth} folders"
                return f"there are {next(iter(inside.values()))} {down} down: --etl-dir {folder}"
            images |= has_images(folder)
    if images:
        return sorting_remedy(directory)
    return (
        "put files there that are named ETL9G_01 ... ETL9G_50, npz pairs like k49-train-imgs.npz, or a folder of "
        f"images for each character; or make a synthetic sample: {sample_command(directory)}"
    )


def _folders_below(directory: Path) -> Iterator[tuple[int, Path]]:
    """The folders below `directory` and their depth: the nearest first, in one depth `train`, then by name."""
    level = [directory]
    for depth in range(1, DEEPEST + 1):
        below: list[Path] = []
        for folder in level:
            with suppress(OSError):
                below += (path for path in folder.iterdir() if path.name[0] != "." and path.is_dir())
        level = sorted(below, key=lambda path: (path.name.lower() != "train", path))[:MOST_FOLDERS]
        yield from ((depth, folder) for folder in level)
