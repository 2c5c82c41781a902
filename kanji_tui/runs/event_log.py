"""Reads events.jsonl, which may be damaged, still be written, or larger than memory.

Lines of types that this version does not know are skipped. A line that holds no event is a Damaged in its place.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kanji_tui.allowed import MOMENT
from kanji_tui.errors import KanjiError
from kanji_tui.events import EVENTS, Damaged, Event
from kanji_tui.system.files import open_without_waiting, parse_json
from kanji_tui.system.plain_data import from_plain

BLOCK = 2**20  # bytes read at once
MOST_LINE = 2**26  # bytes; a longer line is damaged
NEAR_END = 2**20  # bytes before the end, of which a follower is shown what happened before it came

# A line of progress as strict_json writes it. In a text its quotes would be escaped.
PROGRESS = re.compile(rb'"type": "progress", "phase": "([^"\\]*)".*"item": "((?:[^"\\]|\\.)*)"')

Timed = tuple[float, Event]  # seconds since 1970, the event


def read_events(
    path: Path, offset: int = 0, limit: int = BLOCK, all_progress: bool = True
) -> tuple[list[Timed], int]:
    """The events after byte `offset`, and the offset of the next call, which is the same where there are none.

    Reads about `limit` bytes, up to the end of a line. A last line without its line feed is left for the next call.
    Without `all_progress` only the newest progress in each phase, and in each file, is among them.
    Raises KanjiError where the file cannot be read; one that does not exist has no events yet.
    """
    with _opened(path) as file:
        if file is None:
            return [], offset
        file.seek(offset)
        chunk = file.read(limit)
        if not chunk.endswith(b"\n"):
            chunk += file.readline(MOST_LINE)
    end = chunk.rfind(b"\n") + 1
    if len(chunk) - end >= MOST_LINE:
        return [(0.0, Damaged(f"{path}: a line is longer than {MOST_LINE >> 20} MiB"))], offset + len(chunk)
    lines = chunk[:end].split(b"\n")[:-1]
    if not all_progress:
        lines = _with_newest_progress(lines)
    return [event for line in lines if (event := parse_event(line, path)) is not None], offset + end


def _with_newest_progress(lines: list[bytes]) -> list[bytes]:
    """The lines without progress that a later one replaces: most of a log, and not worth parsing."""
    kept, seen = [], set()
    for line in reversed(lines):
        found = PROGRESS.search(line)
        if found:
            phase, item = found.groups()
            key = (phase, item if phase == b"file" else b"")
            if key in seen:
                continue
            seen.add(key)
        kept.append(line)
    return kept[::-1]


def all_events(path: Path) -> Iterator[Timed]:
    """Every event of the file, some at a time; raises as `read_events` does."""
    offset, before = 0, -1
    while offset != before:
        before = offset
        events, offset = read_events(path, offset)
        yield from events


def newest_events(path: Path, most: int, skipped: Callable[[bytes], bool] = lambda line: False) -> Iterator[Timed]:
    """The events in the last `most` bytes, the newest first, but for lines to be `skipped`, which costs less than
    parsing them; raises as `read_events` does.
    """
    with _opened(path) as file:
        if file is None:
            return
        place = file.seek(0, os.SEEK_END)
        first = max(0, place - most)
        begun = b""  # the end of a line whose beginning is not read yet
        ended = False  # behind the last line feed a line may still be written
        while place > first:
            size = min(BLOCK, place - first)
            place -= size
            file.seek(place)
            begun, *lines = (file.read(size) + begun).split(b"\n")
            for line in reversed(lines if ended else lines[:-1]):
                if not skipped(line) and (event := parse_event(line, path)) is not None:
                    yield event
            ended = ended or bool(lines)
            if len(begun) > MOST_LINE:
                return
        if place == 0 and ended and (event := parse_event(begun, path)) is not None:
            yield event


def near_end(path: Path, most: int | None = None) -> int:
    """The offset of a line some `most` bytes, NEAR_END if None, before the end; 0 for a shorter file.

    Raises as `read_events` does.
    """
    most = NEAR_END if most is None else most
    with _opened(path) as file:
        if file is None or (size := file.seek(0, os.SEEK_END)) <= most:
            return 0
        file.seek(size - most)
        file.readline(MOST_LINE)
        return file.tell()


def parse_event(line: bytes, path: Path | str = "events.jsonl") -> Timed | None:
    """The event of a line; None for a type that this version does not know."""
    try:
        value = parse_json(line, path)
        kind = EVENTS.get(str(value.get("type")))
        if kind is None:
            if isinstance(value.get("type"), str):
                return None
            raise KanjiError(f"{path}: a line has no type")
        moment = value.get("t", 0.0)
        if type(moment) not in (int, float) or not MOMENT.holds(moment):
            raise KanjiError(f"{path}: {value['type']}: t is not a time: it must be {MOMENT.words}")
        return float(moment), from_plain(kind, value, f"{path}: {value['type']}", strict=False)
    except KanjiError as error:
        return 0.0, Damaged(error.message)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | None]:
    """The file; None where there is none. KanjiError where it is no regular file or cannot be read."""
    try:
        with open(path, "rb", opener=open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise KanjiError(f"{path} is not a regular file", f"look what it is: ls -ld {path}")
            yield file
    except FileNotFoundError:
        yield None
    except OSError as error:
        raise KanjiError(
            f"{path} cannot be read: {error.strerror or error}", f"check its permissions: ls -ld {path}"
        ) from None
