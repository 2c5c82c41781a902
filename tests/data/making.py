"""Makes small input files, byte by byte from the description of the formats, not with the code under test."""

import struct
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

A, I_, U, TA, A_KANJI = 0x2422, 0x2424, 0x2426, 0x4544, 0x3021
CODES = (A_KANJI, A, I_, U, TA)


def ring(seed: int = 0) -> np.ndarray:
    """A ring of ink around the centre, levels 0-15, (127, 128); different for each seed."""
    random = np.random.default_rng(seed)
    row, column = np.mgrid[:127, :128]
    distance = np.hypot(row - 63 - random.integers(-3, 4), column - 63.5 - random.integers(-3, 4))
    levels = np.where(np.abs(distance - random.integers(18, 34)) < 4, random.integers(8, 16), 0)
    return levels.astype(np.uint8)


def record(
    jis: int,
    levels: np.ndarray,
    image_offset: int = 64,
    reading: bytes = b"",
    serial: int = 1,
    sheet: int = 1,
    order: str = ">",
) -> bytes:
    """One record of 8,199 bytes."""
    packed = (levels[:, 0::2] << 4 | levels[:, 1::2]).astype(np.uint8).tobytes()
    head = struct.pack(order + "2H8sI4B4H2B", sheet, jis, reading.ljust(8), serial, *[0] * 10)
    whole = head.ljust(image_offset, b"\0") + packed
    return whole.ljust(8199, b"\0")


def write_records(path: Path, codes: list[int] | tuple[int, ...], seed: int = 0, image_offset: int = 64) -> Path:
    """A record file with these codes in this order; all images differ."""
    path.parent.mkdir(parents=True, exist_ok=True)
    records = (record(jis, ring(seed * 10_000 + n), image_offset, b"R%d" % n) for n, jis in enumerate(codes))
    path.write_bytes(b"".join(records))
    return path


def area_average(levels: np.ndarray, size: int) -> np.ndarray:
    """17 x the area average of (N, 127, 128) as real numbers (N, size, size): two matrices of overlaps, no more."""
    return 17 * np.einsum("ri,nij,cj->nrc", _overlaps(127, size), levels, _overlaps(128, size), optimize=True)


@cache
def _overlaps(old: int, new: int) -> np.ndarray:
    scale = old / new
    weights = np.zeros((new, old))
    for to in range(new):
        for of in range(old):
            weights[to, of] = max(0.0, min((to + 1) * scale, of + 1) - max(to * scale, of)) / scale
    return weights


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def write_kuzushiji(folder: Path, prefix: str = "k49", train: int = 40, test: int = 20, seed: int = 0) -> Path:
    """Npz pairs as CODH distributes them: four classes in turn, with ゝ and ゐ; a count of 0 omits the pair."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for kind, count in (("train", train), ("test", test)):
        if count:
            images = np.zeros((count, 28, 28), np.uint8)
            images[:, 6:22, 6:22] = random.integers(60, 256, (count, 16, 16))
            np.savez_compressed(folder / f"{prefix}-{kind}-imgs.npz", images)
            np.savez_compressed(folder / f"{prefix}-{kind}-labels.npz", (np.arange(count) % 4).astype(np.uint8))
    (folder / f"{prefix}_classmap.csv").write_text(
        "index,codepoint,char\n0,U+3042,あ\n1,U+3090,ゐ\n2,U+309D,ゝ\n3,U+3093,ん\n", encoding="utf-8"
    )
    return folder


def write_images(folder: Path, classes: dict[str, int], different: int = 1000) -> Path:
    """Dark rings on white paper, 128 x 127, by number per subfolder; after `different` images they repeat."""
    for name, count in classes.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            path = folder / name / f"{number:03d}.png"
            if number < different:
                levels = 255 - 17 * ring(1000 * sum(map(ord, name)) + number).astype(np.int64)
                Image.fromarray(levels.astype(np.uint8)).save(path)
            else:
                path.write_bytes((folder / name / f"{number % different:03d}.png").read_bytes())
    return folder
