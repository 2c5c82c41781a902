"""Finds input files that repeat another: the same bytes under two names, or an incomplete copy."""

import os
from collections.abc import Sequence
from pathlib import Path

from kanji_tui.data.source import unreadable

HEAD = 8199  # bytes that are compared first: one record of ETL9G
BLOCK = 1 << 20


def find_copies(paths: Sequence[Path]) -> dict[Path, Path]:
    """Each file whose bytes are the beginning of another, or all of it, with that other.

    Of equal files the first in `paths` is the original. Files that begin differently, as all of ETL9G do, cost one
    short read each. Raises KanjiError for a file that cannot be read.
    """
    originals: dict[bytes, list[Path]] = {}
    copies = {}
    try:
        for path in sorted(paths, key=os.path.getsize, reverse=True):  # stable: equal files stay in order
            with open(path, "rb") as file:
                alike = originals.setdefault(file.read(HEAD), [])
            original = next((each for each in alike if _begins_with(each, path)), None)
            if original is None:
                alike.append(path)
            else:
                copies[path] = original
    except OSError as error:
        raise unreadable(Path(error.filename or paths[0]), error) from None
    return copies


def _begins_with(longer: Path, shorter: Path) -> bool:
    with open(longer, "rb") as one, open(shorter, "rb") as other:
        while block := other.read(BLOCK):
            if one.read(len(block)) != block:
                return False
    return True
