"""Makes synthetic samples: ETL9G files of font glyphs, varied by synthetic writers. They are not handwriting.

They serve users who do not have ETL9G, and the tests. Record layout, class order, data sets and file names are
those of ETL9G. SAMPLE.json marks such a folder and lists its files; files that it does not list are never replaced.
"""

import shutil
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.characters.classes import etl9g_classes, global_ranks, record_order
from kanji_tui.characters.jis import character_to_jis, jis_to_character, name_jis, script
from kanji_tui.data.etl import ETL9G, RECORD_BYTES, SETS_PER_FILE
from kanji_tui.data.fonts import Font, find_fonts
from kanji_tui.data.results import SyntheticSample
from kanji_tui.data.source import unreadable
from kanji_tui.data.synthetic_writers import SyntheticWriter, blur, make_writer, pack, write_glyphs
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Progress, Report, Throttle, raise_if_stopped
from kanji_tui.system import numbers
from kanji_tui.system.files import read_json, replacing, sha256, write_json, writing_failed
from kanji_tui.system.threads import usable_cores

MARK = "SAMPLE.json"
BUILDING = ".drawing"  # the files are built in this folder
MAX_SETS = 200  # as many as ETL9G has
BLOCK = 16  # characters written at a time
REQUIRED = ("あ", "田")


def generate_sample(output_dir: Path, classes: int, sets: int, seed: int, report: Report) -> SyntheticSample:
    """Write `classes` characters by `sets` synthetic writers, four writers per file, into `output_dir`.

    The same arguments, font and FreeType version give the same bytes. Raises UsageError for numbers out of range
    and for a folder that holds other files, KanjiError without a Japanese font or with a full disk.
    """
    total_classes = len(etl9g_classes())
    if not 2 <= classes <= total_classes:
        raise UsageError(f"a sample cannot have {classes} classes", f"choose --classes from 2 to {total_classes}")
    if not 1 <= sets <= MAX_SETS:
        raise UsageError(f"a sample cannot have {sets} data sets", f"choose --sets from 1 to {MAX_SETS}")
    if not 0 <= seed < 2**32:
        raise UsageError(f"{seed} is not a seed", "choose --seed from 0 to 4294967295")
    output_dir = Path(output_dir)
    old = _previous_files(output_dir)
    codes, glyphs, fonts = _glyphs(choose_classes(classes), report)
    _check_disk_space(output_dir, len(codes) * sets * RECORD_BYTES)
    building = output_dir / BUILDING
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        digests = _write_files(building, codes, glyphs, sets, seed, report)
        for path in old:
            path.unlink()
        write_json(output_dir / MARK, _mark(codes, sets, seed, fonts, digests))
        for name in digests:
            (building / name).replace(output_dir / name)
    except OSError as error:
        raise writing_failed(output_dir, error) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    paths = tuple(str(output_dir / name) for name in digests)
    return SyntheticSample(
        paths, len(codes) * sets, len(codes), sets, seed, max(fonts, key=lambda name: fonts[name])
    )


def choose_classes(count: int) -> tuple[int, ...]:
    """The JIS codes of `count` classes in record order, evenly spread over all of them, always with あ and 田."""
    ranks = np.linspace(0, len(etl9g_classes()) - 1, count).round().astype(int).tolist()
    required = [global_ranks()[character_to_jis(character) or 0] for character in REQUIRED]
    for rank in required:
        if rank not in ranks:
            nearest = min((r for r in ranks if r not in required), key=lambda r: abs(r - rank))
            ranks[ranks.index(nearest)] = rank
    chosen = {etl9g_classes()[rank].jis for rank in ranks}
    return tuple(jis for jis in record_order() if jis in chosen)


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


def _marked_files(directory: Path) -> dict[str, tuple[int, str]]:
    """The size and SHA-256 of every file that the folder's SAMPLE.json lists."""
    try:
        listed = read_json(directory / MARK)["files"]
        return {name: (int(fact["bytes"]), str(fact["sha256"])) for name, fact in listed.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise KanjiError(
            f"{directory / MARK} is damaged: it does not list the synthetic files",
            f"remove {MARK} and the files of the sample, then run: kanji-tui sample --output-dir {directory}",
        ) from None


def _is_ignored(path: Path) -> bool:
    """Whether the file may stay beside a sample: hidden files and a README."""
    return path.name.startswith(".") or path.name.upper().startswith("README")


def _glyphs(codes: tuple[int, ...], report: Report) -> tuple[tuple[int, ...], np.ndarray, dict[str, int]]:
    """The codes that some font has, their blurred glyphs (N, CANVAS, CANVAS), and the number of glyphs by font."""
    fonts = find_fonts()
    present, glyphs, used, missing = [], [], dict.fromkeys((font.name for font in fonts), 0), []
    for number, jis in enumerate(codes):
        if number % 100 == 0:
            raise_if_stopped(report)
            report(Progress("glyphs", number, len(codes), "characters"))
        font, glyph = _first_with(fonts, jis_to_character(jis) or "")
        if font is None or glyph is None:
            missing.append(jis_to_character(jis) or name_jis(jis))
            continue
        used[font.name] += 1
        present.append(jis)
        glyphs.append(blur(glyph))
    if missing:
        report(Notice(f"{len(missing)} characters are missing, no font has them: {''.join(missing)}"))
    return tuple(present), np.stack(glyphs), {name: count for name, count in used.items() if count}


def _first_with(fonts: tuple[Font, ...], character: str) -> tuple[Font | None, np.ndarray | None]:
    for font in fonts:
        if (glyph := font.glyph(character)) is not None:
            return font, glyph
    return None, None


def _check_disk_space(directory: Path, needed: int) -> None:
    existing = next(folder for folder in (directory, *directory.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise KanjiError(
            f"the disk is too full: {directory} needs {numbers.size(needed)}, {numbers.size(free)} are free",
            "choose fewer --classes or --sets, or free some space",
        )


def _write_files(
    building: Path, codes: tuple[int, ...], glyphs: np.ndarray, sets: int, seed: int, report: Report
) -> dict[str, dict[str, int | str]]:
    """Write all record files into `building`; returns name -> {bytes, sha256}."""
    made: dict[str, dict[str, int | str]] = {}
    throttle = Throttle()
    total, done = len(codes) * sets, 0
    with ThreadPoolExecutor(max_workers=usable_cores(), thread_name_prefix="sample") as pool:
        for first in range(0, sets, SETS_PER_FILE):
            name = f"ETL9G_{first // SETS_PER_FILE + 1:02d}"
            writers = range(first, min(first + SETS_PER_FILE, sets))
            records = np.zeros(len(writers) * len(codes), ETL9G)
            tasks = [pool.submit(_write_block, *block) for block in _blocks(records, codes, glyphs, writers, seed)]
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
                records.tofile(beside)
            made[name] = {"bytes": records.nbytes, "sha256": sha256(building / name)}
    return made


def _blocks(
    records: np.ndarray, codes: tuple[int, ...], glyphs: np.ndarray, writers: range, seed: int
) -> Iterator[tuple[np.ndarray, SyntheticWriter, np.ndarray, list[list[int]]]]:
    """Fill in all fields of a file's records but the images; yield the arguments of `_write_block` for these."""
    records["jis"] = np.tile(np.array(codes), len(writers))
    records["reading"] = np.tile(np.array([_reading(jis) for jis in codes], "S8"), len(writers))
    records["sheet"] = np.repeat(np.array(writers) + 1, len(codes))
    records["serial"] = np.arange(len(records)) + writers[0] * len(codes) + 1
    for position, number in enumerate(writers):
        writer = make_writer(seed, number)
        for start in range(0, len(codes), BLOCK):
            some = codes[start : start + BLOCK]
            first = position * len(codes) + start
            seeds = [[seed, number, jis] for jis in some]
            yield records["image"][first : first + len(some)], writer, glyphs[start : start + len(some)], seeds


def _write_block(images: np.ndarray, writer: SyntheticWriter, glyphs: np.ndarray, seeds: list[list[int]]) -> int:
    images[...] = pack(write_glyphs(writer, glyphs, seeds))
    return len(images)


def _reading(jis: int) -> bytes:
    """The reading field, 8 ASCII bytes: the sound of a hiragana; empty for a kanji."""
    sound = unicodedata.name(jis_to_character(jis) or " ").split()[-1] if script(jis) == "hiragana" else ""
    return sound.ljust(8).encode("ascii")


def _mark(
    codes: tuple[int, ...], sets: int, seed: int, fonts: dict[str, int], files: dict[str, dict[str, int | str]]
) -> dict[str, Any]:
    return {
        "what": f"synthetic samples from the font {', '.join(fonts)}, not handwriting",
        "made_by": "kanji-tui sample",
        "seed": seed,
        "classes": len(codes),
        "sets": sets,
        "glyphs_by_font": fonts,
        "files": files,
    }
