"""Reads image files: upright, opaque, at most MAX_SIDE pixels a side.

Only the formats below are decoded, by Pillow and the libraries in it. Some of Pillow's other formats start another
program for a file's contents (EPS starts Ghostscript), so they are refused whatever the file is called.
"""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from kanji_tui.errors import first_line

ENDINGS = frozenset(
    (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm", ".pgm", ".pbm")
)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
REMEDY = "give a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or PPM file"
COPY, SMALLER = "copy or save it again as an image", "give a smaller copy of it"
MAX_SIDE = 1024  # pixels; a larger image is first averaged over whole blocks of pixels
FOREIGN = {  # by bytes near the beginning
    b"ftyphei": "a HEIC photograph",
    b"ftypmif": "a HEIC photograph",
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML document",
    b"<!DOCTYPE": "an HTML page",
    b"<html": "an HTML page",
}
NOT_READABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


def problem_of(path: Path, error: Exception) -> tuple[str, str]:
    """Why an image file cannot be read, and what to do; `error` is one of NOT_READABLE, raised for it."""
    if isinstance(error, Image.DecompressionBombError):
        return "it has too many pixels", SMALLER
    if isinstance(error, UnidentifiedImageError):
        with open(path, "rb") as file:
            start = file.read(64)
        if not start:
            return "it is empty", COPY
        kind = next((kind for mark, kind in FOREIGN.items() if mark in start), "no image in a known format")
        return f"it is {kind}", REMEDY
    if isinstance(error, IsADirectoryError):
        return "it is a folder", "name the images in it"
    if isinstance(error, OSError) and error.errno:
        return str(error.strerror), f"ls -l {path}"
    return first_line(error), COPY


def read_levels(path: Path) -> np.ndarray:
    """The grey levels of an image file, uint8 (H, W); raises one of NOT_READABLE."""
    return np.asarray(_shrink(_open(path).convert("L")))


def read_colours(path: Path) -> np.ndarray:
    """The colours of an image file: uint8 (H, W, 3), red, green, blue; raises one of NOT_READABLE."""
    return np.asarray(_shrink(_open(path).convert("RGB")))


def _open(path: Path) -> Image.Image:
    """The image upright; transparent pixels become white or black, unlike the ink."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise IsADirectoryError("it is a folder") if path.is_dir() else OSError("it is not a regular file")
    with Image.open(path, formats=_formats()) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith(("I", "F")):  # 16 bits or more, which Pillow would clip at 255
            levels = np.asarray(image.convert("F"))
            if levels.max() <= 1:  # floats of 0-1
                levels = levels * 255
            return Image.fromarray((levels * (255 / max(255.0, levels.max()))).clip(0, 255).astype(np.uint8))
        if "A" in image.getbands() or "transparency" in image.info:
            image = image.convert("RGBA")
            opacity = np.asarray(image.getchannel("A"), np.float64)
            dark = (np.asarray(image.convert("L")) * opacity).sum() < 128 * opacity.sum()
            return Image.alpha_composite(Image.new("RGBA", image.size, "white" if dark else "black"), image)
        return image


@cache
def _formats() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow was built with."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _shrink(image: Image.Image) -> Image.Image:
    longest = max(image.size)
    return image.reduce(-(-longest // MAX_SIDE)) if longest > MAX_SIDE else image
