"""A contact sheet: a page of samples as PNG, one character a row, one writer a column."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kanji_tui.characters.jis import jis_to_character, name_jis
from kanji_tui.data.dataset import Dataset
from kanji_tui.data.fonts import find_fonts
from kanji_tui.errors import KanjiError
from kanji_tui.system.files import replacing

ROWS, COLUMNS = 20, 16
GAP = 2
MARGIN = 72  # for the row's character and code
HEADER = 34
LETTERS = 13  # pixels
PAPER, GREY, BLACK = 255, 120, 0


def draw_contact_sheet(dataset: Dataset, path: Path) -> None:
    """Draw up to 20 classes, evenly spread, of up to 16 data sets, evenly spread, into the PNG file `path`.

    Ink is dark as on paper; a class that a data set lacks stays an empty place.
    """
    rows = _spread(len(dataset.classes), ROWS)
    writers = dataset.writers()
    columns = _spread(int(writers.max()) + 1, COLUMNS)
    cell = dataset.size + GAP
    sheet = Image.new("L", (MARGIN + len(columns) * cell, HEADER + len(rows) * cell), PAPER)
    pen = ImageDraw.Draw(sheet)
    small = ImageFont.load_default(LETTERS)
    title = f"{dataset.name}: {dataset.source}, {len(dataset):,} samples, {len(dataset.classes):,} classes"
    pen.text((4, 2), title, fill=BLACK, font=small)
    pen.text((4, 17), f"digest {dataset.digest[:12]}, one data set a column", fill=GREY, font=small)
    japanese = _japanese_letters(min(40, dataset.size - 8))
    for row, label in enumerate(rows):
        top = HEADER + row * cell
        jis = dataset.classes[label]
        pen.text((4, top + dataset.size // 2 - 7), name_jis(jis), fill=GREY, font=small)
        if japanese is not None:
            pen.text((MARGIN - 16, top + dataset.size / 2), _name(jis), fill=BLACK, font=japanese, anchor="mm")
        of_class = np.flatnonzero(dataset.labels == label)
        for column, writer in enumerate(columns):
            chosen = of_class[writers[of_class] == writer]
            if len(chosen):
                picture = 255 - dataset.images(chosen[:1])[0]
                sheet.paste(Image.fromarray(picture), (MARGIN + column * cell, top))
    encoded = BytesIO()
    sheet.save(encoded, format="PNG")
    with replacing(path) as beside:
        beside.write_bytes(encoded.getvalue())


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
    return jis_to_character(jis) or "?"
