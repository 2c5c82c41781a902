"""Reads the ETL record files of a folder as the source of a dataset."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kanji_tui.data.copies import find_copies
from kanji_tui.data.defaults import SYNTHETIC_SOURCE
from kanji_tui.data.etl import (
    COLUMNS,
    FORMAT_SHIFT,
    FORMATS,
    RECORD_BYTES,
    SHIFT_TOLERANCE,
    known_codes,
    open_records,
    read_contents,
    record_files,
)
from kanji_tui.data.listing import ListedInput, Listing
from kanji_tui.data.resize import shrink
from kanji_tui.data.sample import MARK, is_synthetic
from kanji_tui.data.source import Contents, Source, ignored_names, repeated, select_accepted, unreadable
from kanji_tui.errors import KanjiError

CHECKED_FILES, CHECKED_IMAGES = 4, 64  # files, and images of each, whose ink position is measured
BLOCK = 64  # images resized at a time: their intermediate values fit into the processor's cache


@dataclass(frozen=True)
class RecordFile:
    """One record file, read as `format` whatever its name is.

    `copy_of`: the name of the file that it repeats. `synthetic`: it is one of `kanji-tui sample`.
    """

    path: Path
    format: str
    copy_of: str = ""
    synthetic: bool = False

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def paths(self) -> tuple[Path, ...]:
        return (self.path,)

    def read(self) -> Contents:
        if self.copy_of:
            return repeated(self.name, self.copy_of, len(open_records(self.path, self.format)))
        return read_contents(self.path, self.format, self.synthetic)

    def images(self, record: np.ndarray, size: int) -> Iterator[np.ndarray]:
        count = int(record[-1]) + 1 if len(record) else 0
        return (shrink(packed, size) for packed in select_accepted(self._packed(count), record))

    def _packed(self, count: int) -> Iterator[np.ndarray]:
        """The packed images of the first `count` records; each block is overwritten by the next."""
        # Read, not mapped: the mapped pages of such large files would count as memory of this process.
        buffer = np.empty(BLOCK, FORMATS[self.format])
        try:
            with open(self.path, "rb", buffering=0) as file:
                for start in range(0, count, BLOCK):
                    read = (file.readinto(buffer.view(np.uint8).data) or 0) // RECORD_BYTES
                    if read < min(BLOCK, count - start):
                        raise KanjiError(f"{self.path} became shorter while it was read", "prepare again")
                    yield buffer["image"][:read]
        except OSError as error:
            raise unreadable(self.path, error) from None


def list_record_files(directory: Path, format: str) -> Listing:
    """The record files in `directory`, from their sizes; raises as `etl.record_files` does."""
    paths = record_files(directory, format)
    sizes = {path.name: path.stat().st_size for path in paths}
    items = tuple(ListedInput(name, size, size // RECORD_BYTES) for name, size in sizes.items())
    listing = Listing(format, items, ignored=ignored_names(directory, [*sizes, MARK]))
    try:
        return replace(listing, synthetic=is_synthetic(directory, paths))
    except KanjiError as error:  # synthetic and other files in one folder
        return replace(listing, problem=error.message, remedy=error.remedy)


def files_of_another_format(paths: list[Path], format: str) -> tuple[str, ...]:
    """The names of the files whose first record has a JIS code unknown to `format`; reads one record per file."""
    known = set(known_codes(format).tolist())
    first = {path.name: open_records(path, format)["jis"][:1].tolist() for path in paths}
    return tuple(name for name, codes in first.items() if not known.issuperset(codes))


def format_warning(paths: list[Path], format: str) -> str:
    """A warning where the position of the ink shows that the files are of the other ETL format; else empty."""
    other = "etl8g" if format == "etl9g" else "etl9g"
    offset, other_offset = _ink_offset(paths, format), _ink_offset(paths, other)
    if abs(abs(offset) - FORMAT_SHIFT) > SHIFT_TOLERANCE or abs(other_offset) > SHIFT_TOLERANCE:
        return ""
    return (
        f"the files seem to be {other.upper()}: read as {format.upper()}, the mean ink is {100 * offset:+.1f} % of "
        f"the width right of the centre, read as {other.upper()} {100 * other_offset:+.1f} %; if they are, prepare "
        f"them with --format {other}"
    )


def _ink_offset(paths: list[Path], format: str) -> float:
    """How far right of the centre the mean ink of some images of some files is, as a fraction of the width."""
    ink = np.zeros(COLUMNS)
    for path in paths[:: max(1, len(paths) // CHECKED_FILES)]:
        records = open_records(path, format)
        packed = records["image"][:: max(1, len(records) // CHECKED_IMAGES)]
        ink[0::2] += (packed >> 4).sum(axis=(0, 1))
        ink[1::2] += (packed & 15).sum(axis=(0, 1))
    return float(ink @ (np.arange(COLUMNS) - (COLUMNS - 1) / 2) / COLUMNS / max(1, ink.sum()))


def open_record_files(directory: Path, format: str) -> Source:
    """The record files in `directory`, read as `format`, etl9g or etl8g. See `etl.record_files`."""
    paths = record_files(directory, format)
    synthetic = is_synthetic(directory, paths)
    copies = find_copies(paths)
    return Source(
        format=format,
        dataset=f"{format}-sample" if synthetic else format,
        origin=SYNTHETIC_SOURCE if synthetic else f"{format.upper()} record files",
        resizing="17 x area average of 16 grey levels, ink high",
        writers_known=True,
        inputs=tuple(
            RecordFile(path, format, copies[path].name if path in copies else "", synthetic) for path in paths
        ),
        notices=tuple(filter(None, [format_warning(paths, format)])),
        ignored=ignored_names(directory, [*(path.name for path in paths), MARK]),
    )
