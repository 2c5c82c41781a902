"""Finds Japanese fonts on this machine and renders their glyphs.

A font's character table can be wrong: a code can lead to an empty or a replacement glyph. Every glyph is therefore
rendered and checked before it counts as present.
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

CANVAS = 192  # side of a glyph image in pixels
EM = 144  # side of the font's em square within it
FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
)
JAPANESE = ("cjk", "ipa", "takao", "gothic", "mincho", "klee", "yusei", "kiloji", "vlgothic", "jp-", "hiragino")
REGULAR = ("regular", "medium", "ipaexg", "ipag")
MIN_INK = 128 * 20  # sum of pixel values; a glyph has at least about twenty pixels of half ink


@dataclass(frozen=True)
class Font:
    """A font file; `name` is stored in the font, for instance IPAexGothic."""

    path: Path
    name: str

    def glyph(self, character: str) -> np.ndarray | None:
        """The character centred in an image, uint8 (CANVAS, CANVAS), ink 255; None where the font lacks it."""
        image = _draw(self.path, character)
        if int(image.sum()) < MIN_INK or np.array_equal(image, _replacement(self.path)):
            return None
        return image


def find_fonts() -> tuple[Font, ...]:
    """Up to three Japanese fonts, in the same order on every call: the one from PyPI first, then the system's.

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
        if len(fonts) == 3:  # one to draw with, two for characters it lacks
            break
    if not fonts:
        raise KanjiError(
            "there is no Japanese font on this machine to make samples with",
            "pip install matplotlib-fontja    (or: apt-get install fonts-noto-cjk)",
        )
    return tuple(fonts)


def _packaged() -> list[Path]:
    """ipaexg.ttf of the package matplotlib-fontja, found without importing it, as that would import matplotlib."""
    spec = importlib.util.find_spec("matplotlib_fontja")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return sorted(path for folder in folders for path in Path(folder).rglob("ipaexg.ttf"))


def _listed_by_fontconfig() -> list[Path]:
    if shutil.which("fc-list") is None:
        return []
    try:  # a fixed command without a shell; like every program of the user's it is found on the user's PATH
        listed = subprocess.run(  # nosec B603 B607
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
    """Sort key: regular weights first, then by path."""
    return not any(part in path.name.lower() for part in REGULAR), str(path)


@cache
def _load(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), EM, layout_engine=ImageFont.Layout.BASIC)


def _draw(path: Path, character: str) -> np.ndarray:
    font = _load(path)
    left, top, right, bottom = font.getbbox(character)
    at = ((CANVAS - left - right) / 2, (CANVAS - top - bottom) / 2)
    image = Image.new("L", (CANVAS, CANVAS), 0)
    ImageDraw.Draw(image).text((round(at[0]), round(at[1])), character, fill=255, font=font)
    return np.asarray(image)


@cache
def _replacement(path: Path) -> np.ndarray:
    """What the font draws for a character that it lacks: U+FFFF is not a character."""
    return _draw(path, "\uffff")
