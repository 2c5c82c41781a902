"""Reads images and labels from npz files, in the layouts in which people save them.

Images: (N, H, W), (N, H, W, 1), (N, 1, H, W), or (N, H*H) for squares; of bool, integers or floats with values 0-1
or 0-255. Ink is high; where most of the images' edge is high instead, it is paper, and they are inverted. Labels:
(N,), (N, 1), or one-hot (N, C); whole numbers of any type. An array may have any name where the file holds only
one, else one of the usual names.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isqrt, prod
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from kanji_tui.data.chunks import read_values
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import parsing

BLOCK = 64
IMAGES, LABELS = ("arr_0", "images", "imgs", "image", "x", "data"), ("arr_0", "labels", "label", "y", "targets")
WHAT, COPY_AGAIN = "an npz file", "copy it again from its source"
SAVE_IMAGES = "save them as (N, height, width), uint8, ink 255: numpy.savez_compressed(FILE, images)"
SAVE_LABELS = "save them as (N,), whole numbers from 0: numpy.savez_compressed(FILE, labels)"


@dataclass(frozen=True)
class ImageArray:
    """The images of an npz file, each of `height` x `width` pixels; `shape`, `dtype` and order as stored."""

    path: Path
    member: str
    shape: tuple[int, ...]
    dtype: np.dtype
    column_order: bool
    height: int
    width: int

    @property
    def count(self) -> int:
        return self.shape[0]

    def check_values(self) -> None:
        """KanjiError where the values are no grey levels; reads the whole file unless they are uint8."""
        self._factor()

    def light_paper(self) -> bool:
        """Whether paper is high and ink low, by the edge of the first images."""
        images = next(self._stored()).reshape(-1, self.height, self.width)
        edge = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()]).astype(np.float64)
        paper = float(np.median(edge))
        return 2 * paper > float(images.max()) and float(images.mean()) < 0.99 * paper

    def blocks(self) -> Iterator[np.ndarray]:
        """The images as uint8 (n, height, width), ink high, some at a time."""
        factor, light_paper = self._factor(), self.light_paper()
        for block in self._stored():
            if self.dtype != np.uint8 or factor != 1:
                block = np.floor(block * factor + 0.5).astype(np.uint8)
            images = block.reshape(len(block), self.height, self.width)
            yield 255 - images if light_paper else images

    def _factor(self) -> float:
        """By what values are multiplied to become levels 0-255."""
        if self.dtype == np.uint8:
            return 1.0 if any(block.max() > 1 for block in self._stored()) else 255.0
        ends = [(float(block.min()), float(block.max())) for block in self._stored()]
        low, high = np.min(ends), np.max(ends)
        if np.isnan(low):
            raise _unsuitable(self.path, "some of its values are no numbers (NaN)", SAVE_IMAGES)
        if not (low >= 0 and high <= 255):
            what = f"its values go from {low:g} to {high:g}, not from 0 to 255 or to 1"
            raise _unsuitable(self.path, what, SAVE_IMAGES)
        return 255.0 if high <= 1 else 1.0

    def _stored(self) -> Iterator[np.ndarray]:
        """Blocks of the array as it is stored; nothing else is kept in memory unless it is in column order."""
        rows = self.count if self.column_order else BLOCK
        row_bytes = prod(self.shape[1:]) * self.dtype.itemsize
        with _opened(self.path, self.member) as file:
            _read_header(file)
            for start in range(0, self.count, rows):
                shape = min(rows, self.count - start), *self.shape[1:]
                data = file.read(shape[0] * row_bytes)
                if len(data) < shape[0] * row_bytes:
                    raise EOFError("it ends too early")
                block = np.frombuffer(data, self.dtype).reshape(shape, order="F" if self.column_order else "C")
                yield from (block[first : first + BLOCK] for first in range(0, len(block), BLOCK))
            file.read()  # at its end zipfile compares the checksum


def find_images(path: Path) -> ImageArray:
    """The array of images in an npz file, from its header; KanjiError where there is none that can be read."""
    member = _choose(path, IMAGES, SAVE_IMAGES)
    with _opened(path, member) as file:
        shape, column_order, dtype = _read_header(file)
    sides = _sides(shape)
    if sides is None or min(shape) < 1:
        raise _unsuitable(path, f"its array has the shape {shape}", SAVE_IMAGES)
    if dtype.kind not in "buif":
        raise _unsuitable(path, f"its array holds {_kind(dtype)}", SAVE_IMAGES)
    return ImageArray(path, member, shape, dtype, column_order, *sides)


def _sides(shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Height and width of the images in an array of this shape; None where it holds no grey images."""
    match shape:
        case (_, height, width) | (_, height, width, 1) | (_, 1, height, width):
            return height, width
        case (_, pixels) if pixels > 1 and isqrt(pixels) ** 2 == pixels:
            return isqrt(pixels), isqrt(pixels)
    return None


def read_labels(path: Path) -> np.ndarray:
    """The label of each image, int64 (N,); KanjiError where the file has none that can be read."""
    member = _choose(path, LABELS, SAVE_LABELS)
    with _opened(path, member) as file:
        shape, column_order, dtype = _read_header(file)
        if dtype.kind not in "buif":
            raise _unsuitable(path, f"its array holds {_kind(dtype)}", SAVE_LABELS)
        labels = read_values(file, shape, dtype).reshape(shape, order="F" if column_order else "C")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    elif labels.ndim == 2 and ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all():
        labels = labels.argmax(axis=1)
    if labels.ndim != 1:
        raise _unsuitable(path, f"its array has the shape {shape}", SAVE_LABELS)
    with np.errstate(invalid="ignore"):  # no numbers become some number, and differ from it
        whole = labels.astype(np.int64)
    if not np.array_equal(whole, labels):
        raise _unsuitable(path, "its values are not whole numbers", SAVE_LABELS)
    return whole


def _choose(path: Path, usual: tuple[str, ...], remedy: str) -> str:
    """The member of the file with the array: the only one, or the only one with a usual name."""
    with parsing(path, WHAT, COPY_AGAIN), zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if name.endswith(".npy")]
    named = members if len(members) == 1 else [name for name in members if name[:-4].lower() in usual]
    if len(named) != 1:
        names = ", ".join(name[:-4] for name in members) or "no array"
        raise _unsuitable(path, f"it holds {names}; name one array arr_0", remedy)
    return named[0]


@contextmanager
def _opened(path: Path, member: str) -> Iterator[IO[bytes]]:
    with parsing(path, WHAT, COPY_AGAIN), zipfile.ZipFile(path) as archive, archive.open(member) as file:
        yield file


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, column order and type of an npy file; leaves it at the first byte of the data."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(file)


def _kind(dtype: np.dtype) -> str:
    kinds = {"O": "Python objects", "U": "text", "S": "text", "c": "complex numbers", "V": "records"}
    return kinds.get(dtype.kind, f"values of type {dtype}")


def _unsuitable(path: Path, what: str, remedy: str) -> KanjiError:
    return KanjiError(f"{path} cannot be read: {what}", remedy)
