"""What a preparation reads: inputs that each become one chunk, whatever format they are in.

A format is a module that finds its inputs in a folder and gives a Source; the rest of the preparation knows only
what stands here.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from kanji_tui.characters.jis import character_to_jis
from kanji_tui.errors import KanjiError, UsageError


@dataclass(frozen=True)
class Quarantined:
    """A record that is left out: `record` counts from 0 within `file`; `reason` in words."""

    file: str
    record: int
    reason: str


@dataclass(frozen=True, eq=False)
class Contents:
    """What one input holds, without its pictures. All arrays have one entry for each accepted record.

    `record` uint32: place in the input; `jis` uint16; `set` uint16: data set within the input; `readings`: the
    first record's ASCII reading of each code; `names`: where a record is a file of its own, its path.
    """

    record: np.ndarray
    jis: np.ndarray
    set: np.ndarray
    readings: dict[int, str]
    quarantined: tuple[Quarantined, ...]
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.record)


class Input(Protocol):
    """One input: a file, a pair of files, or some folders."""

    @property
    def name(self) -> str:
        """What metadata's `files` calls it."""
        ...

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file it is made of."""
        ...

    def read(self) -> Contents:
        """Look at every record, not at its picture; KanjiError for an input that cannot be read."""
        ...

    def pictures(self, record: np.ndarray, size: int) -> Iterator[np.ndarray]:
        """The pictures of the accepted records, in order, as consecutive blocks uint8 (n, size, size), ink high."""
        ...


@dataclass(frozen=True)
class Source:
    """What lies in a folder, recognised.

    `dataset`: the name of what is made of it, as exports carry it; `words`: what the pictures are and whose;
    `made`: how they are made small; `writers_known`: whether `set` tells the hands apart; `test`: names of the
    inputs that the collection itself sets aside for testing; `doubt`: why it may be of another format.
    """

    format: str
    dataset: str
    words: str
    made: str
    writers_known: bool
    inputs: tuple[Input, ...]
    test: tuple[str, ...] = ()
    doubt: str = ""


def accepted(blocks: Iterable[np.ndarray], record: np.ndarray) -> Iterator[np.ndarray]:
    """Of consecutive blocks of an input's records the accepted ones, `record`; blocks without any are left out."""
    start = 0
    for block in blocks:
        first, last = np.searchsorted(record, (start, start + len(block)))
        if last - first == len(block):
            yield block
        elif last > first:
            yield block[record[first:last] - start]
        start += len(block)


def stamp(paths: Iterable[Path]) -> str:
    """What tells that files have not been changed, without reading them: names, sizes and times, SHA-256 in hex."""
    stats = [(f"{path.parent.name}/{path.name}", path.stat()) for path in paths]
    lines = (f"{name}\t{stat.st_size}\t{stat.st_mtime_ns}\n" for name, stat in stats)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def require_folder(directory: Path) -> Path:
    """The folder, as a Path; UsageError where there is none."""
    directory = Path(directory)
    if not directory.is_dir():
        raise UsageError(
            f"there is no directory {directory}",
            f"put the ETL9G files there, or make a synthetic sample: kanji-tui sample --output-dir {directory}",
        )
    return directory


def what_is_there(directory: Path) -> str:
    """The first few names in a folder, in words."""
    names = others_in(directory, ())
    more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
    return f"it holds {', '.join(names[:5])}{more}" if names else "it is empty"


def others_in(directory: Path, known: Iterable[str]) -> tuple[str, ...]:
    """What lies in a folder beside the names `known`, in order; hidden files and a README count for nothing."""
    aside = set(known)
    names = (path.name for path in directory.iterdir())
    return tuple(
        sorted(name for name in names if name not in aside and name[0] != "." and name.upper()[:6] != "README")
    )


def unreadable(path: Path, error: OSError) -> KanjiError:
    """The sentence for a file or folder that the system does not let us read."""
    return KanjiError(f"{path} cannot be read: {error.strerror or error}", f"look at its rights: ls -ld {path}")


def parse_code_point(text: str) -> int | None:
    """The JIS X 0208 code of what `U+7530` names, or None."""
    try:
        return character_to_jis(chr(int(text[2:], 16))) if text[:2].upper() == "U+" else None
    except (ValueError, OverflowError):
        return None
