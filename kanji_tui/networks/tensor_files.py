"""Reads files that torch.save wrote: runs no code in them, and allocates nothing that the file does not hold."""

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from kanji_tui.errors import KanjiError
from kanji_tui.system.files import parsing


def load_tensors(path: Path, what: str, remedy: str) -> Any:
    """The content of a file of torch.save, on the CPU: tensors, numbers, texts, and dicts and lists of them.

    Raises KanjiError where it is damaged, not such a file, or holds objects; `what` it should be, in words.
    """
    with parsing(path, what, remedy):
        records = _records(path)
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:  # its text advises to load the file unsafely
            raise KanjiError(
                f"{path} cannot be read as {what}: it holds something else than tensors and numbers", remedy
            ) from None
        sizes = {storage.data_ptr(): storage.nbytes() for storage in _storages(content)}
        if sum(sizes.values()) > sum(records):
            raise KanjiError(f"{path} cannot be read as {what}: its tensors are larger than the file", remedy)
    return content


def _records(path: Path) -> list[int]:
    """The bytes of each record in the archive; ValueError where they are more than the file has."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = [entry.file_size for entry in archive.infolist()]
    except zipfile.BadZipFile:
        raise ValueError("it is damaged, or no file of torch.save") from None
    if sum(sizes) > path.stat().st_size:
        raise ValueError("it is compressed, which torch.save does not do")
    return sizes


def _storages(content: Any) -> Iterator[torch.UntypedStorage]:
    if isinstance(content, torch.Tensor):
        yield content.untyped_storage()
    elif isinstance(content, dict):
        for value in content.values():
            yield from _storages(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _storages(value)
