"""A small square map of values, such as a mean image: in greys, or in shade characters without colours."""

from textual.color import Color
from textual.content import Content
from textual.widget import Widget

from kanji_tui.tui.widgets.image_view import half_blocks, mixes_colours

SHADES = " ░▒▓█"
Values = tuple[tuple[float, ...], ...]


class HeatMap(Widget):
    """A square of values 0-1, rows from the top; the highest is drawn as full ink. A cell holds two values."""

    DEFAULT_CSS = """
    HeatMap { width: 1fr; height: 1fr; content-align: left top; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._values: Values = ()

    def show(self, values: Values) -> None:
        """Show this map; an empty one shows nothing."""
        if values != self._values:
            self._values = values
            self.refresh()

    def render(self) -> Content:
        side = len(self._values)
        width, height = self.content_size
        scale = min(width // side, 2 * height // side) if side else 0
        if scale < 1:
            return Content()
        most = max(max(row) for row in self._values) or 1
        shares = [[value / most for value in row] for row in self._values]
        if not mixes_colours(self.app):
            return Content("\n".join(shaded(shares, scale)))
        pixels = bytes(round(255 * share) for row in shares for share in row)
        variables = self.app.theme_variables
        paper, ink = Color.parse(variables["panel"]), Color.parse(variables["foreground"])
        return half_blocks(pixels, side, scale * side, scale * side // 2, paper, ink)


def shaded(shares: list[list[float]], scale: int) -> list[str]:
    """Lines of shade characters, each cell the mean of its two values; `scale` repeats cells and lines."""
    lines = []
    for upper, lower in zip(shares[0::2], shares[1::2], strict=True):
        means = [(one + other) / 2 for one, other in zip(upper, lower, strict=True)]
        lines += ["".join(scale * SHADES[round(mean * (len(SHADES) - 1))] for mean in means)] * scale
    return lines
