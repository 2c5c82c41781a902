"""A terminal screen as an image, cell by cell: letters with fonts, blocks and braille dots as rectangles.

Fonts: DejaVu Sans Mono from the package matplotlib, IPAexGothic from matplotlib-fontja; neither is imported.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, POINTS = 9, 18, 15  # of a cell in pixels; of the letters
FOREGROUND, BACKGROUND = "d8dbe2", "14161b"  # of the theme ink
NAMED = {
    "black": "14161b", "red": "e5706b", "green": "93c08a", "brown": "dcb870",
    "blue": "7ea6d9", "magenta": "e8836b", "cyan": "7ea6d9", "white": "d8dbe2",
}  # fmt: skip
EIGHTHS_UP = {chr(0x2580 + n): n / 8 for n in range(1, 9)}  # ▁ to █, from the bottom
EIGHTHS_LEFT = {chr(0x2588 + n): (8 - n) / 8 for n in range(8)}  # █ to ▏, from the left
SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}


def draw(screen: pyte.Screen) -> Image.Image:
    """The screen as an RGB image of 9 by 18 pixels per cell."""
    image = Image.new("RGB", (screen.columns * WIDTH, screen.lines * HEIGHT), f"#{BACKGROUND}")
    pen = ImageDraw.Draw(image)
    for row in range(screen.lines):
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            if cell.data:  # the second half of a wide character is empty
                _cell(pen, cell, column * WIDTH, row * HEIGHT)
    return image


def _cell(pen: ImageDraw.ImageDraw, cell: pyte.screens.Char, x: int, y: int) -> None:
    front, back = _colour(cell.fg, FOREGROUND), _colour(cell.bg, BACKGROUND)
    if cell.reverse:
        front, back = back, front
    wide = _is_wide(cell.data)
    width = 2 * WIDTH if wide else WIDTH
    pen.rectangle((x, y, x + width - 1, y + HEIGHT - 1), fill=back)
    code = ord(cell.data[0])
    if 0x2800 <= code < 0x2900:
        _braille(pen, code - 0x2800, x, y, front)
    elif cell.data == "▀":
        pen.rectangle((x, y, x + WIDTH - 1, y + HEIGHT // 2 - 1), fill=front)
    elif cell.data in EIGHTHS_UP:
        top = y + round(HEIGHT * (1 - EIGHTHS_UP[cell.data]))
        pen.rectangle((x, top, x + WIDTH - 1, y + HEIGHT - 1), fill=front)
    elif cell.data in EIGHTHS_LEFT:
        pen.rectangle((x, y, x + max(1, round(WIDTH * EIGHTHS_LEFT[cell.data])) - 1, y + HEIGHT - 1), fill=front)
    elif cell.data in SHADES:
        pen.rectangle((x, y, x + WIDTH - 1, y + HEIGHT - 1), fill=_between(back, front, SHADES[cell.data]))
    elif cell.data != " ":
        pen.text((x, y + HEIGHT - 4), cell.data, font=_font(wide, cell.bold), fill=front, anchor="ls")
    if cell.underscore:
        pen.line((x, y + HEIGHT - 2, x + width - 1, y + HEIGHT - 2), fill=front)


def _braille(pen: ImageDraw.ImageDraw, bits: int, x: int, y: int, colour: str) -> None:
    """The dots in Unicode's order: 1-3 and 7 down the left side, 4-6 and 8 down the right."""
    dots = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
    for bit, (across, down) in enumerate(dots):
        if bits >> bit & 1:
            left, top = x + round((across + 0.25) * WIDTH / 2), y + round((down + 0.25) * HEIGHT / 4)
            pen.rectangle((left, top, left + 2, top + 2), fill=colour)


def _colour(name: str, otherwise: str) -> str:
    if name == "default":
        return f"#{otherwise}"
    return f"#{NAMED.get(name.removeprefix('bright'), name)}"


def _between(back: str, front: str, share: float) -> str:
    mixed = (round(int(back[n : n + 2], 16) * (1 - share) + int(front[n : n + 2], 16) * share) for n in (1, 3, 5))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _is_wide(text: str) -> bool:
    return pyte.screens.wcwidth(text[0]) == 2


@cache
def _font(wide: bool, bold: bool) -> ImageFont.FreeTypeFont:
    if wide:
        return ImageFont.truetype(_packaged("matplotlib_fontja", "ipaexg.ttf"), 2 * WIDTH)
    name = "DejaVuSansMono-Bold.ttf" if bold else "DejaVuSansMono.ttf"
    return ImageFont.truetype(_packaged("matplotlib", name), POINTS)


def _packaged(package: str, name: str) -> str:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise SystemExit(f"the package {package.replace('_', '-')} is missing: pip install -e '.[sample]'")
    return str(next(path for folder in folders for path in Path(folder).rglob(name)))
