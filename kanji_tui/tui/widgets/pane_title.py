"""The titles of panes."""

from textual.content import Content
from textual.widget import Widget


def set_pane_title(pane: Widget, title: str | Content, note: str | Content = "") -> None:
    """Name the pane, with a quiet note after it; setting a title paints, so one that it has is not set again."""
    quiet = note if isinstance(note, Content) else Content.styled(note, "$quiet")
    words = Content.assemble(title, "  ", quiet) if quiet.plain else Content.assemble(title)
    if pane.border_title != words.markup:
        pane.border_title = words  # it takes a Content, and gives its markup
