"""Draws a contact sheet: a PNG of samples with one class per row and one writer per column.

To the right follow, where asked for, the outliers of each row's class and the mean image of the dataset.
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.dataset import Dataset
from kanji_tui.data.defaults import describe_source
from kanji_tui.data.fonts import find_fonts
from kanji_tui.data.results import ClassOutliers
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import replacing

MAX_ROWS, MAX_COLUMNS = 20, 16
MAX_OUTLIERS = 10  # of each class
MAP_SIDE = 160
GAP = 2
MARGIN = 72  # for the row's character and code
HEADER = 34
TEXT_SIZE = 13  # pixels
PAPER, GREY, BLACK = 255, 120, 0
HeatMap = tuple[tuple[float, ...], ...]


def draw_contact_sheet(
    dataset: Dataset, path: Path, heat_map: HeatMap = (), outliers: tuple[ClassOutliers, ...] = ()
) -> None:
    """Draw up to 20 evenly spread classes of up to 16 evenly spread writers into the PNG file `path`.

    Ink is dark. A cell is empty where the writer has no sample of the class. Where writers are unknown, the columns
    are evenly spread samples of the class. `heat_map`: mean ink, 0-1, drawn black at its maximum.
    """
    rows = [_samples_of(dataset, label) for label in _spread(len(dataset.classes), MAX_ROWS)]
    columns = max(len(samples) for _, samples in rows)
    outlier_columns = min(max((len(each.samples) for each in outliers), default=0), MAX_OUTLIERS)
    cell = dataset.size + GAP
    right = MARGIN + columns * cell
    map_at = right + (GAP * 8 + outlier_columns * cell if outlier_columns else 0)
    width = map_at + (MAP_SIDE + 24 if heat_map else 0)
    height = HEADER + max(len(rows) * cell, MAP_SIDE if heat_map else 0)
    sheet = Image.new("L", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    small = ImageFont.load_default(TEXT_SIZE)
    source = describe_source(dataset.source)
    title = f"{dataset.name}: {source}, {len(dataset):,} samples, {len(dataset.classes):,} classes"
    pen.text((4, 2), title, fill=BLACK, font=small)
    column = "one writer per column" if dataset.writers_known else "writers unknown"
    pen.text((4, 17), f"digest {dataset.digest[:12]}, {column}", fill=GREY, font=small)
    if outlier_columns:
        pen.text((right + GAP * 8, 17), "outliers", fill=GREY, font=small)
    japanese = _japanese_font(min(40, dataset.size - 8))
    for row, (label, samples) in enumerate(rows):
        top = HEADER + row * cell
        jis = dataset.classes[label]
        pen.text((4, top + dataset.size // 2 - 7), name_jis(jis), fill=GREY, font=small)
        if japanese is not None:
            character = character_of(jis)
            pen.text((MARGIN - 16, top + dataset.size / 2), character, fill=BLACK, font=japanese, anchor="mm")
        cells = [(MARGIN + number * cell, sample) for number, sample in enumerate(samples) if sample is not None]
        if outlier_columns:
            furthest = outliers[label].samples[:outlier_columns]
            cells += [(right + GAP * 8 + number * cell, each.sample) for number, each in enumerate(furthest)]
        images = 255 - dataset.images([sample for _, sample in cells])
        for (left, _), image in zip(cells, images, strict=True):
            sheet.paste(Image.fromarray(image), (left, top))
    if heat_map:
        pen.text((map_at + 12, 17), "mean image", fill=GREY, font=small)
        sheet.paste(_draw_heat_map(heat_map), (map_at + 12, HEADER))
    encoded = BytesIO()
    sheet.save(encoded, format="PNG")
    with replacing(path) as beside:
        beside.write_bytes(encoded.getvalue())


def _samples_of(dataset: Dataset, label: int) -> tuple[int, list[int | None]]:
    """A class and the samples of its row: one for each column's writer, None where the writer has none."""
    of_class = np.flatnonzero(dataset.labels == label)
    if not dataset.writers_known:
        return label, [int(of_class[index]) for index in _spread(len(of_class), MAX_COLUMNS)]
    writers = dataset.writers()
    chosen = _spread(int(writers.max()) + 1, MAX_COLUMNS)
    found = {int(writers[sample]): int(sample) for sample in of_class[::-1]}
    return label, [found.get(writer) for writer in chosen]


def _draw_heat_map(heat_map: HeatMap) -> Image.Image:
    values = np.array(heat_map)
    dark = 255 - 255 * values / max(values.max(), 1e-6)
    return Image.fromarray(dark.round().astype(np.uint8)).resize((MAP_SIDE, MAP_SIDE), Image.Resampling.NEAREST)


def _spread(count: int, most: int) -> list[int]:
    """Up to `most` evenly spread numbers below `count`, with the first and the last."""
    return sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))


def _japanese_font(pixels: int) -> ImageFont.FreeTypeFont | None:
    """A font for the characters; None where there is no Japanese font, and the sheet shows JIS codes alone."""
    try:
        return ImageFont.truetype(str(find_fonts()[0].path), min(28, pixels))
    except (KanjiError, OSError):
        return None
