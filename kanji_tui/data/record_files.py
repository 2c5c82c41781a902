"""The ETL record files of a folder as the source of a dataset."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kanji_tui.data.defaults import DRAWN
from kanji_tui.data.etl import (
    COLUMNS,
    FORMATS,
    GIVE,
    RECORD_BYTES,
    SHIFT,
    known_codes,
    open_records,
    read_contents,
    record_files,
)
from kanji_tui.data.listing import Listed, Listing
from kanji_tui.data.resize import shrink
from kanji_tui.data.sample import MARK, is_drawn
from kanji_tui.data.source import Contents, Source, accepted, others_in, unreadable
from kanji_tui.errors import KanjiError

LOOKED_INTO, LOOKED_AT = 4, 64  # files, pictures of each, to see whether the format is right
BLOCK = 64  # pictures at a time: what one needs in between stays in the processor's cache


@dataclass(frozen=True)
class RecordFile:
    """One record file, read as `format`, whatever its name says."""

    path: Path
    format: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path,)

    def read(self) -> Contents:
        return read_contents(self.path, self.format)

    def pictures(self, record: np.ndarray, size: int) -> Iterator[np.ndarray]:
        count = int(record[-1]) + 1 if len(record) else 0
        return (shrink(packed, size) for packed in accepted(self._packed(count), record))

    def _packed(self, count: int) -> Iterator[np.ndarray]:
        """The packed pictures of the first `count` records; each block is good until the next."""
        # Read, not mapped: mapped pages of so large files would count as this process's memory.
        space = np.empty(BLOCK, FORMATS[self.format])
        try:
            with open(self.path, "rb", buffering=0) as file:
                for start in range(0, count, BLOCK):
                    read = (file.readinto(space.view(np.uint8).data) or 0) // RECORD_BYTES
                    if read < min(BLOCK, count - start):
                        raise KanjiError(f"{self.path} became shorter while it was read", "prepare again")
                    yield space["picture"][:read]
        except OSError as error:
            raise unreadable(self.path, error) from None


def list_record_files(directory: Path, format: str) -> Listing:
    """The record files in `directory` by their sizes; raises as `etl.record_files` does."""
    paths = record_files(directory, format)
    sizes = {path.name: path.stat().st_size for path in paths}
    items = tuple(Listed(name, size, size // RECORD_BYTES) for name, size in sizes.items())
    listing = Listing(format, items, aside=others_in(directory, [*sizes, MARK]))
    try:
        return replace(listing, drawn=is_drawn(directory, paths))
    except KanjiError as error:  # drawn and other files side by side
        return replace(listing, problem=error.message, advice=error.remedy)


def files_of_something_else(paths: list[Path], format: str) -> tuple[str, ...]:
    """The names of the files whose first record has no JIS code that `format` knows; each file is only touched."""
    known = set(known_codes(format).tolist())
    first = {path.name: open_records(path, format)["jis"][:1].tolist() for path in paths}
    return tuple(name for name, codes in first.items() if not known.issuperset(codes))


def doubt(paths: list[Path], format: str) -> str:
    """Why the files seem to be of the sister format, in words; empty where the ink lies where it should."""
    other = "etl8g" if format == "etl9g" else "etl9g"
    off, other_off = _off_middle(paths, format), _off_middle(paths, other)
    if abs(abs(off) - SHIFT) > GIVE or abs(other_off) > GIVE:
        return ""
    return (
        f"read as {format.upper()} the ink lies {off:+.1%} of the width right of the middle, as {other.upper()} "
        f"{other_off:+.1%}: the files seem to be {other.upper()}, to be prepared with --format {other}"
    )


def _off_middle(paths: list[Path], format: str) -> float:
    """How far right of the middle the ink of some pictures of some files lies, as a share of the width."""
    ink = np.zeros(COLUMNS)
    for path in paths[:: max(1, len(paths) // LOOKED_INTO)]:
        records = open_records(path, format)
        packed = records["picture"][:: max(1, len(records) // LOOKED_AT)]
        ink[0::2] += (packed >> 4).sum(axis=(0, 1))
        ink[1::2] += (packed & 15).sum(axis=(0, 1))
    return float(ink @ (np.arange(COLUMNS) - (COLUMNS - 1) / 2) / COLUMNS / max(1, ink.sum()))


def open_record_files(directory: Path, format: str) -> Source:
    """The record files in `directory`, read as `format`, etl9g or etl8g. See `etl.record_files`."""
    paths = record_files(directory, format)
    drawn = is_drawn(directory, paths)
    return Source(
        format=format,
        dataset=f"{format}-sample" if drawn else format,
        words=DRAWN if drawn else f"{format.upper()} record files",
        made="17 x area average of 16 grey levels, ink high",
        writers_known=True,
        inputs=tuple(RecordFile(path, format) for path in paths),
        doubt=doubt(paths, format),
    )
