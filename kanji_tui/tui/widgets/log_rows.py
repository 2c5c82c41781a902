"""The rows of one line of a run's log: its time, and the text wrapped between words beside it."""

from textual.content import Content

from kanji_tui.presentation.log_lines import TIME_STYLE
from kanji_tui.tui.widgets.content import style_of


def log_rows(text: str, time: str, width: int, style: str = "") -> list[Content]:
    """At least one row, each of at most `width` cells; `time` stands in the first, as much space in the others."""
    rows = Content.styled(text, style).wrap(max(1, width - len(time))) or [Content()]
    before = [time, *[" " * len(time)] * (len(rows) - 1)]
    return [Content.assemble((space, style_of(TIME_STYLE)), row) for space, row in zip(before, rows, strict=True)]
