"""Record files in ETL9G's layout, made without a font: each class has strokes of its own."""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from gpu_parts import Bench
from kanji_tui.characters.classes import record_order
from kanji_tui.data.etl import COLUMNS, ETL9G, ROWS, SETS_PER_FILE
from kanji_tui.data.preparation import prepare
from kanji_tui.events import SilentReport


def small_dataset(bench: Bench) -> Path:
    """A prepared dataset that a network learns in seconds: 100 classes by 32 writers, 64 pixels. Made once."""
    if "small" not in bench.kept:
        records, dataset = bench.folder / "small" / "ETL9G", bench.folder / "small" / "dataset"
        classes, files, size = (12, 4, 32) if bench.tiny else (100, 8, 64)
        for number in range(files):
            write_records(records / f"ETL9G_{number + 1:02d}", classes, number)
        made = prepare(records, dataset, size, None, None, SilentReport())
        bench.say(f"made {made.records:,} records of {made.classes} classes, {made.sets} writers")
        bench.kept["small"] = dataset
    found: Path = bench.kept["small"]
    return found


def full_records(bench: Bench) -> tuple[Path, int]:
    """A folder with ETL9G's 50 files of full size, two that are made and copies of them with another serial number
    in the first record, as a file that repeats another is refused; and how many there are.

    Fewer where the disk has no room for them and what is prepared from them.
    """
    folder = bench.folder / "full" / "ETL9G"
    classes, files = (12, 2) if bench.tiny else (3036, 50)
    for number in (1, 2):
        write_records(folder / f"ETL9G_{number:02d}", classes, number)
    size = (folder / "ETL9G_01").stat().st_size
    files = min(files, 2 + int(0.5 * shutil.disk_usage(folder).free / size))
    for number in range(3, files + 1):
        copied = folder / f"ETL9G_{number:02d}"
        shutil.copyfile(folder / f"ETL9G_{1 + number % 2:02d}", copied)
        np.memmap(copied, ETL9G, mode="r+")["serial"][0] = 1_000_000 + number
    return folder, files


def write_records(path: Path, classes: int, seed: int) -> None:
    """A file of four data sets, each a record of the first `classes` characters in ETL9G's order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    records = np.zeros(SETS_PER_FILE * classes, ETL9G)
    records["jis"] = np.tile(record_order()[:classes], SETS_PER_FILE)
    records["serial"] = np.arange(len(records))
    random = np.random.default_rng(1_000_000 + seed)
    for number in range(len(records)):
        levels = np.asarray(draw(number % classes, random)) >> 4
        records["image"][number] = levels[:, 0::2] << 4 | levels[:, 1::2]
    records.tofile(path)


def draw(character: int, random: np.random.Generator) -> Image.Image:
    """One way of writing a made character, (127, 128), grey, ink high."""
    own = np.random.default_rng(character)
    strokes = own.uniform(20, 108, (own.integers(4, 9), 2, 2))
    strokes = strokes + random.normal(0, 2.5, strokes.shape) + random.normal(0, 3.0, 2)
    picture = Image.new("L", (COLUMNS, ROWS))
    pen = ImageDraw.Draw(picture)
    ink, width = int(random.integers(150, 256)), int(random.integers(4, 9))
    for begin, end in strokes:
        pen.line([*begin, *end], fill=ink, width=width)
    return picture
