"""The titles of panes."""

from textual.content import Content
from textual.widget import Widget


def set_pane_title(pane: Widget, title: str | Content, note: str | Content = "") -> None:
    """Name the pane, with a quiet note after it; an unchanged title is not set again, for that would paint."""
    quiet = note if isinstance(note, Content) else Content.styled(note, "$quiet")
    text = Content.assemble(title, "  ", quiet) if quiet.plain else Content.assemble(title)
    if pane.border_title != text.markup:
        pane.border_title = text  # set as Content, read back as markup
