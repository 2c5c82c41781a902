"""Where text leaves the workbench: nothing hidden in names, events and files is painted."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from kanji_tui.system.visible import visible_cells


class NothingHidden(LineFilter):
    """Removes hidden characters from painted lines, whose layout they have no part in."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if "".join([segment.text for segment in segments]).isprintable():  # of one text it is asked fastest
            return segments
        return [
            segment if segment.control else Segment(visible_cells(segment.text), segment.style)
            for segment in segments
        ]


NOTHING_HIDDEN = NothingHidden()
