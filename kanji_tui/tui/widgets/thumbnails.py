"""A few sample pictures side by side, in braille dots, with a caption under each."""

from textual.content import Content
from textual.widget import Widget

from kanji_tui.tui.widgets.picture import braille
from kanji_tui.workspace.thumbnails import Thumbnail

GAP = 2


class Thumbnails(Widget):
    """As many pictures as fit in the width, each as high as the widget less the caption."""

    DEFAULT_CSS = """
    Thumbnails { height: 9; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs: tuple[Thumbnail, ...] = ()

    def show(self, glyphs: tuple[Thumbnail, ...]) -> None:
        if glyphs != self._glyphs:
            self._glyphs = glyphs
            self.refresh()

    def render(self) -> Content:
        width, height = self.content_size.width, self.content_size.height - 1
        if height < 2 or not self._glyphs:
            return Content()
        room = 2 * height
        fitting = self._glyphs[: max(1, (width + GAP) // (room + GAP))]
        pictures = [braille(glyph.pixels, glyph.size, room, height).plain.split("\n") for glyph in fitting]
        lines = []
        for number in range(max(len(picture) for picture in pictures)):
            cells = [picture[number].ljust(room) if number < len(picture) else " " * room for picture in pictures]
            lines.append(Content((" " * GAP).join(cells)))
        captions = [Content.styled(glyph.caption, "$quiet").truncate(room).center(room) for glyph in fitting]
        return Content("\n").join([*lines, Content(" " * GAP).join(captions)])
