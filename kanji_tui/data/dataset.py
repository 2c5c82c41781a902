"""Opens a prepared dataset: labels in memory, images memory-mapped."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.data.chunks import chunk_name, map_members
from kanji_tui.data.legacy import LegacyImages, is_legacy, open_legacy
from kanji_tui.data.source import Quarantined
from kanji_tui.data.staging import NAMES, VERSION
from kanji_tui.errors import KanjiError
from kanji_tui.paths import CHUNK_INFO, CLASS_MAPPING, METADATA
from kanji_tui.system.files import read_json

COLUMNS = ("y", "jis", "file", "record", "set")


@dataclass(frozen=True, eq=False)
class Dataset:
    """N samples in the order of file name, then record.

    `classes`: JIS codes in the order of class indices. `labels` int32 (N,), `jis` uint16 (N,), `file` uint8 (N,)
    index into `files`, `record` uint32 (N,) index in that file, `set` uint16 (N,) data set within that file.
    `digest` identifies the content. `source`: SYNTHETIC_SOURCE or a description of the input files; `name`: etl9g,
    etl9g-sample ... `chunk_digests`: SHA-256 of each chunk file. `quarantined`: the excluded records. `format`:
    etl9g, etl8g, kuzushiji, images or original (the original scripts). `writers_known`: whether each data set is
    one writer. `test_files`: those of `files` that the collection sets aside for testing.
    """

    path: Path
    size: int
    classes: tuple[int, ...]
    labels: np.ndarray
    jis: np.ndarray
    file: np.ndarray
    record: np.ndarray
    set: np.ndarray
    files: tuple[str, ...]
    digest: str
    source: str
    name: str
    metadata: dict[str, Any] = field(repr=False)
    chunk_digests: tuple[str, ...] = field(repr=False)
    quarantined: tuple[Quarantined, ...] = field(repr=False)
    format: str
    _images: tuple[np.ndarray | LegacyImages, ...] = field(repr=False)  # one (n, S, S) per chunk
    _starts: np.ndarray = field(repr=False)  # first sample of each chunk, then N
    writers_known: bool = True
    test_files: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, indices: Any) -> np.ndarray:
        """The images with these sample numbers (any order, repeats allowed), uint8 (n, S, S), ink high."""
        wanted = np.asarray(indices, dtype=np.int64).reshape(-1)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise IndexError(f"sample numbers go from 0 to {len(self) - 1}")
        found = np.empty((len(wanted), self.size, self.size), np.uint8)
        chunk = np.searchsorted(self._starts, wanted, side="right") - 1
        for number in np.unique(chunk):
            positions = np.flatnonzero(chunk == number)
            found[positions] = self._images[number][wanted[positions] - self._starts[number]]
        return found

    def writers(self) -> np.ndarray:
        """The writer of each sample, int64 (N,): (file, data set) pairs numbered from 0; all 0 where unknown."""
        if not self.writers_known:
            return np.zeros(len(self), np.int64)
        begins = (np.diff(self.file) != 0) | (np.diff(self.set) != 0)  # a data set's samples are consecutive
        return np.concatenate([[0], np.cumsum(begins)])[: len(self)]

    def test_samples(self) -> np.ndarray:
        """Which samples the collection sets aside for testing, bool (N,)."""
        numbers = [number for number, name in enumerate(self.files) if name in self.test_files]
        return np.isin(self.file, numbers)

    def paths(self) -> dict[tuple[str, int], str]:
        """The path of each sample that was an image file, by file and record; empty for other formats."""
        try:
            lines = (self.path / NAMES).read_text(encoding="utf-8").splitlines()[1:]
        except FileNotFoundError:
            return {}
        rows = (line.split("\t", 2) for line in lines)
        return {(file, int(record)): path for file, record, path in rows}

    def readings(self) -> dict[int, str]:
        """The ASCII reading of each class in its first record, by JIS code; may be empty."""
        if not (self.path / CLASS_MAPPING).is_file():  # optional in datasets of the original scripts
            return {}
        mapping = read_json(self.path / CLASS_MAPPING)
        return {int(jis, 16): str(entry.get("ascii_reading", "")) for jis, entry in mapping.items()}


def open_dataset(path: Path) -> Dataset:
    """Open the dataset in folder `path`, also one of the original scripts; KanjiError where none is complete."""
    path = Path(path)
    if not (path / METADATA).is_file():
        raise KanjiError(f"no dataset in {path}", f"make one: kanji-tui prepare --output-dir {path}")
    metadata = read_json(path / METADATA)
    if is_legacy(path, metadata):
        return Dataset(**open_legacy(path, metadata))
    if metadata.get("version") != VERSION:
        raise KanjiError(
            f"the dataset in {path} was not made by this program",
            f"prepare the record files again: kanji-tui prepare --output-dir {path}",
        )
    try:
        size = int(metadata["target_size"])
        classes = tuple(int(code, 16) for code in metadata["jis_to_class"])
        info = read_json(path / CHUNK_INFO)
        digests = tuple(str(chunk["digest"]) for chunk in info["chunks"])
        paths = [path / chunk_name(number) for number in range(info["num_chunks"])]
        members = [map_members(chunk, "X", *COLUMNS) for chunk in paths]
        images = tuple(member[0] for member in members)
        lengths = [len(part) for part in images]
        columns = {
            name: np.concatenate([np.asarray(member[column]) for member in members])
            for column, name in enumerate(COLUMNS, start=1)
        }
        if any(part.shape[1:] != (size, size) for part in images) or sum(lengths) != metadata["total_samples"]:
            raise KanjiError(
                f"the chunks in {path} do not match metadata.json",
                f"prepare the dataset again: kanji-tui prepare --output-dir {path}",
            )
        return Dataset(
            path=path,
            size=size,
            classes=classes,
            labels=columns["y"],
            jis=columns["jis"],
            file=columns["file"],
            record=columns["record"],
            set=columns["set"],
            files=tuple(metadata["files"]),
            digest=str(metadata["digest"]),
            source=str(metadata["source"]),
            name=str(metadata["dataset"]),
            metadata=metadata,
            chunk_digests=digests,
            quarantined=tuple(Quarantined(**record) for record in metadata["quarantine"]),
            format=str(metadata["format"]),
            _images=images,
            _starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            writers_known=bool(metadata.get("writers_known", True)),
            test_files=tuple(metadata.get("test_files", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise KanjiError(
            f"metadata.json or chunk_info.json in {path} is damaged ({type(error).__name__}: {error})",
            f"prepare the dataset again: kanji-tui prepare --output-dir {path}",
        ) from None
