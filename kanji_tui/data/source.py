"""Defines what a preparation reads: inputs of any format, each of which becomes one chunk.

Each format is a module that finds its inputs in a folder and returns a Source; the rest of the preparation uses
only the types of this module.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from kanji_tui.data.advice import sample_command
from kanji_tui.errors import KanjiError, UsageError


@dataclass(frozen=True)
class Quarantined:
    """An excluded record: `record` counts from 0 within `file`; `reason` is a phrase for the user."""

    file: str
    record: int
    reason: str


@dataclass(frozen=True, eq=False)
class Contents:
    """What one input holds, without its images. All arrays have one entry for each accepted record.

    `record` uint32: index in the input; `jis` uint16; `set` uint16: data set within the input; `readings`: the
    ASCII reading of each code in its first record; `names`: the path of each record that is a file of its own;
    `remedy`: what to do about the quarantined records, where that is known.
    """

    record: np.ndarray
    jis: np.ndarray
    set: np.ndarray
    readings: dict[int, str]
    quarantined: tuple[Quarantined, ...]
    names: tuple[str, ...] = ()
    remedy: str = ""

    def __len__(self) -> int:
        return len(self.record)


class Input(Protocol):
    """One input: a file, a pair of files, or some folders."""

    @property
    def name(self) -> str:
        """Its entry in metadata.json's `files`."""
        ...

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file of the input."""
        ...

    def read(self) -> Contents:
        """Read every record, without its image; KanjiError for an input that cannot be read."""
        ...

    def images(self, record: np.ndarray, size: int) -> Iterator[np.ndarray]:
        """The resized images of the accepted records in order, as blocks uint8 (n, size, size), ink high."""
        ...


@dataclass(frozen=True)
class Source:
    """The inputs in a folder, of one format.

    `dataset`: the name of the dataset, which exports carry too; `origin`: what the images are and who made them;
    `resizing`: how they are resized; `writers_known`: whether each `set` is one writer; `test_inputs`: names of the
    inputs that the collection sets aside for testing; `notices`: what the user should know before the work begins;
    `ignored`: other files in the folder, which are not read; `labels`: how folder names of digits are read.
    """

    format: str
    dataset: str
    origin: str
    resizing: str
    writers_known: bool
    inputs: tuple[Input, ...]
    test_inputs: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    labels: str = ""


def select_accepted(blocks: Iterable[np.ndarray], record: np.ndarray) -> Iterator[np.ndarray]:
    """The accepted records, given by their indices `record`, of consecutive blocks; skips blocks without any."""
    start = 0
    for block in blocks:
        first, last = np.searchsorted(record, (start, start + len(block)))
        if last - first == len(block):
            yield block
        elif last > first:
            yield block[record[first:last] - start]
        start += len(block)


def repeated(name: str, original: str, count: int) -> Contents:
    """The contents of a file that repeats another: none of its `count` records is accepted."""
    none = np.empty(0, np.uint16)
    return Contents(
        record=none.astype(np.uint32),
        jis=none,
        set=none,
        readings={},
        quarantined=tuple(Quarantined(name, number, f"repeats {original}") for number in range(count)),
        remedy=f"remove {name}, which repeats {original}",
    )


def stamp(paths: Iterable[Path]) -> str:
    """A SHA-256 in hex of names, sizes and modification times: equal while the files are unchanged."""
    stats = [(f"{path.parent.name}/{path.name}", path.stat()) for path in paths]
    lines = (f"{name}\t{stat.st_size}\t{stat.st_mtime_ns}\n" for name, stat in stats)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def require_folder(directory: Path) -> Path:
    """The folder as a Path; UsageError where it does not exist."""
    directory = Path(directory)
    if not directory.is_dir():
        raise UsageError(
            f"there is no directory {directory}",
            f"put the ETL9G files there, or make a synthetic sample: {sample_command(directory)}",
        )
    return directory


def describe_folder(directory: Path) -> str:
    """A phrase with the first names in a folder."""
    names = other_names(directory, ())
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return f"it holds {', '.join(names[:5])}{more}" if names else "it is empty"


def other_names(directory: Path, known: Iterable[str]) -> tuple[str, ...]:
    """The other names in a folder, sorted: all but `known`, hidden files and a README."""
    excluded = set(known)
    names = (path.name for path in directory.iterdir())
    return tuple(
        sorted(name for name in names if name not in excluded and name[0] != "." and name.upper()[:6] != "README")
    )


def ignored_names(directory: Path, known: Iterable[str]) -> tuple[str, ...]:
    """`other_names`, with a word about broken links: their names alone do not show why they are not read."""
    return tuple(map(describe_ignored, (directory / name for name in other_names(directory, known))))


def describe_ignored(path: Path) -> str:
    """The name of a file that is not read, of a broken link with these words."""
    return path.name if path.exists() else f"{path.name} (broken link)"


def ignored_notice(ignored: Sequence[str]) -> str:
    """A sentence that names the first of the files that are not read; empty without such files."""
    if not ignored:
        return ""
    more = f" and {len(ignored) - 5:,} more" if len(ignored) > 5 else ""
    return f"not read: {', '.join(ignored[:5])}{more}"


def unreadable(path: Path, error: OSError) -> KanjiError:
    """The error for a file or folder that the system does not let this user read."""
    return KanjiError(f"{path} cannot be read: {error.strerror or error}", f"check its permissions: ls -ld {path}")
