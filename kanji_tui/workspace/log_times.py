"""When each line of a run's log was written, from the sizes that log.txt had at known moments."""

from bisect import bisect_left
from dataclasses import dataclass

MARKS_KEPT = 1000


@dataclass(frozen=True)
class LogLine:
    """A line, and when it was written, seconds since 1970; 0 where that is not known."""

    text: str
    moment: float = 0.0


@dataclass(frozen=True)
class Mark:
    """At this moment log.txt was seen to have grown to `size` bytes."""

    size: int
    moment: float


class LogMarks:
    """Collects the marks of a run, the last thousand or two of them."""

    def __init__(self, from_start: bool = True) -> None:
        """`from_start`: the first mark to be added is the first of all."""
        self._from_start = from_start
        self._marks: list[Mark] = []

    def add(self, moment: float, size: int) -> None:
        """Add the next mark. Of what is older than the first one nobody knows when it was written."""
        self._marks.append(Mark(size, moment if self._marks or self._from_start else 0.0))
        if len(self._marks) > 2 * MARKS_KEPT:
            first, *others = self._marks[-MARKS_KEPT:]
            self._marks = [Mark(first.size, 0.0), *others]

    def marks(self) -> tuple[Mark, ...]:
        return tuple(self._marks)


def timed_lines(text: bytes, first: int, marks: tuple[Mark, ...]) -> list[LogLine]:
    """The lines of a part of log.txt that begins at byte `first`; what no mark covers has no time."""
    sizes = [mark.size for mark in marks]
    found, end = [], first
    for line in text.splitlines(keepends=True):
        end += len(line)
        at = bisect_left(sizes, end)
        moment = marks[at].moment if at < len(marks) else 0.0
        found += [LogLine(each, moment) for each in line.decode("utf-8", "replace").splitlines()]
    return found
