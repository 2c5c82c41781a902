"""The record files of the ETL Character Database: ETL9G and its sister ETL8G.

Both are flat files of 8,199-byte records, big-endian: sheet, JIS X 0208 code, reading, serial number, a few facts
about the writer, then a picture of 127 rows of 128 pixels, two pixels a byte, high nibble first, 0-15, ink high.
They differ in where the picture starts: byte 64 in ETL9G, byte 60 in ETL8G. Source: the database's own format
descriptions (ETL9INFO, ETL8INFO) at http://etlcdb.db.aist.go.jp.
"""

import re
from importlib.resources import files
from pathlib import Path

import numpy as np

from kanji_tui.characters.classes import global_ranks
from kanji_tui.characters.jis import jis_to_character, name_jis, script
from kanji_tui.data.source import Contents, Quarantined, require_folder, unreadable, what_is_there
from kanji_tui.errors import KanjiError, UsageError

RECORD_BYTES = 8199
ROWS, COLUMNS = 127, 128
SETS_A_FILE = 4
FILE_NAME = re.compile(r"ETL([89])G_\d{1,3}", re.IGNORECASE)


def _record(picture_at: int) -> np.dtype:
    return np.dtype(
        {
            "names": ["sheet", "jis", "reading", "serial", "picture"],
            "formats": [">u2", ">u2", "S8", ">u4", ("u1", (ROWS, COLUMNS // 2))],
            "offsets": [0, 2, 4, 12, picture_at],
            "itemsize": RECORD_BYTES,
        }
    )


ETL9G = _record(64)
ETL8G = _record(60)
FORMATS = {"etl9g": ETL9G, "etl8g": ETL8G}
# Read in the other's format a picture lies 8 of 128 columns beside its place. In the right one the ink of many
# hands lies around the middle, give or take less than that.
SHIFT, GIVE = 8 / 128, 3 / 128


def _known_files() -> dict[str, int]:
    text = (files("kanji_tui.data") / "facts" / "etl9g_files.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {row[0]: int(row[1]) for row in rows}


# The 50 files of ETL9G and their sizes in bytes, as ETL9INFO lists them.
KNOWN_FILES = _known_files()


def record_files(directory: Path, format: str) -> list[Path]:
    """The record files in `directory`, in the order of their names: those named as `format`, else all of them.

    Raises UsageError where there is no such directory or no record file in it; KanjiError for an empty file.
    """
    directory = require_folder(directory)
    try:
        found = sorted(path for path in directory.iterdir() if FILE_NAME.fullmatch(path.name) and path.is_file())
    except OSError as error:
        raise unreadable(directory, error) from None
    if not found:
        raise UsageError(f"no ETL files in {directory}: {what_is_there(directory)}", _what_is_expected(directory))
    # Where every name is the sister's, they are read as `format` all the same: the user said so.
    found = [path for path in found if recognise(path) == format] or found
    for path in found:
        if path.stat().st_size == 0:
            raise KanjiError(f"{path} is empty (0 bytes)", "copy it again from where it came, or remove it")
    return found


def recognise(path: Path) -> str:
    """The format a record file's name tells: etl9g or etl8g."""
    return "etl8g" if path.name.upper().startswith("ETL8G") else "etl9g"


def _what_is_expected(directory: Path) -> str:
    inside = sorted(path.parent for path in directory.glob("*/ETL[89]G_*"))
    if inside:
        return f"there are ETL files one folder down: --etl-dir {inside[0]}"
    draw = f"kanji-tui sample --output-dir {directory}"
    return f"expected are files named ETL9G_01 ... ETL9G_50; or draw a sample: {draw}"


def open_records(path: Path, format: str = "etl9g") -> np.ndarray:
    """The whole records of a file as a read-only memory-mapped array of `FORMATS[format]`, shape (N,).

    What is left of a truncated last record is not in it; `trailing_bytes` counts that. KanjiError for a file that
    cannot be read.
    """
    try:
        whole = Path(path).stat().st_size // RECORD_BYTES
        if whole == 0:
            return np.empty(0, FORMATS[format])
        return np.memmap(path, FORMATS[format], mode="r", shape=(whole,))
    except OSError as error:
        raise unreadable(path, error) from None


def trailing_bytes(path: Path) -> int:
    """The bytes of a truncated last record, 0 for a file of whole records."""
    return Path(path).stat().st_size % RECORD_BYTES


def read_contents(path: Path, format: str = "etl9g") -> Contents:
    """Look at every record of a file, not at its picture: is it accepted, of which character and data set?"""
    records = open_records(path, format)
    jis = records["jis"].astype(np.uint16)
    known = np.isin(jis, known_codes(format))
    sets = data_sets(jis, known)
    accepted = np.flatnonzero(known)
    quarantined = [
        Quarantined(path.name, int(number), f"unknown JIS code {name_jis(int(jis[number]))}")
        for number in np.flatnonzero(~known)
    ]
    if rest := trailing_bytes(path):
        reason = f"truncated: {rest:,} of {RECORD_BYTES:,} bytes"
        quarantined.append(Quarantined(path.name, len(records), reason))
    codes, first = np.unique(jis[accepted], return_index=True)
    readings = records["reading"][accepted[first]]
    return Contents(
        record=accepted.astype(np.uint32),
        jis=jis[accepted],
        set=sets[accepted],
        readings={int(code): clean_reading(reading) for code, reading in zip(codes, readings, strict=True)},
        quarantined=tuple(quarantined),
    )


def known_codes(format: str) -> np.ndarray:
    """The JIS codes (uint16, ascending) a record of this format may have; others are quarantined.

    ETL9G: its 3,036 classes. ETL8G has small kana too: every hiragana and kanji of JIS X 0208.
    """
    if format == "etl9g":
        return np.array(sorted(global_ranks()), dtype=np.uint16)
    rows_and_cells = (row * 256 + cell for row in range(0x21, 0x7F) for cell in range(0x21, 0x7F))
    codes = [code for code in rows_and_cells if script(code) in ("hiragana", "kanji") and jis_to_character(code)]
    return np.array(codes, dtype=np.uint16)


def data_sets(jis: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The data set, from 0, of each record of a file (uint16), by the JIS codes of all its records in order.

    A new data set begins when the first record's code comes again. Where a known code comes twice within such a
    block the records are in no order that tells writers apart, and the whole file is one data set.
    """
    if len(jis) == 0:
        return np.empty(0, np.uint16)
    sets = np.cumsum(jis == jis[0]) - 1
    pairs = sets[known] * 65536 + jis[known]
    if len(np.unique(pairs)) < len(pairs) or sets[-1] > np.iinfo(np.uint16).max:
        return np.zeros(len(jis), np.uint16)
    return sets.astype(np.uint16)


def clean_reading(raw: bytes) -> str:
    """The reading field of a record as text: ASCII without padding, empty where a record has none."""
    return bytes(raw).decode("ascii", "ignore").replace("\0", " ").strip()
