"""Reads the record files of the ETL Character Database: ETL9G and ETL8G.

Both are flat files of 8,199-byte records, big-endian: sheet, JIS X 0208 code, reading, serial number, a few facts
about the writer, then an image of 127 rows of 128 pixels, two pixels per byte, high nibble first, 0-15, ink high.
They differ in the offset of the image: 64 bytes in ETL9G, 60 in ETL8G. Source: the database's format descriptions
(ETL9INFO, ETL8INFO) at http://etlcdb.db.aist.go.jp.
"""

import re
from importlib.resources import files
from pathlib import Path

import numpy as np

from kanji_tui.characters.character_sets import codes_of
from kanji_tui.characters.jis import jis_to_character, name_jis, script
from kanji_tui.data.advice import sample_command
from kanji_tui.data.record_damage import Damage, find_damage
from kanji_tui.data.source import Contents, Quarantined, describe_folder, require_folder, unreadable
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.system.file_kinds import foreign_kind

RECORD_BYTES = 8199
CODE_OFFSET = 2  # of the JIS code in a record
ROWS, COLUMNS = 127, 128
SETS_PER_FILE = 4
FILE_NAME = re.compile(r"ETL([89])G_\d{1,3}", re.IGNORECASE)


def _record(image_offset: int) -> np.dtype:
    return np.dtype(
        {
            "names": ["sheet", "jis", "reading", "serial", "image"],
            "formats": [">u2", ">u2", "S8", ">u4", ("u1", (ROWS, COLUMNS // 2))],
            "offsets": [0, CODE_OFFSET, 4, 12, image_offset],
            "itemsize": RECORD_BYTES,
        }
    )


ETL9G = _record(64)
ETL8G = _record(60)
FORMATS = {"etl9g": ETL9G, "etl8g": ETL8G}
# In the wrong format an image is shifted by 8 of its 128 columns. In the right one the mean ink of many writers is
# centred within the tolerance. Fractions of the width.
FORMAT_SHIFT, SHIFT_TOLERANCE = 8 / 128, 3 / 128


def _known_files() -> dict[str, int]:
    text = (files("kanji_tui.data") / "facts" / "etl9g_files.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {row[0]: int(row[1]) for row in rows}


# The 50 files of ETL9G and their sizes in bytes, as ETL9INFO lists them.
KNOWN_FILES = _known_files()


def pack_levels(levels: np.ndarray) -> np.ndarray:
    """Levels 0-15 (N, ROWS, COLUMNS) as the nibbles of a record, (N, ROWS, COLUMNS / 2), left pixel high."""
    packed: np.ndarray = (levels[:, :, 0::2] << 4) | levels[:, :, 1::2]
    return packed


def record_files(directory: Path, format: str) -> list[Path]:
    """The record files in `directory` whose names are of `format`, by name; where there are none, all record files.

    Raises UsageError where there is no such directory or no record file in it; KanjiError for one without records.
    """
    directory = require_folder(directory)
    try:
        found = sorted(path for path in directory.iterdir() if FILE_NAME.fullmatch(path.name) and path.is_file())
    except OSError as error:
        raise unreadable(directory, error) from None
    if not found:
        raise UsageError(f"no ETL files in {directory}: {describe_folder(directory)}", _remedy(directory))
    # Files that are all named as the other format are read as `format`: the user named it.
    found = [path for path in found if detect_format(path) == format] or found
    for path in found:
        _check_kind(path)
    return found


def _check_kind(path: Path) -> None:
    """KanjiError for a file that holds no record: an empty one, the beginning of one, a web page, an archive ..."""
    remedy = "copy it again from its source, or remove it"
    size = path.stat().st_size
    if size == 0:
        raise KanjiError(f"{path} is empty (0 bytes)", remedy)
    if kind := foreign_kind(path):
        raise KanjiError(f"{path} is not a record file but {kind.name}", remedy)
    if size < RECORD_BYTES:
        raise KanjiError(f"{path} holds no whole record: {size:,} of {RECORD_BYTES:,} bytes", remedy)


def detect_format(path: Path) -> str:
    """The format of a record file by its name: etl9g or etl8g."""
    return "etl8g" if path.name.upper().startswith("ETL8G") else "etl9g"


def _remedy(directory: Path) -> str:
    inside = sorted(path.parent for path in directory.glob("[!.]*/ETL[89]G_*"))  # not one that is being made
    if inside:
        return f"there are ETL files one folder down: --etl-dir {inside[0]}"
    sample = sample_command(directory)
    return f"put files named ETL9G_01 ... ETL9G_50 there, or make a synthetic sample: {sample}"


def open_records(path: Path, format: str = "etl9g") -> np.ndarray:
    """The complete records of a file as a read-only memory-mapped array of `FORMATS[format]`, shape (N,).

    A truncated last record is excluded; `trailing_bytes` counts its bytes. Raises KanjiError for a file that cannot
    be read.
    """
    try:
        count = Path(path).stat().st_size // RECORD_BYTES
        if count == 0:
            return np.empty(0, FORMATS[format])
        return np.memmap(path, FORMATS[format], mode="r", shape=(count,))
    except OSError as error:
        raise unreadable(path, error) from None


def trailing_bytes(path: Path) -> int:
    """The number of bytes of a truncated last record, 0 where there is none."""
    return Path(path).stat().st_size % RECORD_BYTES


def read_contents(path: Path, format: str = "etl9g", synthetic: bool = False) -> Contents:
    """Read every record of a file, without its image: is it accepted, and which class and data set has it?

    `synthetic`: the file is one of `kanji-tui sample`, which may have more characters.
    """
    records = open_records(path, format)
    jis = records["jis"].astype(np.uint16)
    codes = known_codes(format, synthetic)
    known = np.isin(jis, codes)
    positions = np.arange(len(jis)) * RECORD_BYTES + CODE_OFFSET
    rest = trailing_bytes(path)
    damage = None if known.all() and not rest else find_damage(path, positions, known, codes)
    if damage:
        known[damage.first :] = False
    sets = data_sets(jis, known)
    accepted = np.flatnonzero(known)
    quarantined = [
        Quarantined(path.name, number, _reason(int(jis[number]), number, damage))
        for number in np.flatnonzero(~known).tolist()
    ]
    if rest and not damage:
        reason = f"truncated: {rest:,} of {RECORD_BYTES:,} bytes"
        quarantined.append(Quarantined(path.name, len(records), reason))
    classes, first = np.unique(jis[accepted], return_index=True)
    readings = records["reading"][accepted[first]]
    return Contents(
        record=accepted.astype(np.uint32),
        jis=jis[accepted],
        set=sets[accepted],
        readings={int(code): clean_reading(reading) for code, reading in zip(classes, readings, strict=True)},
        quarantined=tuple(quarantined),
        remedy=damage.remedy if damage else "",
    )


def _reason(jis: int, number: int, damage: Damage | None) -> str:
    """Why the record with this number and code is quarantined."""
    return damage.reason if damage and number >= damage.first else f"unknown JIS code {name_jis(jis)}"


def known_codes(format: str, synthetic: bool = False) -> np.ndarray:
    """The JIS codes that a record of this format may have, uint16, ascending; others are quarantined.

    ETL9G: its 3,036 classes, and those of every character set in a `synthetic` file. ETL8G: every hiragana and
    kanji of JIS X 0208, because it has small kana too.
    """
    if format == "etl9g":
        return np.array(sorted(codes_of("all" if synthetic else "etl9g")), dtype=np.uint16)
    rows_and_cells = (row * 256 + cell for row in range(0x21, 0x7F) for cell in range(0x21, 0x7F))
    codes = [code for code in rows_and_cells if script(code) in ("hiragana", "kanji") and jis_to_character(code)]
    return np.array(codes, dtype=np.uint16)


def data_sets(jis: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The data set of each record of a file, uint16, numbered from 0, found from the JIS codes in record order.

    A new data set begins where the code of the first record comes again. Where a known code comes twice within a
    data set, the records are not in class order, and the whole file is one data set.
    """
    if len(jis) == 0:
        return np.empty(0, np.uint16)
    sets = np.cumsum(jis == jis[0]) - 1
    pairs = sets[known] * 65536 + jis[known]
    if len(np.unique(pairs)) < len(pairs) or sets[-1] > np.iinfo(np.uint16).max:
        return np.zeros(len(jis), np.uint16)
    return sets.astype(np.uint16)


def clean_reading(raw: bytes) -> str:
    """The reading field of a record as ASCII text without padding; empty where a record has none."""
    return bytes(raw).decode("ascii", "ignore").replace("\0", " ").strip()
