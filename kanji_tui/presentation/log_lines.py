"""The lines of a run's log, each with its time before it where that is known."""

from collections.abc import Sequence

from kanji_tui.system import numbers
from kanji_tui.workspace.log_times import LogLine

TAB = 4
TIME_STYLE = "faint"
NARROWEST = 60  # cells of a pane in which there is room for times


def texts(lines: Sequence[LogLine]) -> tuple[str, ...]:
    """The lines as they were printed."""
    return tuple(line.text.expandtabs(TAB) for line in lines)


def times(lines: Sequence[LogLine]) -> tuple[str, ...]:
    """What stands before each line: `14:32:07 `, as much space where its time is not known; nothing if none is."""
    found = [numbers.clock(line.moment) for line in lines]
    width = max(map(len, found), default=0)
    return tuple(f"{time:{width}} " if width else "" for time in found)
