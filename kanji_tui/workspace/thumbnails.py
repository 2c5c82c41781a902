"""A small image of a sample, with a caption."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thumbnail:
    """An image of `size` x `size` bytes, rows from the top, 0 paper to 255 ink."""

    caption: str
    pixels: bytes
    size: int
