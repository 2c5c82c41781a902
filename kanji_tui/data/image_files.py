"""Reads image files: upright, opaque, at most MAX_SIDE pixels a side.

Only the formats below are decoded, by Pillow and the libraries in it. Some of Pillow's other formats start another
program for a file's contents (EPS starts Ghostscript), so they are refused whatever the file is called.
"""

from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

ENDINGS = frozenset(
    (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm", ".pgm", ".pbm")
)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")
REMEDY = "give a PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or PPM file"
MAX_SIDE = 1024  # pixels; a larger image is first averaged over whole blocks of pixels
NOT_READABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


def read_levels(path: Path) -> np.ndarray:
    """The grey levels of an image file, uint8 (H, W); raises one of NOT_READABLE."""
    return np.asarray(_shrink(_open(path).convert("L")))


def read_colours(path: Path) -> np.ndarray:
    """The colours of an image file: uint8 (H, W, 3), red, green, blue; raises one of NOT_READABLE."""
    return np.asarray(_shrink(_open(path).convert("RGB")))


def _open(path: Path) -> Image.Image:
    """The image upright; transparent pixels become white or black, unlike the ink."""
    with Image.open(path, formats=_formats()) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode.startswith(("I", "F")):  # 16 bits or more, which Pillow would clip at 255
            levels = np.asarray(image.convert("F"))
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
