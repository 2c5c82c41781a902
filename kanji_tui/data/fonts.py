"""Japanese fonts on this machine, and the glyphs in them.

A font's table of characters can lie (a code that leads to an empty or a replacement glyph), so every glyph is
looked at before it counts as there.
"""

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kanji_tui.errors import KanjiError

CANVAS = 192  # pixels a side of a glyph picture
EM = 144  # of which the font's em square takes these
FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
)
JAPANESE = ("cjk", "ipa", "takao", "gothic", "mincho", "klee", "yusei", "kiloji", "vlgothic", "jp-", "hiragino")
PLAIN = ("regular", "medium", "ipaexg", "ipag")
FAINTEST_INK = 128 * 20  # a glyph has at least some twenty pixels of half ink


@dataclass(frozen=True)
class Font:
    """A font file; `name` as the font itself says, for instance IPAexGothic."""

    path: Path
    name: str

    def glyph(self, character: str) -> np.ndarray | None:
        """The character in the middle of a picture, uint8 (CANVAS, CANVAS), ink 255; None where it is lacking."""
        picture = _draw(self.path, character)
        if int(picture.sum()) < FAINTEST_INK or np.array_equal(picture, _replacement(self.path)):
            return None
        return picture


def find_fonts() -> tuple[Font, ...]:
    """The Japanese fonts here, the same order on every call: the one from PyPI first, then the system's.

    Raises KanjiError saying what to install where there is none.
    """
    fonts = []
    for path in dict.fromkeys([*_packaged(), *_listed_by_fontconfig(), *_in_folders()]):
        try:
            font = Font(path, " ".join(part for part in _load(path).getname() if part))
            if font.glyph("田") is not None and font.glyph("あ") is not None:
                fonts.append(font)
        except OSError:
            continue
        if len(fonts) == 3:  # one to draw with, two to fill its gaps
            break
    if not fonts:
        raise KanjiError(
            "there is no Japanese font on this machine to draw with",
            "pip install matplotlib-fontja    (or: apt-get install fonts-noto-cjk)",
        )
    return tuple(fonts)


def _packaged() -> list[Path]:
    """ipaexg.ttf of the package matplotlib-fontja, found without importing it (that would import matplotlib)."""
    spec = importlib.util.find_spec("matplotlib_fontja")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return sorted(path for folder in folders for path in Path(folder).rglob("ipaexg.ttf"))


def _listed_by_fontconfig() -> list[Path]:
    if shutil.which("fc-list") is None:
        return []
    try:
        listed = subprocess.run(
            ["fc-list", ":lang=ja", "file"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return sorted({Path(line.strip().rstrip(":")) for line in listed.splitlines() if line.strip()}, key=_preference)


def _in_folders() -> list[Path]:
    found = {
        path
        for folder in FOLDERS
        for path in Path(folder).expanduser().rglob("*")
        if path.suffix.lower() in (".ttf", ".otf", ".ttc") and any(part in path.name.lower() for part in JAPANESE)
    }
    return sorted(found, key=_preference)


def _preference(path: Path) -> tuple[bool, str]:
    """Plain weights first, then by name."""
    return not any(part in path.name.lower() for part in PLAIN), str(path)


@cache
def _load(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), EM, layout_engine=ImageFont.Layout.BASIC)


def _draw(path: Path, character: str) -> np.ndarray:
    font = _load(path)
    left, top, right, bottom = font.getbbox(character)
    at = ((CANVAS - left - right) / 2, (CANVAS - top - bottom) / 2)
    picture = Image.new("L", (CANVAS, CANVAS), 0)
    ImageDraw.Draw(picture).text((round(at[0]), round(at[1])), character, fill=255, font=font)
    return np.asarray(picture)


@cache
def _replacement(path: Path) -> np.ndarray:
    """What the font draws for a character it cannot have: U+FFFF is none."""
    return _draw(path, "\uffff")
