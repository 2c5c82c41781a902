"""Files that are whole or not there: written beside their place, synced and renamed into it."""

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
    """Yield a path beside `path` to write to; renamed into place when the block ends well, else removed.

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
        with suppress(OSError):  # it was renamed, or its folder never was one
            beside.unlink()


def writing_failed(path: Path, error: OSError) -> KanjiError:
    """The sentence for an OSError met while writing `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return KanjiError(
            f"the disk is full: {path} could not be written; what stood there before is untouched",
            f"free some space (df -h {path.parent}) and run the same command again",
        )
    return KanjiError(
        f"{path} could not be written: {error.strerror or error}",
        f"check that the folder exists and is yours: ls -ld {path.parent}",
    )


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to `path`, whole or not at all.

    What UTF-8 cannot hold, a byte of a file's name, stands as an escape, which JSON reads back.
    """
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as readable UTF-8 JSON to `path`, whole or not at all."""
    write_text(path, strict_json(value, indent=2) + "\n")


def strict_json(value: Any, indent: int | None = None) -> str:
    """JSON as RFC 8259 has it, which knows no NaN and no infinity: they become null."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError:
        return json.dumps(_numbers_only(value), ensure_ascii=False, indent=indent, allow_nan=False)


def _numbers_only(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers_only(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers_only(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; KanjiError when it is missing, broken or no object."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KanjiError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise KanjiError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise KanjiError(f"{path} holds no JSON object")
    return value


def sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
