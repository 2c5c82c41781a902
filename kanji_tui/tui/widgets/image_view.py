"""An image of a character in a terminal: grey half blocks, or braille dots without room or colours for them.

Images are `size` x `size` bytes, rows from the top, 0 paper to 255 ink.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate, groupby, pairwise
from typing import Any

from textual.app import App
from textual.color import Color
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from kanji_tui.tui.widgets.pen import DOTS

LEVELS = 16  # as in the record files; fewer levels make longer runs and so fewer bytes
INK_FROM = 80
GREY_FROM = 28  # with fewer pixels a side, braille shows more than greys do
HEAT_LEVELS = 6
HOTTEST = 0.6  # share of the warm colour, at which ink is still legible
HOT_FROM = 128

Shade = tuple[int, int]  # a level of heat, a level of ink


class ImageView(Widget):
    """An image as large as fits, with an optional caption below."""

    DEFAULT_CSS = """
    ImageView { width: 1fr; height: 1fr; content-align: center middle; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[bytes, int, bytes, str] = (b"", 0, b"", "")

    def show(self, pixels: bytes, size: int, heat: bytes = b"", caption: str = "") -> None:
        """Show an image of `size` x `size` bytes; size 0 shows nothing.

        `heat`, a saliency map of as many bytes, is laid over it; 255 is the strongest evidence.
        """
        if (pixels, size, heat, caption) != self._shown:
            self._shown = (pixels, size, heat, caption)
            self.refresh()

    def render(self) -> Content:
        pixels, size, heat, caption = self._shown
        width, height = self.content_size
        height -= bool(caption)
        if not size or width < 4 or height < 2:
            return Content()
        colours = mixes_colours(self.app)
        variables = self.app.theme_variables
        paper, ink = Color.parse(variables["panel"]), Color.parse(variables["foreground"])
        warm = Color.parse(variables["accent"])
        if colours and min(width, 2 * height) >= GREY_FROM:
            image = half_blocks(pixels, size, width, height, paper, ink, heat, warm)
        else:
            image = braille(pixels, size, width, height, heat, (paper, warm) if colours else None)
        if not caption:
            return image
        across = image.plain.index("\n") if "\n" in image.plain else width
        return Content("\n").join([image, Content.styled(caption, "$quiet").truncate(width).center(across)])


def mixes_colours(app: App[Any]) -> bool:
    """Whether there are greys between paper and ink: not without colours, nor with the terminal's own 16."""
    return not app.no_color and not app.native_ansi_color and app.console.color_system in ("truecolor", "256")


def half_blocks(
    pixels: bytes,
    size: int,
    width: int,
    height: int,
    paper: Color,
    ink: Color,
    heat: bytes = b"",
    warm: Color | None = None,
) -> Content:
    """The image in at most width x height cells, two pixels a cell, its darkest pixel as full ink.

    `heat` colours the paper with `warm`.
    """
    side = even_side(size, min(width, 2 * height))
    grey = resample(pixels, size, side)
    darkest = max(max(map(max, grey)), 1)  # thin strokes are pale once they are averaged
    warmth = resample(heat, size, side) if heat else [[0] * side] * side
    levels = [
        [
            (hot * (HEAT_LEVELS - 1) // 255, value * (LEVELS - 1) // darkest)
            for hot, value in zip(hots, row, strict=True)
        ]
        for hots, row in zip(warmth, grey, strict=True)
    ]
    style = _shades(paper, ink, warm or paper)
    lines = []
    for y in range(0, side, 2):
        runs = groupby(zip(levels[y], levels[y + 1], strict=True))
        parts = [(len(list(run)), pair) for pair, run in runs]
        lines.append(Content.assemble(*[("▀" * length, style(upper, lower)) for length, (upper, lower) in parts]))
    return Content("\n").join(lines)


def even_side(size: int, room: int) -> int:
    """The largest even side up to `room`, a multiple of `size` if there is one."""
    step = size if size % 2 == 0 else 2 * size
    return room // step * step or room // 2 * 2


@cache
def _shades(paper: Color, ink: Color, warm: Color) -> Callable[[Shade, Shade], Style]:
    """A function that gives the style of a half block for its two shades; each style is made once."""
    grounds = [paper.blend(warm, HOTTEST * heat / (HEAT_LEVELS - 1)) for heat in range(HEAT_LEVELS)]
    shades = [[ground.blend(ink, level / (LEVELS - 1)) for level in range(LEVELS)] for ground in grounds]

    @cache
    def style(upper: Shade, lower: Shade) -> Style:
        return Style(foreground=shades[upper[0]][upper[1]], background=shades[lower[0]][lower[1]])

    return style


def braille(
    pixels: bytes,
    size: int,
    width: int,
    height: int,
    heat: bytes = b"",
    colours: tuple[Color, Color] | None = None,
) -> Content:
    """The image in at most width x height cells, eight dots a cell, a dot for each inked pixel.

    Where `heat` is at least half of its maximum, the background is a mix of the two `colours`; without colours such
    cells are reversed.
    """
    side = min(2 * width, 4 * height) // 4 * 4
    side = min(side, size * max(1, side // size)) if side >= size else side
    grey = resample(pixels, size, side)
    warmth = resample(heat, size, side) if heat else []
    hot = Style(reverse=True) if colours is None else Style(background=colours[0].blend(colours[1], HOTTEST))
    lines = []
    for top in range(0, side, 4):
        cells = []
        for left in range(0, side, 2):
            dots = 0
            for y in range(4):
                for x in range(2):
                    if top + y < side and left + x < side and grey[top + y][left + x] >= INK_FROM:
                        dots |= DOTS[y][x]
            is_hot = bool(warmth) and warmth[min(top + 2, side - 1)][min(left + 1, side - 1)] >= HOT_FROM
            cells.append((is_hot, chr(0x2800 + dots)))
        runs = [(is_hot, "".join(cell for _, cell in run)) for is_hot, run in groupby(cells, lambda cell: cell[0])]
        lines.append(Content.assemble(*[(text, hot) if is_hot else text for is_hot, text in runs]))
    return Content("\n").join(lines)


def resample(pixels: bytes, size: int, side: int) -> list[list[int]]:
    """The image resampled to `side` x `side` by area average; a larger side repeats pixels."""
    rows = [list(pixels[y * size : (y + 1) * size]) for y in range(size)]
    if side == size:
        return rows
    across = [_sums(row, side) for row in rows]
    down = [_sums(column, side) for column in zip(*across, strict=True)]
    return [[round(value / size**2) for value in row] for row in zip(*down, strict=True)]


def _sums(values: Sequence[int], side: int) -> list[int]:
    """The sums of `values` over `side` equal shares of their length, each value counted `side` times.

    The sum up to an edge inside a value is that of all values before it plus the share of this value.
    """
    before = (0, *accumulate(values))
    upto = [side * before[index] + part * values[index] for index, part in _edges(len(values), side)]
    return [after - start for start, after in pairwise((*upto, side * before[-1]))]


@cache
def _edges(length: int, side: int) -> list[tuple[int, int]]:
    """Where each share begins: the index of a value, and how many of its `side` parts come before."""
    return [divmod(number * length, side) for number in range(side)]
