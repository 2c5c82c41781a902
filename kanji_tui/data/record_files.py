"""The ETL record files of a folder as the source of a dataset."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kanji_tui.data.etl import FORMATS, RECORD_BYTES, read_contents, recognise, record_files
from kanji_tui.data.resize import shrink
from kanji_tui.data.sample import is_drawn
from kanji_tui.data.source import Contents, Source, unreadable
from kanji_tui.errors import KanjiError

DRAWN = "drawn sample"
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
        # Read, not mapped: mapped pages of so large files would count as this process's memory.
        space = np.empty(BLOCK, FORMATS[self.format])
        try:
            with open(self.path, "rb", buffering=0) as file:
                for start in range(0, int(record[-1]) + 1 if len(record) else 0, BLOCK):
                    read = (file.readinto(space.view(np.uint8).data) or 0) // RECORD_BYTES
                    if read == 0:
                        raise KanjiError(f"{self.path} became shorter while it was read", "prepare again")
                    chosen = record[np.searchsorted(record, start) : np.searchsorted(record, start + read)]
                    if len(chosen):
                        packed = space["picture"][:read]
                        yield shrink(packed if len(chosen) == read else packed[chosen - start], size)
        except OSError as error:
            raise unreadable(self.path, error) from None


def open_record_files(directory: Path, format: str | None) -> Source:
    """The record files in `directory`; `format` etl9g, etl8g or as their names say. See `etl.record_files`."""
    paths = record_files(directory, format)
    format = format or recognise(paths[0])
    drawn = is_drawn(directory, paths)
    return Source(
        format=format,
        dataset=f"{format}-sample" if drawn else format,
        words=DRAWN if drawn else f"{format.upper()} record files",
        made="17 x area average of 16 grey levels, ink high",
        writers_known=True,
        inputs=tuple(RecordFile(path, format) for path in paths),
    )
