"""Moves a dataset that was built in `<dataset>/.next` into its place, so that the old or the new one is there.

The mark `.next/complete.json` names the files of the new dataset. Until it is written the old dataset stands; from
then on the new one does, and whoever opens the folder and finds the mark finishes the move before anything else. A
move can be broken off at any point and begun again.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from kanji_tui.allowed import DIGEST, NAME, at_most
from kanji_tui.errors import KanjiError
from kanji_tui.paths import METADATA
from kanji_tui.system.files import write_json, writing_failed
from kanji_tui.system.locks import locked
from kanji_tui.system.plain_data import read_as

MARK = "complete.json"
CHUNKS = "etl9g_dataset_chunk_*.npz"
NAMES = "images.tsv"  # the path of each record, only where each record is a file of its own
CONVERTED = ".uint8"  # images of a dataset of the original scripts, see legacy.py
MOST_FILES = 300
MOVE_SECONDS = 10.0  # a move is some hundred renames


@dataclass(frozen=True)
class _Mark:
    """complete.json: the names of the files to move, metadata.json last; `digest`: of these names."""

    files: Annotated[tuple[Annotated[str, NAME], ...], at_most(MOST_FILES)]
    digest: Annotated[str, DIGEST]


def next_dir(folder: Path) -> Path:
    """Where the next dataset of `folder` is built."""
    return folder / ".next"


def is_marked(folder: Path) -> bool:
    """Whether a complete dataset waits to be moved into `folder`."""
    return os.path.exists(next_dir(folder) / MARK)  # not Path.exists, which may raise


def has_dataset(folder: Path) -> bool:
    """Whether there is a dataset in `folder`, once a move that was broken off is finished."""
    finish_move(folder)
    return (folder / METADATA).is_file()


def finish_move(folder: Path) -> None:
    """Finish a move that was broken off; KanjiError where this process cannot, or another is at it for long."""
    if not is_marked(folder):
        return
    try:
        with locked(folder, MOVE_SECONDS) as mine:
            if not mine:
                raise KanjiError(f"another process is replacing the dataset in {folder}", "try again in a moment")
            if is_marked(folder):  # still
                move(folder)
    except OSError as error:
        raise writing_failed(folder, error) from error


def mark_complete(folder: Path, files: list[str]) -> None:
    """Make the dataset in `.next` the dataset of `folder`: `files`, all that belong to it, metadata.json last."""
    write_json(next_dir(folder) / MARK, {"files": files, "digest": _digest(files)})


def move(folder: Path) -> None:
    """Move what the mark names into `folder`, remove what is not of it, and the mark at last.

    To be called with the folder locked. A mark that cannot be read is none.
    """
    building = next_dir(folder)
    files = _files_to_move(folder)
    if not files:
        _remove(building / MARK)
        return
    try:
        if (building / METADATA).exists():  # the one in place is the old dataset's
            (folder / METADATA).unlink(missing_ok=True)
        for stale in [*folder.glob(CHUNKS), folder / NAMES]:
            if stale.name not in files:
                stale.unlink(missing_ok=True)
        for name in files:
            if (building / name).exists():
                (building / name).replace(folder / name)
        shutil.rmtree(folder / CONVERTED, ignore_errors=True)
        for rest in building.iterdir():
            if rest.name != MARK:
                shutil.rmtree(rest) if rest.is_dir() else rest.unlink()
        (building / MARK).unlink()
        building.rmdir()
    except OSError as error:
        raise writing_failed(folder, error) from error


def _files_to_move(folder: Path) -> tuple[str, ...]:
    """The files that the mark names, metadata.json last; none where it cannot be read or was changed."""
    try:
        mark = read_as(_Mark, next_dir(folder) / MARK)
    except KanjiError:
        return ()
    here = {path.name for place in (folder, next_dir(folder)) for path in place.iterdir()}
    return mark.files if mark.digest == _digest(mark.files) and here.issuperset(mark.files) else ()


def _digest(files: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(files).encode()).hexdigest()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise writing_failed(path, error) from error
