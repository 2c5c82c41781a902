"""Which files a dataset was prepared from: name, size, time and SHA-256 of each, kept in metadata.json.

Whoever opens the workspace compares names, sizes and times, which is quick. A file of another time is read again
where that is quick too; else it counts as changed.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Annotated

from kanji_tui.allowed import COUNT, DIGEST, FILE
from kanji_tui.data.source import Input
from kanji_tui.system.files import sha256

MICROSECOND = 1000  # in nanoseconds: whole microseconds are exact in JSON
MANY = 4  # files of one input: a format of images has thousands, which are described together
QUICK_BYTES = 16 * 1024 * 1024  # are read again at once


@dataclass(frozen=True)
class InputFile:
    """`modified`: microseconds since 1970; 0 for the many files of one input, described together by its name."""

    name: Annotated[str, FILE]
    bytes: Annotated[int, COUNT]
    modified: Annotated[int, COUNT]
    digest: Annotated[str, DIGEST]


@dataclass(frozen=True)
class Inputs:
    """What a dataset was prepared from; `folder` relative to the dataset. Empty in datasets of older versions."""

    folder: str = ""
    files: tuple[InputFile, ...] = ()

    @property
    def digest(self) -> str:
        """Identifies the content of all files; empty where it is not known."""
        return digest_of([(file.name, file.digest) for file in self.files]) if self.files else ""


def describe_inputs(folder: Path, inputs: Sequence[Input], dataset: Path, workers: int) -> Inputs:
    """Read every file of the inputs once more, from memory where they were just prepared."""
    relative = os.path.relpath(folder, dataset)
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="digest") as pool:
        return Inputs(relative, tuple(file for files in pool.map(_describe, inputs) for file in files))


def digest_of(named: Iterable[tuple[str, str]]) -> str:
    """A SHA-256 in hex of names and digests."""
    lines = (f"{name}\t{digest}\n" for name, digest in named)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def changed_files(inputs: Inputs, dataset: Path, folder: Path, present: Iterable[str] = ()) -> tuple[str, ...]:
    """What is no longer as it was prepared: `ETL9G_03`, `ETL9G_04 (missing)`, `ETL9G_51 (new)`.

    `present`: the names of the record files that `folder` holds now. Nothing where the dataset was prepared from
    another folder or by a version that kept no digests, or where no file is left.
    """
    if not inputs.files or os.path.relpath(folder, dataset) != inputs.folder:
        return ()
    changed: list[str] = []
    quick = QUICK_BYTES
    for file in inputs.files:
        if not file.modified:
            continue
        try:
            found = (folder / file.name).stat()
        except OSError:
            changed.append(f"{file.name} (missing)")
            continue
        if found.st_size == file.bytes and found.st_mtime_ns // MICROSECOND == file.modified:
            continue
        quick -= found.st_size
        alike = S_ISREG(found.st_mode) and found.st_size == file.bytes
        same = alike and quick >= 0 and sha256(folder / file.name) == file.digest
        changed += [] if same else [file.name]
    if all(name.endswith("(missing)") for name in changed) and len(changed) == len(inputs.files):
        return ()  # the files were put away: there is nothing to prepare again
    known = {file.name for file in inputs.files}
    return (*changed, *(f"{name} (new)" for name in present if name not in known))


def _describe(each: Input) -> list[InputFile]:
    if len(each.paths) <= MANY:
        stats = [(path, path.stat()) for path in each.paths]
        return [
            InputFile(path.name, stat.st_size, stat.st_mtime_ns // MICROSECOND, sha256(path))
            for path, stat in stats
        ]
    size = sum(path.stat().st_size for path in each.paths)
    named = [(f"{path.parent.name}/{path.name}", sha256(path)) for path in each.paths]
    return [InputFile(each.name, size, 0, digest_of(named))]
