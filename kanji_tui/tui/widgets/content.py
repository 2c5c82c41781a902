"""Lines of a document as Textual's Content."""

from collections.abc import Sequence

from textual.content import Content

from kanji_tui.presentation.document import Line, Styled, parts_of

STYLES = {
    "quiet": "$quiet",
    "faint": "$faint",
    "strong": "bold",
    "good": "$success",
    "warning": "$warning",
    "bad": "$error",
    "accent": "$accent",
    "primary": "$primary",
    "rule": "$rule",
}


def lines_content(lines: Sequence[Line]) -> Content:
    """Lines one below the other."""
    return Content("\n").join(map(content_of, lines))


def content_of(line: Line | Content) -> Content:
    """A line in the theme's colours; Content is returned as it is."""
    if isinstance(line, Content):
        return line
    return Content.assemble(
        *((part.text, style_of(part.style)) if isinstance(part, Styled) else part for part in parts_of(line))
    )


def style_of(style: str) -> str:
    """The theme's style for the words of `Styled.style`."""
    return " ".join(STYLES[word] for word in style.split())
