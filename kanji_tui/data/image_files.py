"""Reads image files: upright, opaque, at most MAX_SIDE pixels a side, of at most MAX_PIXELS.

Only the formats below are decoded, by Pillow and the libraries in it. Some of Pillow's other formats start another
program for a file's contents (EPS starts Ghostscript), so they are refused whatever the file is called.
"""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from kanji_tui.errors import first_line
from kanji_tui.system.files import open_without_waiting

ENDINGS = frozenset(
    (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm", ".pgm", ".pbm")
)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
REMEDY = "give a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or PPM file"
COPY, SMALLER = "copy or save it again as an image", "give a smaller copy of it"
MAX_SIDE = 1024  # pixels; a larger image is first averaged over whole blocks of pixels
MAX_PIXELS = 64 * 2**20  # of the image as it is decoded, which takes up to 16 bytes a pixel
ROWS = 256  # composed at once
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
UPRIGHT = {  # by EXIF's orientation, how the image is turned
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
NOT_READABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


class TooManyPixels(ValueError):
    """An image of more than MAX_PIXELS."""


@contextmanager
def _decoding() -> Iterator[None]:
    """Whatever Pillow raises about an image is one of NOT_READABLE: its exceptions have no common class."""
    try:
        yield
    except (*NOT_READABLE, MemoryError):
        raise
    except Exception as error:
        raise ValueError(first_line(error)) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Pillow's warnings: of many pixels, which are refused below, and of damaged metadata."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def problem_of(path: Path, error: Exception) -> tuple[str, str]:
    """Why an image file cannot be read, and what to do; `error` is one of NOT_READABLE, raised for it."""
    if isinstance(error, Image.DecompressionBombError):
        return "it has too many pixels", SMALLER
    if isinstance(error, TooManyPixels):
        return first_line(error), SMALLER
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
    """The colours of an image file, red, green, blue: uint8 (H, W, 3), or its levels (H, W) where it has no others.

    Raises one of NOT_READABLE.
    """
    return _colours(_open(path))


def decode_colours(content: bytes, formats: tuple[str, ...], most_pixels: int) -> np.ndarray:
    """As `read_colours`, of a file's content in one of `formats`, of at most `most_pixels` (a multiple of 2^20)."""
    with _decoding(), _quiet():
        return _colours(_load(Image.open(BytesIO(content), formats=formats), most_pixels))


def colours_of(image: Image.Image) -> np.ndarray:
    """As `read_colours`, of an image of Pillow's, which stays as it is."""
    with _decoding():
        return _colours(_load(image.copy(), MAX_PIXELS))


def _colours(image: Image.Image) -> np.ndarray:
    return np.asarray(_shrink(image if image.mode in ("L", "RGB") else image.convert("RGB")))


def _open(path: Path) -> Image.Image:
    """The image upright; transparent pixels become white or black, unlike the ink."""
    with open(path, "rb", opener=open_without_waiting) as file, _decoding(), _quiet():
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a pipe would be waited for
            raise OSError("it is not a regular file")
        return _load(Image.open(file, formats=_formats()), MAX_PIXELS)


def _load(image: Image.Image, most_pixels: int) -> Image.Image:
    """The image decoded, upright and opaque."""
    _check_pixels(image, most_pixels)
    image.load()
    image = _upright(image)
    if image.mode.startswith(("I", "F")):  # 16 bits or more, which Pillow would clip at 255
        levels = np.asarray(image.convert("F"))
        if not np.isfinite(levels).all():
            raise ValueError("it has levels that are no numbers")
        if levels.max() <= 1:  # floats of 0-1
            levels = levels * 255
        return Image.fromarray((levels * (255 / max(255.0, levels.max()))).clip(0, 255).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        return _opaque(image.convert("RGBA"))
    return image


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF data say; as it is where they are damaged."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # damaged metadata are no reason to refuse an image that is whole
        return image
    transpose = UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return image if transpose is None else image.transpose(transpose)


def _check_pixels(image: Image.Image, most_pixels: int) -> None:
    """ValueError for an image of too many pixels, unless its format can be decoded at a smaller size."""
    width, height = image.size
    if not (width and height):
        raise ValueError("it has no pixels")
    if width * height > most_pixels:
        image.draft(image.mode, (MAX_SIDE, MAX_SIDE))
    if image.width * image.height > most_pixels:
        most = most_pixels // 2**20
        raise TooManyPixels(f"it has {width:,} x {height:,} pixels, and at most {most} megapixels are read")


def _opaque(image: Image.Image) -> Image.Image:
    """An RGBA image on white or black, unlike its ink; some rows at a time, for a large one takes much memory."""
    bands = [(0, top, image.width, min(top + ROWS, image.height)) for top in range(0, image.height, ROWS)]
    ink = opacity = 0
    for band in bands:
        part = image.crop(band)
        opaque = np.asarray(part.getchannel("A"), np.int64)
        ink += int((np.asarray(part.convert("L")) * opaque).sum())
        opacity += int(opaque.sum())
    paper = "white" if ink < 128 * opacity else "black"
    composed = Image.new("RGB", image.size)
    for band in bands:
        part = image.crop(band)
        composed.paste(Image.alpha_composite(Image.new("RGBA", part.size, paper), part), band)
    return composed


@cache
def _formats() -> tuple[str, ...]:
    """Those of FORMATS that this Pillow was built with."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _shrink(image: Image.Image) -> Image.Image:
    longest = max(image.size)
    return image.reduce(-(-longest // MAX_SIDE)) if longest > MAX_SIDE else image
