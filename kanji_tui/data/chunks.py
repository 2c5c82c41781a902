"""Writes and memory-maps chunk files: npz archives, written sequentially, with the same bytes for the same content.

An npz file is a zip archive of npy files. The members are stored, not deflated, so that each can be memory-mapped
at its offset (numpy's own `mmap_mode` ignores npz). Dates are fixed. Sizes and checksums follow each member (the
zip format's data descriptors), so the file is hashed while it is written: a chunk's digest is the `sha256sum` of
the file.
"""

import hashlib
import math
import zipfile
from collections.abc import Iterable
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from kanji_tui.system.files import MOST_BYTES, parsing, replacing

DATE = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip archive can store
READ_BYTES = 4 * 1024 * 1024


def chunk_name(number: int) -> str:
    """The file name of the chunk with this number, from 0."""
    return f"etl9g_dataset_chunk_{number:02d}.npz"


class _Hashed(BufferedIOBase):
    """A file that is hashed as it is written. It cannot seek, and zipfile adapts to that."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.hash.update(data)
        return int(self._file.write(data))


def write_chunk(
    path: Path, shape: tuple[int, ...], images: Iterable[np.ndarray], columns: dict[str, np.ndarray]
) -> str:
    """Write member X (uint8, `shape`) from consecutive blocks of `images`, then `columns`; the SHA-256 in hex.

    The file is complete and synced, or it does not exist. Raises KanjiError where the disk is full.
    """
    with replacing(path) as beside:
        with open(beside, "wb") as file, zipfile.ZipFile(hashed := _Hashed(file), "w") as archive:
            _write_member(archive, "X", np.dtype(np.uint8), shape, images)
            for name, column in columns.items():
                _write_member(archive, name, column.dtype, column.shape, [column])
        return hashed.hash.hexdigest()


def _write_member(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype, shape: tuple[int, ...], blocks: Iterable[np.ndarray]
) -> None:
    entry = zipfile.ZipInfo(f"{name}.npy", DATE)
    entry.external_attr = 0o600 << 16
    written = 0
    with archive.open(entry, "w", force_zip64=True) as member:
        header = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(member, header)
        for block in blocks:
            data = np.ascontiguousarray(block, dtype)
            member.write(data.data.cast("B") if data.size else b"")
            written += len(data)
    if written != shape[0]:
        raise AssertionError(f"member {name} has {written} rows, not {shape[0]}")


def map_members(path: Path, *names: str) -> tuple[np.ndarray, ...]:
    """Members of a stored npz file as read-only memory maps; KanjiError where the file is damaged or deflated."""
    with (
        parsing(path, "a chunk of a dataset", "prepare the dataset again: kanji-tui prepare"),
        open(path, "rb") as file,
        zipfile.ZipFile(file) as archive,
    ):
        whole = np.memmap(file, np.uint8, mode="r")
        return tuple(_member(whole, file, archive.getinfo(f"{name}.npy")) for name in names)


def _member(whole: np.ndarray, file: IO[bytes], entry: zipfile.ZipInfo) -> np.ndarray:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError("its members are compressed and cannot be mapped")
    # A local header has 30 bytes; the last four are the lengths of the name and of an extra field.
    file.seek(entry.header_offset + 26)
    name_bytes, extra_bytes = np.frombuffer(file.read(4), "<u2").tolist()
    file.seek(name_bytes + extra_bytes, 1)
    shape, dtype = read_header(file)
    first = file.tell()
    return whole[first : first + math.prod(shape) * dtype.itemsize].view(dtype).reshape(shape)


def read_header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of the array in an npy file; leaves the file at the first byte of the data.

    Raises ValueError for an npy file in another layout.
    """
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(member)
    if version not in read:
        raise ValueError(f"npy version {version}")
    shape, fortran, dtype = read[version](member)
    if fortran or dtype.hasobject:
        raise ValueError("its array is in column order or holds Python objects")
    if any(length < 0 for length in shape):
        raise ValueError(f"its array has the shape {shape}")
    return shape, dtype


def read_arrays(path: Path, *names: str) -> tuple[np.ndarray, ...]:
    """Members of a small npz file, in memory. Raises what damaged files make numpy and zipfile raise."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in names:
            with archive.open(f"{name}.npy") as member:
                shape, dtype = read_header(member)
                found.append(read_values(member, shape, dtype).reshape(shape))
    return tuple(found)


def read_values(member: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """The values after the header of an npy file, as a flat array: at most MOST_BYTES, read before memory is taken.

    Raises ValueError for more, or for fewer than the header says.
    """
    count = math.prod(shape)
    data = member.read(MOST_BYTES + 1)
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"its array of the shape {shape} has {len(data):,} bytes")
    return np.frombuffer(data, dtype)
