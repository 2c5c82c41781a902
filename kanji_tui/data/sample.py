"""Drawn samples: byte-exact ETL9G files of a font's glyphs in many invented hands. They are not handwriting.

For whoever has no ETL9G yet, and for tests. Layout, class order, data sets and file names are the real ones; a
folder made here says so in SAMPLE.json, and nothing that this module did not write is ever replaced.
"""

import shutil
import time
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.characters.classes import etl9g_classes, global_ranks, record_order
from kanji_tui.characters.jis import character_to_jis, jis_to_character, name_jis, script
from kanji_tui.data.etl import ETL9G, RECORD_BYTES, SETS_A_FILE
from kanji_tui.data.fonts import Font, find_fonts
from kanji_tui.data.results import SyntheticSample
from kanji_tui.data.source import unreadable
from kanji_tui.data.synthetic_writers import Hand, invent_hand, pack, soften, write
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.system.files import read_json, replacing, sha256, write_json, writing_failed
from kanji_tui.system.threads import usable_cores

MARK = "SAMPLE.json"
DRAWING = ".drawing"
MOST_SETS = 200  # as many as ETL9G has
BLOCK = 16  # characters written at a time
REPORT_SECONDS = 0.25
ALWAYS_IN = ("あ", "田")


def draw_sample(output_dir: Path, classes: int, sets: int, seed: int, report: Report) -> SyntheticSample:
    """Draw `classes` characters in `sets` hands, four hands a file, into `output_dir`.

    The same arguments, font and FreeType give the same bytes. Raises UsageError for numbers out of range and for a
    folder that holds anything not drawn here, KanjiError without a Japanese font or with a full disk.
    """
    total_classes = len(etl9g_classes())
    if not 2 <= classes <= total_classes:
        raise UsageError(f"{classes} classes cannot be drawn", f"choose --classes from 2 to {total_classes}")
    if not 1 <= sets <= MOST_SETS:
        raise UsageError(f"{sets} data sets cannot be drawn", f"choose --sets from 1 to {MOST_SETS}")
    if not 0 <= seed < 2**32:
        raise UsageError(f"{seed} is no seed", "choose --seed from 0 to 4294967295")
    output_dir = Path(output_dir)
    old = _own_files(output_dir)
    codes, glyphs, fonts = _glyphs(choose_classes(classes), report)
    _check_room(output_dir, len(codes) * sets * RECORD_BYTES)
    drawing = output_dir / DRAWING
    try:
        shutil.rmtree(drawing, ignore_errors=True)
        drawing.mkdir(parents=True)
        digests = _draw_files(drawing, codes, glyphs, sets, seed, report)
        for path in old:
            path.unlink()
        write_json(output_dir / MARK, _mark(codes, sets, seed, fonts, digests))
        for name in digests:
            (drawing / name).replace(output_dir / name)
    except OSError as error:
        raise writing_failed(output_dir, error) from error
    finally:
        shutil.rmtree(drawing, ignore_errors=True)
    paths = tuple(str(output_dir / name) for name in digests)
    return SyntheticSample(
        paths, len(codes) * sets, len(codes), sets, seed, max(fonts, key=lambda name: fonts[name])
    )


def choose_classes(count: int) -> tuple[int, ...]:
    """The JIS codes of `count` classes, evenly spread over all of them, あ and 田 among them, in record order."""
    ranks = np.linspace(0, len(etl9g_classes()) - 1, count).round().astype(int).tolist()
    always = [global_ranks()[character_to_jis(character) or 0] for character in ALWAYS_IN]
    for rank in always:
        if rank not in ranks:
            nearest = min((r for r in ranks if r not in always), key=lambda r: abs(r - rank))
            ranks[ranks.index(nearest)] = rank
    chosen = {etl9g_classes()[rank].jis for rank in ranks}
    return tuple(jis for jis in record_order() if jis in chosen)


def is_drawn(directory: Path, paths: list[Path]) -> bool:
    """Whether the record files were drawn here; KanjiError where drawn and other files stand side by side."""
    if not (directory / MARK).exists():
        return False
    made = _marked_files(directory)
    # A drawn file that was cut short is still a drawn one; a longer one came from elsewhere.
    others = [p.name for p in paths if p.name not in made or made[p.name][0] < p.stat().st_size]
    if others:
        raise KanjiError(
            f"{directory} is marked as a drawn sample, but {others[0]} was not drawn",
            f"keep drawn and real files apart: move one kind away, and {MARK} with the drawn ones",
        )
    return True


def _own_files(directory: Path) -> list[Path]:
    """The files of an earlier sample in the folder, to be replaced; UsageError where anything else is in it."""
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is not a folder", "choose another --output-dir")
    try:
        present = [path for path in directory.iterdir() if _matters(path)] if directory.exists() else []
    except OSError as error:
        raise unreadable(directory, error) from None
    if not present:
        return []
    elsewhere = f"choose an empty folder: kanji-tui sample --output-dir {directory}-sample"
    if not (directory / MARK).exists():
        raise UsageError(
            f"{directory} holds files that no sample made ({present[0].name}); it is left alone", elsewhere
        )
    made = _marked_files(directory)
    for path in present:
        if path.name != MARK and (path.name not in made or sha256(path) != made[path.name][1]):
            raise UsageError(f"{path} was not made by a sample; the folder is left alone", elsewhere)
    return [path for path in present if path.name != MARK]


def _marked_files(directory: Path) -> dict[str, tuple[int, str]]:
    """The size and SHA-256 of every file that the folder's SAMPLE.json lists."""
    try:
        listed = read_json(directory / MARK)["files"]
        return {name: (int(fact["bytes"]), str(fact["sha256"])) for name, fact in listed.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise KanjiError(
            f"{directory / MARK} is damaged: it does not list the drawn files",
            f"remove {MARK} and the drawn files, then draw again: kanji-tui sample --output-dir {directory}",
        ) from None


def _matters(path: Path) -> bool:
    """Hidden files and a README are no one's records."""
    return not path.name.startswith(".") and not path.name.upper().startswith("README")


def _glyphs(codes: tuple[int, ...], report: Report) -> tuple[tuple[int, ...], np.ndarray, dict[str, int]]:
    """The codes that some font has, their softened glyphs (N, CANVAS, CANVAS), and how many each font gave."""
    fonts = find_fonts()
    kept, glyphs, used, missing = [], [], dict.fromkeys((font.name for font in fonts), 0), []
    for number, jis in enumerate(codes):
        if number % 100 == 0:
            raise_if_stopped(report)
            report(Progress("glyphs", number, len(codes), "characters"))
        font, glyph = _first_with(fonts, jis_to_character(jis) or "")
        if font is None or glyph is None:
            missing.append(jis_to_character(jis) or name_jis(jis))
            continue
        used[font.name] += 1
        kept.append(jis)
        glyphs.append(soften(glyph))
    if missing:
        report(Notice(f"no font here has {len(missing)} of the characters, they are left out: {''.join(missing)}"))
    return tuple(kept), np.stack(glyphs), {name: count for name, count in used.items() if count}


def _first_with(fonts: tuple[Font, ...], character: str) -> tuple[Font | None, np.ndarray | None]:
    for font in fonts:
        if (glyph := font.glyph(character)) is not None:
            return font, glyph
    return None, None


def _check_room(directory: Path, need: int) -> None:
    existing = next(folder for folder in (directory, *directory.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < need:
        raise KanjiError(
            f"the disk is too full: {directory} needs {need / 1e9:.2f} GB, {free / 1e9:.2f} GB are free",
            "choose fewer --classes or --sets, or free some space",
        )


def _draw_files(
    drawing: Path, codes: tuple[int, ...], glyphs: np.ndarray, sets: int, seed: int, report: Report
) -> dict[str, dict[str, int | str]]:
    """Draw all files into `drawing`; returns name -> {bytes, sha256}."""
    made: dict[str, dict[str, int | str]] = {}
    began = told = time.monotonic()
    total, done = len(codes) * sets, 0
    with ThreadPoolExecutor(max_workers=usable_cores(), thread_name_prefix="sample") as pool:
        for first in range(0, sets, SETS_A_FILE):
            name = f"ETL9G_{first // SETS_A_FILE + 1:02d}"
            numbers = range(first, min(first + SETS_A_FILE, sets))
            records = np.zeros(len(numbers) * len(codes), ETL9G)
            tasks = [pool.submit(_write_block, *block) for block in _blocks(records, codes, glyphs, numbers, seed)]
            try:
                for task in as_completed(tasks):
                    done += task.result()
                    raise_if_stopped(report)
                    if time.monotonic() - told > REPORT_SECONDS or done == total:
                        told = time.monotonic()
                        rate = done / (told - began)
                        report(Progress("sample", done, total, "records", name, rate, (total - done) / rate))
            finally:
                for task in tasks:
                    task.cancel()
            with replacing(drawing / name) as beside:
                records.tofile(beside)
            made[name] = {"bytes": records.nbytes, "sha256": sha256(drawing / name)}
    return made


def _blocks(
    records: np.ndarray, codes: tuple[int, ...], glyphs: np.ndarray, hands: range, seed: int
) -> Iterator[tuple[np.ndarray, Hand, np.ndarray, list[list[int]]]]:
    """Fill in all of a file's records but the pictures; yield what `_write_block` needs for these."""
    records["jis"] = np.tile(np.array(codes), len(hands))
    records["reading"] = np.tile(np.array([_reading(jis) for jis in codes], "S8"), len(hands))
    records["sheet"] = np.repeat(np.array(hands) + 1, len(codes))
    records["serial"] = np.arange(len(records)) + hands[0] * len(codes) + 1
    for place, number in enumerate(hands):
        hand = invent_hand(seed, number)
        for start in range(0, len(codes), BLOCK):
            some = codes[start : start + BLOCK]
            first = place * len(codes) + start
            seeds = [[seed, number, jis] for jis in some]
            yield records["picture"][first : first + len(some)], hand, glyphs[start : start + len(some)], seeds


def _write_block(pictures: np.ndarray, hand: Hand, glyphs: np.ndarray, seeds: list[list[int]]) -> int:
    pictures[...] = pack(write(hand, glyphs, seeds))
    return len(pictures)


def _reading(jis: int) -> bytes:
    """The reading field, 8 ASCII bytes: a hiragana's own sound; of kanji a font tells none."""
    sound = unicodedata.name(jis_to_character(jis) or " ").split()[-1] if script(jis) == "hiragana" else ""
    return sound.ljust(8).encode("ascii")


def _mark(
    codes: tuple[int, ...], sets: int, seed: int, fonts: dict[str, int], files: dict[str, dict[str, int | str]]
) -> dict[str, Any]:
    return {
        "what": f"drawn samples from the font {', '.join(fonts)}, not handwriting",
        "made_by": "kanji-tui sample",
        "seed": seed,
        "classes": len(codes),
        "sets": sets,
        "glyphs_by_font": fonts,
        "files": files,
    }
