"""A prepared dataset, opened: labels in memory, pictures memory-mapped where they lie."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.data.chunks import chunk_name, map_member
from kanji_tui.data.etl import Quarantined
from kanji_tui.data.publication import VERSION
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import read_json

COLUMNS = ("y", "jis", "file", "record", "set")


@dataclass(frozen=True, eq=False)
class Dataset:
    """N samples in the order of file name, then record.

    `classes`: JIS codes in the order of class indices. `labels` int32 (N,), `jis` uint16 (N,), `file` uint8 (N,)
    into `files`, `record` uint32 (N,) place in that file, `set` uint16 (N,) data set within that file. `digest`
    names the content. `source`: "drawn sample" or what the record files are; `name`: etl9g, etl9g-sample ...
    `chunk_digests`: SHA-256 of each chunk file. `quarantined`: the records left out. `format`: etl9g or etl8g.
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
    _pictures: tuple[np.ndarray, ...] = field(repr=False)  # one (n, S, S) a chunk
    _starts: np.ndarray = field(repr=False)  # first sample of each chunk, and N at the end

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, indices: Any) -> np.ndarray:
        """The pictures with these sample numbers (any order, repeats allowed), uint8 (n, S, S), ink high."""
        wanted = np.asarray(indices, dtype=np.int64).reshape(-1)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise IndexError(f"sample numbers go from 0 to {len(self) - 1}")
        found = np.empty((len(wanted), self.size, self.size), np.uint8)
        chunk = np.searchsorted(self._starts, wanted, side="right") - 1
        for number in np.unique(chunk):
            places = np.flatnonzero(chunk == number)
            found[places] = self._pictures[number][wanted[places] - self._starts[number]]
        return found

    def writers(self) -> np.ndarray:
        """One id for each (file, data set), int64 (N,), dense from 0 in the order they come."""
        pairs = self.file.astype(np.int64) * 65536 + self.set
        return np.unique(pairs, return_inverse=True)[1].astype(np.int64)

    def readings(self) -> dict[int, str]:
        """The ASCII reading of each class as its first record has it, by JIS code; may be empty."""
        mapping = read_json(self.path / "character_mapping.json")
        return {int(jis, 16): str(entry["ascii_reading"]) for jis, entry in mapping.items()}


def open_dataset(path: Path) -> Dataset:
    """Open the dataset in folder `path`; KanjiError where there is none, or it is not whole."""
    path = Path(path)
    if not (path / "metadata.json").is_file():
        raise KanjiError(f"no dataset in {path}", f"make one: kanji-tui prepare --output-dir {path}")
    metadata = read_json(path / "metadata.json")
    if metadata.get("version") != VERSION:
        raise KanjiError(
            f"the dataset in {path} was not made by this program",
            f"prepare the record files again: kanji-tui prepare --output-dir {path}",
        )
    try:
        size = int(metadata["target_size"])
        classes = tuple(int(code, 16) for code in metadata["jis_to_class"])
        info = read_json(path / "chunk_info.json")
        digests = tuple(str(chunk["digest"]) for chunk in info["chunks"])
        paths = [path / chunk_name(number) for number in range(info["num_chunks"])]
        pictures = tuple(map_member(chunk, "X") for chunk in paths)
        lengths = [len(part) for part in pictures]
        columns = {
            name: np.concatenate([np.asarray(map_member(chunk, name)) for chunk in paths]) for name in COLUMNS
        }
        if any(part.shape[1:] != (size, size) for part in pictures) or sum(lengths) != metadata["total_samples"]:
            raise KanjiError(f"the chunks in {path} do not fit metadata.json", "prepare the dataset again")
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
            _pictures=pictures,
            _starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise KanjiError(
            f"metadata.json or chunk_info.json in {path} is damaged ({type(error).__name__}: {error})",
            f"prepare the dataset again: kanji-tui prepare --output-dir {path}",
        ) from None
