"""A sample's picture, and what a model says of one: what readers hand to whatever shows it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Thumbnail:
    """A picture of `size` x `size` bytes and what it shows."""

    caption: str
    pixels: bytes
    size: int


@dataclass(frozen=True)
class Candidate:
    """`probability` is 0-1; `right` marks the sample's own class."""

    character: str
    jis: int
    probability: float
    right: bool
