"""A sample's image: what readers hand to whatever shows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thumbnail:
    """An image of `size` x `size` bytes and what it shows."""

    caption: str
    pixels: bytes
    size: int
