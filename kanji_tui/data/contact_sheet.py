"""A contact sheet: a page of samples as PNG, one character a row, one writer a column.

Right of them stand, where they were looked for, each row's most unusual samples, and a map of where the ink lies.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.dataset import Dataset
from kanji_tui.data.fonts import find_fonts
from kanji_tui.data.results import ClassOutliers
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import replacing

ROWS, COLUMNS = 20, 16
UNUSUAL = 10  # drawn of each class at most
MAP_SIDE = 160
GAP = 2
MARGIN = 72  # for the row's character and code
HEADER = 34
LETTERS = 13  # pixels
PAPER, GREY, BLACK = 255, 120, 0
HeatMap = tuple[tuple[float, ...], ...]


def draw_contact_sheet(
    dataset: Dataset, path: Path, heat_map: HeatMap = (), unusual: tuple[ClassOutliers, ...] = ()
) -> None:
    """Draw up to 20 classes, evenly spread, of up to 16 data sets, evenly spread, into the PNG file `path`.

    Ink is dark as on paper; a class that a data set lacks stays an empty place. Where no data sets are known the
    columns are samples evenly spread over the class. `heat_map`: mean ink 0-1, drawn darkest at its highest.
    """
    rows = [_samples_of(dataset, label) for label in _spread(len(dataset.classes), ROWS)]
    columns = max(len(samples) for _, samples in rows)
    odd = max((len(known.samples) for known in unusual), default=0)
    odd = min(odd, UNUSUAL)
    cell = dataset.size + GAP
    right = MARGIN + columns * cell
    map_at = right + (GAP * 8 + odd * cell if odd else 0)
    width = map_at + (MAP_SIDE + 24 if heat_map else 0)
    height = HEADER + max(len(rows) * cell, MAP_SIDE if heat_map else 0)
    sheet = Image.new("L", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    small = ImageFont.load_default(LETTERS)
    title = f"{dataset.name}: {dataset.source}, {len(dataset):,} samples, {len(dataset.classes):,} classes"
    pen.text((4, 2), title, fill=BLACK, font=small)
    column = "one data set a column" if dataset.writers_known else "writers unknown"
    pen.text((4, 17), f"digest {dataset.digest[:12]}, {column}", fill=GREY, font=small)
    if odd:
        pen.text((right + GAP * 8, 17), "most unusual", fill=GREY, font=small)
    japanese = _japanese_letters(min(40, dataset.size - 8))
    for row, (label, samples) in enumerate(rows):
        top = HEADER + row * cell
        jis = dataset.classes[label]
        pen.text((4, top + dataset.size // 2 - 7), name_jis(jis), fill=GREY, font=small)
        if japanese is not None:
            pen.text((MARGIN - 16, top + dataset.size / 2), _name(jis), fill=BLACK, font=japanese, anchor="mm")
        places = [(MARGIN + number * cell, sample) for number, sample in enumerate(samples) if sample is not None]
        if odd:
            far = unusual[label].samples[:odd]
            places += [(right + GAP * 8 + number * cell, known.sample) for number, known in enumerate(far)]
        pictures = 255 - dataset.images([sample for _, sample in places])
        for (left, _), picture in zip(places, pictures, strict=True):
            sheet.paste(Image.fromarray(picture), (left, top))
    if heat_map:
        pen.text((map_at + 12, 17), "where the ink lies", fill=GREY, font=small)
        sheet.paste(_heat_picture(heat_map), (map_at + 12, HEADER))
    encoded = BytesIO()
    sheet.save(encoded, format="PNG")
    with replacing(path) as beside:
        beside.write_bytes(encoded.getvalue())


def _samples_of(dataset: Dataset, label: int) -> tuple[int, list[int | None]]:
    """A class and the samples of its row: one of each column's data set, None where that has none."""
    of_class = np.flatnonzero(dataset.labels == label)
    if not dataset.writers_known:
        return label, [int(of_class[place]) for place in _spread(len(of_class), COLUMNS)]
    writers = dataset.writers()
    chosen = _spread(int(writers.max()) + 1, COLUMNS)
    found = {int(writers[sample]): int(sample) for sample in of_class[::-1]}
    return label, [found.get(writer) for writer in chosen]


def _heat_picture(heat_map: HeatMap) -> Image.Image:
    values = np.array(heat_map)
    dark = 255 - 255 * values / max(values.max(), 1e-6)
    return Image.fromarray(dark.round().astype(np.uint8)).resize((MAP_SIDE, MAP_SIDE), Image.Resampling.NEAREST)


def _spread(count: int, most: int) -> list[int]:
    """Up to `most` numbers below `count`, evenly spread, first and last among them."""
    return sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))


def _japanese_letters(pixels: int) -> ImageFont.FreeTypeFont | None:
    """A font for the characters themselves; without one the JIS codes must do."""
    try:
        return ImageFont.truetype(str(find_fonts()[0].path), min(28, pixels))
    except (KanjiError, OSError):
        return None


def _name(jis: int) -> str:
    return character_of(jis)
