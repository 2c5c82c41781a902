"""Opens a prepared dataset: labels in memory, images memory-mapped."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.data.advice import dataset_advice
from kanji_tui.data.chunks import chunk_name, map_members
from kanji_tui.data.dataset_files import COLUMNS, Metadata, read_chunk_info, read_metadata, read_readings
from kanji_tui.data.input_files import Inputs
from kanji_tui.data.legacy import LegacyImages, is_legacy, open_legacy
from kanji_tui.data.moving import NAMES, has_dataset
from kanji_tui.data.source import Quarantined
from kanji_tui.data.staging import VERSION
from kanji_tui.errors import KanjiError
from kanji_tui.paths import CLASS_MAPPING, METADATA
from kanji_tui.system.files import read_json


@dataclass(frozen=True, eq=False)
class Dataset:
    """N samples in the order of file name, then record.

    `classes`: JIS codes in the order of class indices. `labels` int32 (N,), `jis` uint16 (N,), `file` uint8 (N,)
    index into `files`, `record` uint32 (N,) index in that file, `set` uint16 (N,) data set within that file.
    `digest` identifies the content. `source`: SYNTHETIC_SOURCE or a description of the input files; `name`: etl9g,
    etl9g-sample ... `chunk_digests`: SHA-256 of each chunk file. `quarantined`: the excluded records. `format`:
    etl9g, etl8g, kuzushiji, images or original (the original scripts). `writers_known`: whether each data set is
    one writer. `test_files`: those of `files` that the collection sets aside for testing. `inputs`: the
    files that it was prepared from.
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
    chunk_digests: tuple[str, ...] = field(repr=False)
    quarantined: tuple[Quarantined, ...] = field(repr=False)
    format: str
    _images: tuple[np.ndarray | LegacyImages, ...] = field(repr=False)  # one (n, S, S) per chunk
    _starts: np.ndarray = field(repr=False)  # first sample of each chunk, then N
    writers_known: bool = True
    test_files: tuple[str, ...] = ()
    inputs: Inputs = field(default_factory=Inputs, repr=False)

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
        path = self.path / CLASS_MAPPING  # optional in datasets of the original scripts
        return read_readings(path) if path.is_file() else {}

    def wrong_labels(self) -> str:
        """What is wrong with the labels, in words: some have no class or contradict their JIS codes; or empty."""
        expected = np.array(self.classes, np.uint16)
        outside = (self.labels < 0) | (self.labels >= len(expected))
        if outside.any():
            return f"{self._chunk_of(outside)} has labels without a class"
        wrong = expected[self.labels] != self.jis
        if wrong.any():
            return f"{wrong.sum():,} labels contradict their JIS code, the first in {self._chunk_of(wrong)}"
        return ""

    def _chunk_of(self, wanted: np.ndarray) -> str:
        """The name of the chunk with the first of the wanted samples, bool (N,)."""
        return chunk_name(int(np.searchsorted(self._starts, np.argmax(wanted), side="right")) - 1)


def open_dataset(path: Path, with_wrong_labels: bool = False) -> Dataset:
    """Open the dataset in folder `path`, also one of the original scripts; KanjiError where none is complete.

    One that is complete and not yet moved into the folder is moved first.

    `with_wrong_labels`: open it also where labels have no class or contradict their JIS codes, to be examined.
    """
    path = Path(path)
    if not has_dataset(path):
        raise KanjiError(f"no dataset in {path}", dataset_advice(path))
    plain = read_json(path / METADATA)
    if is_legacy(path, plain):
        return Dataset(**open_legacy(path, plain))
    if plain.get("version") != VERSION:
        raise KanjiError(
            f"the dataset in {path} was not made by this program",
            f"prepare the record files again: kanji-tui prepare --output-dir {path}",
        )
    remedy = f"prepare the dataset again: kanji-tui prepare --output-dir {path}"
    metadata = read_metadata(path, plain, remedy)
    info = read_chunk_info(path, remedy)
    members = [_map_chunk(path / chunk_name(number), metadata, remedy) for number in range(info.num_chunks)]
    lengths = [len(member[0]) for member in members]
    if lengths != [chunk.samples for chunk in info.chunks] or sum(lengths) != metadata.total_samples:
        raise KanjiError(f"the chunks in {path} do not match metadata.json", remedy)
    columns = {
        name: np.concatenate([np.asarray(member[column]) for member in members])
        for column, name in enumerate(COLUMNS, start=1)
    }
    dataset = Dataset(
        path=path,
        size=metadata.target_size,
        classes=metadata.classes,
        labels=columns["y"],
        jis=columns["jis"],
        file=columns["file"],
        record=columns["record"],
        set=columns["set"],
        files=metadata.files,
        digest=metadata.digest,
        source=metadata.source,
        name=metadata.dataset,
        chunk_digests=tuple(chunk.digest for chunk in info.chunks),
        quarantined=metadata.quarantine,
        format=metadata.format,
        _images=tuple(member[0] for member in members),
        _starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        writers_known=metadata.writers_known,
        test_files=metadata.test_files,
        inputs=metadata.inputs,
    )
    if not with_wrong_labels and (problem := dataset.wrong_labels()):
        raise KanjiError(f"the dataset in {path} cannot be used: {problem}", f"see kanji-tui verify, then {remedy}")
    return dataset


def _map_chunk(path: Path, metadata: Metadata, remedy: str) -> tuple[np.ndarray, ...]:
    """The images and columns of a chunk, memory-mapped; KanjiError where one is not as it must be."""
    images, *columns = found = map_members(path, "X", *COLUMNS)
    size = (metadata.target_size, metadata.target_size)
    if images.dtype != np.uint8 or images.shape[1:] != size:
        what = f"{images.dtype} {images.shape}"
        raise KanjiError(f"{path}: the images do not match metadata.json: {what}, not uint8 {size} each", remedy)
    for column, (name, kind) in zip(columns, COLUMNS.items(), strict=True):
        if column.dtype != kind or column.shape != (len(images),):
            what = f"{column.dtype} {column.shape}"
            raise KanjiError(f"{path}: {name} is {what}, not {np.dtype(kind)} ({len(images)},)", remedy)
    if len(images) and columns[2].max() >= len(metadata.files):
        raise KanjiError(f"{path}: file: there are samples of a file that metadata.json does not list", remedy)
    return found
