"""A few images of samples side by side, in braille dots, with a caption below each."""

from textual.content import Content
from textual.widget import Widget

from kanji_tui.tui.widgets.image_view import braille
from kanji_tui.workspace.thumbnails import Thumbnail

GAP = 2


class Thumbnails(Widget):
    """As many images as fit in the width, each as high as the widget less its caption."""

    DEFAULT_CSS = """
    Thumbnails { height: 9; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._thumbnails: tuple[Thumbnail, ...] = ()

    def show(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        if thumbnails != self._thumbnails:
            self._thumbnails = thumbnails
            self.refresh()

    def render(self) -> Content:
        width, height = self.content_size.width, self.content_size.height - 1
        if height < 2 or not self._thumbnails:
            return Content()
        room = 2 * height
        fitting = self._thumbnails[: max(1, (width + GAP) // (room + GAP))]
        images = [braille(shown.pixels, shown.size, room, height).plain.split("\n") for shown in fitting]
        lines = []
        for number in range(max(len(image) for image in images)):
            cells = [image[number].ljust(room) if number < len(image) else " " * room for image in images]
            lines.append(Content((" " * GAP).join(cells)))
        captions = [Content.styled(shown.caption, "$quiet").truncate(room).center(room) for shown in fitting]
        return Content("\n").join([*lines, Content(" " * GAP).join(captions)])
