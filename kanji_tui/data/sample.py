"""Makes synthetic samples: ETL9G files, written by synthetic writers. They are not handwriting.

They serve users who do not have ETL9G, and the tests. What the writers write comes from strokes or from a font.
Record layout, class order, data sets and file names are those of ETL9G. SAMPLE.json marks such a folder and lists
its files; files that it does not list are never replaced.
"""

import shutil
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

import numpy as np

from kanji_tui.allowed import COUNT, DIGEST
from kanji_tui.characters.character_sets import CHARACTER_SETS, codes_of
from kanji_tui.characters.jis import character_to_jis, jis_to_character, script
from kanji_tui.data.defaults import SAMPLE_SOURCES
from kanji_tui.data.etl import ETL9G, RECORD_BYTES, SETS_PER_FILE, pack_levels
from kanji_tui.data.font_writing import font_writing
from kanji_tui.data.results import SyntheticSample
from kanji_tui.data.source import unreadable
from kanji_tui.data.strokes.stroke_writing import stroke_writing
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Report, Throttle, raise_if_stopped
from kanji_tui.system import numbers
from kanji_tui.system.files import replacing, sha256, write_json, writing_failed
from kanji_tui.system.plain_data import read_as
from kanji_tui.system.threads import usable_cores

MARK = "SAMPLE.json"
BUILDING = ".drawing"  # the files are built in this folder
MAX_SETS = 200  # as many as ETL9G has
REQUIRED = ("あ", "田")


class Writing(Protocol):
    """What writes the characters `codes`: synthetic writers by number; `block`: how many characters at a time."""

    @property
    def codes(self) -> tuple[int, ...]: ...

    @property
    def block(self) -> int: ...

    @property
    def name(self) -> str:
        """Where the shapes come from: a font, or KanjiVG and its version."""
        ...

    @property
    def facts(self) -> dict[str, Any]:
        """What SAMPLE.json says about it."""
        ...

    def write(self, writer: int, start: int, end: int) -> np.ndarray:
        """The characters from `start` to `end` of one writer, levels 0-15, uint8 (n, ROWS, COLUMNS)."""
        ...


def generate_sample(
    output_dir: Path,
    classes: int | None,
    sets: int,
    seed: int,
    report: Report,
    source: str = SAMPLE_SOURCES[0],
    characters: str = CHARACTER_SETS[0],
) -> SyntheticSample:
    """Write `classes` characters by `sets` synthetic writers, four writers per file, into `output_dir`.

    `source`: one of SAMPLE_SOURCES. `characters`: the set that they are chosen from; `classes` None: all of it.
    The same arguments and the same version of KanjiVG, or font and FreeType version, give the same bytes. Raises
    UsageError for numbers out of range and for a folder that holds other files, KanjiError without strokes or a
    Japanese font, or with a full disk.
    """
    total_classes = len(codes_of(characters))
    classes = total_classes if classes is None else classes
    if not 2 <= classes <= total_classes:
        raise UsageError(f"a sample cannot have {classes} classes", f"choose --classes from 2 to {total_classes}")
    if not 1 <= sets <= MAX_SETS:
        raise UsageError(f"a sample cannot have {sets} data sets", f"choose --sets from 1 to {MAX_SETS}")
    if not 0 <= seed < 2**32:
        raise UsageError(f"{seed} is not a seed", "choose --seed from 0 to 4294967295")
    output_dir = Path(output_dir)
    old = _previous_files(output_dir)
    start = font_writing if source == "font" else stroke_writing
    writing = start(choose_classes(classes, characters), seed, report)
    _check_disk_space(output_dir, len(writing.codes) * sets * RECORD_BYTES)
    building = output_dir / BUILDING
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        digests = _write_files(building, writing, sets, report)
        for path in old:
            path.unlink()
        write_json(output_dir / MARK, _mark(writing, source, sets, seed, characters, digests))
        for name in digests:
            (building / name).replace(output_dir / name)
    except OSError as error:
        raise writing_failed(output_dir, error) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    count = len(writing.codes)
    paths = tuple(str(output_dir / name) for name in digests)
    font = writing.name if source == "font" else ""
    return SyntheticSample(paths, count * sets, count, sets, seed, font, source, writing.name, characters)


def choose_classes(count: int, characters: str = CHARACTER_SETS[0]) -> tuple[int, ...]:
    """The JIS codes of `count` classes in record order, evenly spread over a character set, with its あ and 田."""
    ordered = sorted(codes_of(characters))
    ranks = np.linspace(0, len(ordered) - 1, count).round().astype(int).tolist()
    required = [ordered.index(code) for each in REQUIRED if (code := character_to_jis(each)) in ordered]
    for rank in required:
        if rank not in ranks:
            nearest = min((r for r in ranks if r not in required), key=lambda r: abs(r - rank))
            ranks[ranks.index(nearest)] = rank
    chosen = {ordered[rank] for rank in ranks}
    return tuple(jis for jis in codes_of(characters) if jis in chosen)


def is_synthetic(directory: Path, paths: list[Path]) -> bool:
    """Whether SAMPLE.json lists the record files; KanjiError for a folder of synthetic and other files."""
    if not (directory / MARK).exists():
        return False
    made = _marked_files(directory)
    # A truncated synthetic file is still synthetic; a longer one came from elsewhere.
    others = [p.name for p in paths if p.name not in made or made[p.name][0] < p.stat().st_size]
    if others:
        raise KanjiError(
            f"{directory} is marked as a synthetic sample, but {others[0]} is not part of it",
            f"move {others[0]} to another folder, or move {MARK} and the files that it lists",
        )
    return True


def _previous_files(directory: Path) -> list[Path]:
    """The files of an earlier sample in the folder, to be replaced; UsageError where it holds other files."""
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is not a folder", "choose another --output-dir")
    try:
        present = [path for path in directory.iterdir() if not _is_ignored(path)] if directory.exists() else []
    except OSError as error:
        raise unreadable(directory, error) from None
    if not present:
        return []
    elsewhere = f"choose an empty folder: kanji-tui sample --output-dir {directory}-sample"
    if not (directory / MARK).exists():
        raise UsageError(
            f"{directory} holds files that `sample` did not make ({present[0].name}); nothing was changed",
            elsewhere,
        )
    made = _marked_files(directory)
    for path in present:
        if path.name != MARK and (path.name not in made or sha256(path) != made[path.name][1]):
            raise UsageError(f"{path} was not made by `sample`; nothing was changed", elsewhere)
    return [path for path in present if path.name != MARK]


@dataclass(frozen=True)
class _MadeFile:
    bytes: Annotated[int, COUNT]
    sha256: Annotated[str, DIGEST]


@dataclass(frozen=True)
class _Mark:
    """What is read of SAMPLE.json."""

    files: dict[str, _MadeFile]


def _marked_files(directory: Path) -> dict[str, tuple[int, str]]:
    """The size and SHA-256 of every file that the folder's SAMPLE.json lists."""
    remedy = f"remove {MARK} and the files of the sample, then run: kanji-tui sample --output-dir {directory}"
    listed = read_as(_Mark, directory / MARK, remedy).files
    return {name: (fact.bytes, fact.sha256) for name, fact in listed.items()}


def _is_ignored(path: Path) -> bool:
    """Whether the file may stay beside a sample: hidden files and a README."""
    return path.name.startswith(".") or path.name.upper().startswith("README")


def _check_disk_space(directory: Path, needed: int) -> None:
    existing = next(folder for folder in (directory, *directory.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise KanjiError(
            f"the disk is too full: {directory} needs {numbers.size(needed)}, {numbers.size(free)} are free",
            "choose fewer --classes or --sets, or free some space",
        )


def _write_files(building: Path, writing: Writing, sets: int, report: Report) -> dict[str, dict[str, int | str]]:
    """Write all record files into `building`; returns name -> {bytes, sha256}."""
    made: dict[str, dict[str, int | str]] = {}
    throttle = Throttle()
    total, done = len(writing.codes) * sets, 0
    with ThreadPoolExecutor(max_workers=usable_cores(), thread_name_prefix="sample") as pool:
        for first in range(0, sets, SETS_PER_FILE):
            name = f"ETL9G_{first // SETS_PER_FILE + 1:02d}"
            writers = range(first, min(first + SETS_PER_FILE, sets))
            records = _records(writing.codes, writers)
            tasks = [pool.submit(_write_block, *block) for block in _blocks(records, writing, writers)]
            try:
                for task in as_completed(tasks):
                    done += task.result()
                    raise_if_stopped(report)
                    if throttle.due() or done == total:
                        report(throttle.progress("sample", done, total, "records", name))
            finally:
                for task in tasks:
                    task.cancel()
            with replacing(building / name) as beside:
                beside.write_bytes(records.view(np.uint8).data)  # numpy's own writing has no error number
            made[name] = {"bytes": records.nbytes, "sha256": sha256(building / name)}
    return made


def _records(codes: tuple[int, ...], writers: range) -> np.ndarray:
    """The records of one file, all fields filled in but the images."""
    records = np.zeros(len(writers) * len(codes), ETL9G)
    records["jis"] = np.tile(np.array(codes), len(writers))
    records["reading"] = np.tile(np.array([_reading(jis) for jis in codes], "S8"), len(writers))
    records["sheet"] = np.repeat(np.array(writers) + 1, len(codes))
    records["serial"] = np.arange(len(records)) + writers[0] * len(codes) + 1
    return records


def _blocks(
    records: np.ndarray, writing: Writing, writers: range
) -> Iterator[tuple[np.ndarray, Writing, int, int, int]]:
    """The arguments of `_write_block` for all images of a file."""
    for position, writer in enumerate(writers):
        for start in range(0, len(writing.codes), writing.block):
            end = min(start + writing.block, len(writing.codes))
            first = position * len(writing.codes)
            yield records["image"][first + start : first + end], writing, writer, start, end


def _write_block(images: np.ndarray, writing: Writing, writer: int, start: int, end: int) -> int:
    images[...] = pack_levels(writing.write(writer, start, end))
    return len(images)


def _reading(jis: int) -> bytes:
    """The reading field, 8 ASCII bytes: the sound of a kana; empty for other characters."""
    kana = script(jis) in ("hiragana", "katakana")
    sound = unicodedata.name(jis_to_character(jis) or " ").split()[-1] if kana else ""
    return sound.ljust(8).encode("ascii")


def _mark(
    writing: Writing, source: str, sets: int, seed: int, characters: str, files: dict[str, dict[str, int | str]]
) -> dict[str, Any]:
    return {
        **writing.facts,
        "made_by": "kanji-tui sample",
        "source": source,
        "seed": seed,
        "characters": characters,
        "classes": len(writing.codes),
        "sets": sets,
        "files": files,
    }
