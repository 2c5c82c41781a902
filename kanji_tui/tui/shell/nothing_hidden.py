"""Where text leaves the workbench: nothing hidden in names, events and files is painted."""

from collections.abc import Sequence

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from kanji_tui.system.visible import visible_cells


class NothingHidden(LineFilter):
    """Removes hidden characters from painted lines, whose layout they have no part in; `before` are applied first.

    One filter for all: Textual makes a new strip of every line for each filter.
    """

    def __init__(self, before: Sequence[LineFilter]) -> None:
        super().__init__()
        self.before = tuple(before)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        for line_filter in self.before:
            segments = line_filter.apply(segments, background)
        if "".join([segment.text for segment in segments]).isprintable():  # of one text it is asked fastest
            return segments
        return [
            segment if segment.control else Segment(visible_cells(segment.text), segment.style)
            for segment in segments
        ]
