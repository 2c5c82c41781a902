"""Writes files atomically: into a temporary file beside the target, synced and renamed. Reads what others wrote.

A file that cannot be read, for whatever reason, is one KanjiError that names it. `plain_data.read_as` also checks
the fields.
"""

import errno
import hashlib
import json
import math
import os
import re
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from kanji_tui.errors import KanjiError, first_line

MOST_BYTES = 2**28  # of a file that is read as a whole; the largest that this program writes has some 50 MB

MOST_YAML = 2**20
Stamp = tuple[int, int, int]
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class WritingFailed(KanjiError):
    """A file could not be written. `first`: what to do about it, before the same is tried again."""

    def __init__(self, message: str, first: str, again: str = "") -> None:
        super().__init__(message, f"{first} and {again}" if again else first)
        self.first = first

    def then(self, again: str) -> "WritingFailed":
        """The same error with what to do once that is mended."""
        return WritingFailed(self.message, self.first, again)


def inside(folder: Path, name: str) -> Path:
    """The path of the file `name` in `folder`; KanjiError for a name that is none or leads elsewhere."""
    if name in ("", ".", "..") or "/" in name or "\0" in name or len(os.fsencode(name)) > 255:
        raise KanjiError(f"'{name[:80]}' cannot be the name of a file in {folder}", "choose another name")
    return Path(folder) / name


@contextmanager
def replacing(path: Path, sync: bool = True) -> Iterator[Path]:
    """Yield a path beside `path` to write to; renamed to `path` when the block succeeds, else removed.

    Raises KanjiError with a remedy when the disk is full or the folder cannot be written.
    """
    path = Path(path)
    beside = unfinished(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        if sync:
            sync_to_disk(beside)
        os.replace(beside, path)
    except OSError as error:
        raise writing_failed(path, error) from error
    finally:
        with suppress(OSError):  # it was renamed, or its folder does not exist
            beside.unlink()


def sync_to_disk(path: Path) -> None:
    """Wait until the content of a file is on its disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def unfinished(path: Path) -> Path:
    """Where this process writes what becomes the file or folder `path`."""
    return path.with_name(f".{path.name}.{_host()}-{os.getpid()}.part")


@cache
def _host() -> str:
    """This host in the name of an unfinished file: another's process numbers say nothing here."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def remove_unfinished(folder: Path) -> None:
    """Remove the unfinished files and folders in a folder whose processes, on this host, are dead.

    What cannot be removed stays.
    """
    pattern = re.compile(rf"\..+\.{_host()}-([0-9]{{1,9}})\.part")
    with suppress(OSError):
        for name in os.listdir(folder):
            found = pattern.fullmatch(name)
            if found and not _is_alive(int(found[1])):
                with suppress(OSError):
                    _remove(Path(folder) / name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def where_sought(path: Path) -> str:
    """The remedy for a file that does not exist: with --home, paths do not start from the shell's folder."""
    return "" if path.is_absolute() else f"paths start from {Path.cwd()}"


def writing_failed(path: Path, error: OSError) -> WritingFailed:
    """The error to raise for an OSError while writing `path`."""
    if error.errno in DISK_FULL:
        return WritingFailed(
            f"the disk is full: {path} could not be written; an older file there is unchanged",
            f"free some space (df -h {path.parent})",
            "run the same command again",
        )
    if error.errno == errno.EFBIG:
        return WritingFailed(
            f"{path} could not be written: {error.strerror}",
            "raise the limit (ulimit -f)",
            "run the same command again",
        )
    return WritingFailed(
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


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a regular file of at most `most` bytes; KanjiError for anything else."""
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise KanjiError(f"{path} is not a regular file", f"look what it is: ls -ld {path}")
            content = file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise KanjiError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = getattr(error, "strerror", None) or error
        raise KanjiError(f"{path} cannot be read: {reason}", f"check its permissions: ls -ld {path}") from None
    if len(content) > most:
        raise KanjiError(f"{path} is larger than any such file that this program writes: {most >> 20} MiB")
    return content


def open_without_waiting(path: str, flags: int) -> int:
    """For `open`: a named pipe is opened even if nobody writes to it."""
    return os.open(path, flags | os.O_NONBLOCK)


@contextmanager
def parsing(path: Path | str, what: str, remedy: str = "") -> Iterator[None]:
    """Whatever a parser raises about a file's bytes becomes `PATH cannot be read as WHAT: reason`.

    For parsers of others' formats, whose exceptions on damaged bytes have no common class.
    """
    try:
        yield
    except KanjiError:
        raise
    except MemoryError:
        raise KanjiError(f"{path} cannot be read as {what}: it needs more memory than there is", remedy) from None
    except Exception as error:
        reason = f"{error} is missing" if type(error) is KeyError else first_line(error)
        raise KanjiError(f"{path} cannot be read as {what}: {reason}", remedy) from None


def parse_json_value(content: bytes | str, where: Path | str, remedy: str = "") -> Any:
    """A value in JSON by RFC 8259, which has no NaN and no infinity; KanjiError naming `where` for other text."""
    with parsing(where, "JSON", remedy):
        if isinstance(content, bytes):
            content = content.decode(json.detect_encoding(content), "surrogatepass")
        return DECODER.decode(content)


def parse_json(content: bytes | str, where: Path | str) -> dict[str, Any]:
    """A JSON object; KanjiError naming `where` for anything else."""
    value = parse_json_value(content, where)
    if not isinstance(value, dict):
        raise KanjiError(f"{where} does not hold a JSON object")
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number")


DECODER = json.JSONDecoder(parse_constant=_no_number)  # one for all: a log has a hundred thousand lines


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; KanjiError when the file is missing, damaged or holds something else."""
    return parse_json(read_bytes(path), path)


def read_yaml(path: Path) -> Any:
    """The values in a YAML file. KanjiError where it cannot be read; also for aliases (*name), with which a short
    file can hold endless values.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it is there
    content = read_bytes(path, MOST_YAML)
    with parsing(path, "YAML"):
        text = content.decode("utf-8")
        if "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, loader)):
            raise ValueError("an alias (*name) is not read; write the value itself there")
        try:  # the loader is the safe one, in C where there is one
            return yaml.load(text, loader)  # nosec B506
        except yaml.YAMLError as error:
            raise ValueError(" ".join(str(error).split())) from None


def sha256(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_stamp(path: Path) -> Stamp:
    """What tells the file in `path` from one that has taken its place. Raises OSError where there is none."""
    found = os.stat(path)
    return found.st_ino, found.st_mtime_ns, found.st_size
