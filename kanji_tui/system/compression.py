"""Compressed copies beside a file, for hosts that send them instead of it."""

import gzip
from importlib.util import find_spec
from pathlib import Path

from kanji_tui.system.files import replacing

COMPRESSED = {".br": "br", ".gz": "gzip"}  # endings of copies, and their name in HTTP; the smaller one first
LARGE = 2**20  # bytes: Brotli's best quality takes half a minute for the runtime, and gains a tenth
WINDOW = 24  # the largest of Brotli that every browser takes


def has_brotli() -> bool:
    """Whether the package `brotli` is installed."""
    return find_spec("brotli") is not None


def compress(path: Path) -> None:
    """Write `path`.gz, and `path`.br where the package `brotli` is installed, unless they are not smaller."""
    content = path.read_bytes()
    copies = {".gz": gzip.compress(content, 9, mtime=0)}
    if has_brotli():
        import brotli

        copies[".br"] = brotli.compress(content, quality=9 if len(content) > LARGE else 11, lgwin=WINDOW)
    for ending in COMPRESSED:
        copy = path.with_name(path.name + ending)
        if len(copies.get(ending, content)) < len(content):
            with replacing(copy) as beside:
                beside.write_bytes(copies[ending])
        else:
            copy.unlink(missing_ok=True)


def transferred(path: Path) -> int:
    """The bytes that a browser loads for a file: those of its smallest copy."""
    copies = (path.with_name(path.name + ending) for ending in ("", *COMPRESSED))
    return min(copy.stat().st_size for copy in copies if copy.is_file())
