"""What lies in a folder to be prepared, as far as names, sizes and headers tell. Free of numpy, for who waits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Listed:
    """A record file, a pair of npz files or a class folder. `bytes` and `samples` None: telling would take long."""

    name: str
    bytes: int | None = None
    samples: int | None = None


@dataclass(frozen=True)
class Listing:
    """`format`: etl9g, etl8g, kuzushiji or images, empty where nothing was recognised. `drawn`: a drawn sample.

    `counted`: whether `samples` are all there are. `aside`: names of what lies there too and will not be read.
    Where it cannot be prepared as it is: the `problem`, and an `advice` in words.
    """

    format: str = ""
    items: tuple[Listed, ...] = ()
    drawn: bool = False
    counted: bool = True
    aside: tuple[str, ...] = ()
    problem: str = ""
    advice: str = ""

    @property
    def samples(self) -> int:
        return sum(item.samples or 0 for item in self.items)

    @property
    def bytes(self) -> int:
        return sum(item.bytes or 0 for item in self.items)

    @property
    def words(self) -> str:
        """How much there is: `50 files, 607,200 records`, `2 npz pairs, 70,000 pictures`, `1 folder, 8 images`."""
        many = len(self.items) != 1
        holders, held = {
            "kuzushiji": ("npz pairs" if many else "npz pair", "pictures"),
            "images": ("folders" if many else "folder", "images"),
        }.get(self.format, ("files" if many else "file", "records"))
        more = "" if self.counted else "at least "
        return f"{len(self.items):,} {holders}, {more}{self.samples:,} {held}"
