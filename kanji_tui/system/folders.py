"""Folders that are replaced as a whole, and temporary ones that leave nothing where their process is killed."""

import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kanji_tui.errors import KanjiError
from kanji_tui.system.files import remove_unfinished, sync_to_disk, unfinished, writing_failed
from kanji_tui.system.locks import locked

REPLACE_SECONDS = 10.0  # two renames
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of fcntl.h and linux/fs.h
NO_EXCHANGE = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)  # a file system or a kernel that has none


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`; when the block succeeds it takes that place, else it is removed.

    A kill at any moment leaves the old folder or the new one, whole. What dead processes left unfinished beside it
    is removed. Raises KanjiError with a remedy when the disk is full or the folder cannot be written.
    """
    folder = Path(os.path.realpath(folder))
    building = unfinished(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(folder.parent)
        shutil.rmtree(building, ignore_errors=True)  # of this process, interrupted while it removed it
        building.mkdir()
        try:
            yield building
            for path in building.rglob("*"):
                if path.is_file():
                    sync_to_disk(path)
            _put_in_place(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise writing_failed(folder, error) from error


def _put_in_place(building: Path, folder: Path) -> None:
    with locked(folder.parent, REPLACE_SECONDS) as mine:
        if not mine:
            raise KanjiError(f"another process is writing in {folder.parent}", "try again in a moment")
        if folder.exists():
            exchange(building, folder)
        else:
            building.rename(folder)


def exchange(one: Path, other: Path) -> None:
    """Give each of two folders the name of the other, in one step where the file system can."""
    if not _exchanged(one, other):
        aside = unfinished(one)
        other.rename(aside)
        one.rename(other)
        aside.rename(one)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where that is not possible here."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """An empty folder for this process; removed at the end, after a kill by the next process that asks for one."""
    place = Path(tempfile.gettempdir())
    remove_unfinished(place)
    suffix = unfinished(place / "x").name.removeprefix(".x")
    with tempfile.TemporaryDirectory(prefix=".kanji-tui-", suffix=suffix) as name:
        yield Path(name)
