"""Opens datasets of the original scripts and converts their images to uint8 once.

They are deflated npz files with `X` float32 (N, S*S) in 0-1 and `y` int32; the writers are unknown. The first
access to an image reads its whole file, 16 MB at a time, and stores all its images as uint8 in `.uint8` beside it,
a quarter of the size; from then on these are memory-mapped. For all of ETL9G this takes about a minute and 2.5 GB
of disk. The digest is computed from the checksums in the archives, so opening a dataset reads no image.
"""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.data.chunks import map_members, read_header, read_values, write_chunk
from kanji_tui.data.dataset_files import MAX_CHUNKS, MAX_CLASSES, LegacyMetadata
from kanji_tui.data.moving import CONVERTED
from kanji_tui.errors import KanjiError
from kanji_tui.paths import METADATA
from kanji_tui.system.files import parsing
from kanji_tui.system.plain_data import read_plain

SINGLE = "etl9g_dataset.npz"
FORMAT = "original"
BLOCK = 1024  # images read at once
REMEDY = "prepare the record files again: kanji-tui prepare"
COPY_AGAIN = f"copy it again from its source, or {REMEDY}"
WHAT = "a file of a dataset"


class LegacyImages:
    """The images of one file, uint8 (n, size, size): indexed like an array, converted at the first access."""

    def __init__(self, path: Path, count: int, size: int, crc: int) -> None:
        self._path, self._count, self._size = path, count, size
        self._converted = path.parent / CONVERTED / f"{path.stem}_{crc:08x}.npz"
        self._mapped: np.ndarray | None = None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, indices: Any) -> np.ndarray:
        if self._mapped is None:
            if not self._converted.exists():
                write_chunk(self._converted, (self._count, self._size, self._size), self._convert(), {})
            (self._mapped,) = map_members(self._converted, "X")
        found: np.ndarray = self._mapped[indices]
        return found

    def _convert(self) -> Iterator[np.ndarray]:
        with (
            parsing(self._path, WHAT, COPY_AGAIN),
            zipfile.ZipFile(self._path) as archive,
            archive.open("X.npy") as file,
        ):
            read_header(file)
            for start in range(0, self._count, BLOCK):
                count = min(BLOCK, self._count - start)
                levels = np.frombuffer(file.read(count * self._size**2 * 4), np.float32) * np.float32(255)
                rounded = np.floor(levels + np.float32(0.5)).clip(0, 255)
                yield rounded.astype(np.uint8).reshape(count, self._size, self._size)
            if file.read(1):  # at its end zipfile compares the checksum
                raise ValueError("it has more values than images")


def is_legacy(path: Path, metadata: dict[str, Any]) -> bool:
    """Whether the dataset in folder `path` with this metadata.json was made by the original scripts."""
    return "version" not in metadata and "jis_to_class" in metadata and bool(_files(path))


def open_legacy(path: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Dataset for the legacy dataset in folder `path`; KanjiError where it is not complete."""
    read = read_plain(LegacyMetadata, metadata, path / METADATA, REMEDY)
    class_of = {int(code, 16): index for code, index in read.jis_to_class.items()}
    classes = tuple(sorted(class_of, key=lambda code: class_of[code]))
    size, total = read.target_size, read.total_samples
    description = read.dataset_info.source or "ETL9G"
    if sorted(class_of.values()) != list(range(len(class_of))):
        raise KanjiError(f"the classes in {path / 'metadata.json'} are not numbered from 0 without gaps", REMEDY)
    files = _files(path)
    if len(files) > MAX_CHUNKS:
        raise KanjiError(f"{path} has {len(files)} chunks; at most {MAX_CHUNKS} can be read", REMEDY)
    labels, images, sums = [], [], [str(size), *(f"{code:04X}" for code in classes)]
    for file in files:
        found, crcs = _read(file, size)
        labels.append(found)
        images.append(LegacyImages(file, len(found), size, crcs[0]))
        sums += [f"{crc:08x}" for crc in crcs]
    every = np.concatenate(labels)
    if len(every) != total:
        names = f"{files[0].name} ... {files[-1].name}" if len(files) > 1 else files[0].name
        raise KanjiError(f"{names} in {path} hold {len(every):,} samples, metadata.json lists {total:,}", REMEDY)
    if len(every) and not 0 <= every.min() <= every.max() < len(classes):
        raise KanjiError(f"there are labels in {path} without a class in metadata.json", REMEDY)
    lengths = [len(found) for found in labels]
    return {
        "path": path,
        "size": size,
        "classes": classes,
        "labels": every,
        "jis": np.array(classes, np.uint16)[every],
        "file": np.repeat(np.arange(len(files)), lengths).astype(np.uint8),
        "record": np.concatenate([np.arange(length, dtype=np.uint32) for length in lengths]),
        "set": np.zeros(len(every), np.uint16),
        "files": tuple(file.name for file in files),
        "digest": hashlib.sha256("\n".join(sums).encode()).hexdigest(),
        "source": f"{description}, prepared by the original scripts",
        "name": "etl9g",
        "chunk_digests": (),
        "quarantined": (),
        "format": FORMAT,
        "_images": tuple(images),
        "_starts": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        "writers_known": False,
    }


def _files(path: Path) -> list[Path]:
    chunks = sorted(path.glob("etl9g_dataset_chunk_*.npz"))
    return chunks or [file for file in [path / SINGLE] if file.is_file()]


def _read(file: Path, size: int) -> tuple[np.ndarray, tuple[int, int]]:
    """The labels of a file, int32, and the checksums of its images and labels."""
    with parsing(file, WHAT, COPY_AGAIN), zipfile.ZipFile(file) as archive:
        with archive.open("X.npy") as member:
            shape, dtype = read_header(member)
        with archive.open("y.npy") as member:
            count, kind = read_header(member)
            if shape != (*count, size * size) or dtype != np.float32 or kind.kind not in "iu":
                raise ValueError(f"X has shape {shape} and type {dtype}, y {count} and {kind}")
            labels = read_values(member, count, kind)
        if len(labels) and not 0 <= labels.min() <= labels.max() < MAX_CLASSES:
            raise ValueError(f"its labels go from {labels.min()} to {labels.max()}")
        return labels.astype(np.int32), (archive.getinfo("X.npy").CRC, archive.getinfo("y.npy").CRC)
