"""What an input folder holds, as far as names, sizes and headers show. Does not import numpy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ListedInput:
    """A record file, a pair of npz files or a class folder. `bytes`, `samples` None: counting would take long.

    `character`: what the name of a class folder means.
    """

    name: str
    bytes: int | None = None
    samples: int | None = None
    character: str = ""


@dataclass(frozen=True)
class Listing:
    """`format`: etl9g, etl8g, kuzushiji or images, empty where none was detected. `synthetic`: a synthetic sample.

    `counted`: whether `samples` is the exact total. `ignored`: names of other files in the folder, which are not
    read. `labels`: how folder names of hexadecimal digits are read, unicode or jis; empty where there are none.
    `problem`: why the folder cannot be prepared as it is, and `remedy`: what to do; empty where it can.
    """

    format: str = ""
    items: tuple[ListedInput, ...] = ()
    synthetic: bool = False
    counted: bool = True
    ignored: tuple[str, ...] = ()
    labels: str = ""
    problem: str = ""
    remedy: str = ""

    @property
    def samples(self) -> int:
        return sum(item.samples or 0 for item in self.items)

    @property
    def bytes(self) -> int:
        return sum(item.bytes or 0 for item in self.items)

    @property
    def summary(self) -> str:
        """How much there is: `50 files, 607,200 records`, `2 npz pairs, 70,000 images`, `1 folder, 8 images`."""
        many = len(self.items) != 1
        holders, held = {
            "kuzushiji": ("npz pairs" if many else "npz pair", "images"),
            "images": ("folders" if many else "folder", "images"),
        }.get(self.format, ("files" if many else "file", "records"))
        more = "" if self.counted else "at least "
        return f"{len(self.items):,} {holders}, {more}{self.samples:,} {held}"
