"""Writes files atomically: into a temporary file beside the target, synced and renamed. Reads JSON."""

import errno
import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kanji_tui.errors import KanjiError


@contextmanager
def replacing(path: Path, sync: bool = True) -> Iterator[Path]:
    """Yield a path beside `path` to write to; renamed to `path` when the block succeeds, else removed.

    Raises KanjiError with a remedy when the disk is full or the folder cannot be written.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        if sync:
            with open(beside, "rb") as file:
                os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise writing_failed(path, error) from error
    finally:
        with suppress(OSError):  # it was renamed, or its folder does not exist
            beside.unlink()


def writing_failed(path: Path, error: OSError) -> KanjiError:
    """The error to raise for an OSError while writing `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return KanjiError(
            f"the disk is full: {path} could not be written; an older file there is unchanged",
            f"free some space (df -h {path.parent}) and run the same command again",
        )
    return KanjiError(
        f"{path} could not be written: {error.strerror or error}",
        f"check that the folder exists and is yours: ls -ld {path.parent}",
    )


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to `path` atomically.

    Surrogates, which stand for undecodable bytes of file names, become escapes that JSON reads back.
    """
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented UTF-8 JSON to `path` atomically."""
    write_text(path, strict_json(value, indent=2) + "\n")


def strict_json(value: Any, indent: int | None = None) -> str:
    """JSON by RFC 8259, which has no NaN and no infinity: both become null."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(_without_nan(value), ensure_ascii=False, indent=indent, allow_nan=False)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; KanjiError when the file is missing, damaged or holds something else."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KanjiError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise KanjiError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise KanjiError(f"{path} does not hold a JSON object")
    return value


def sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
