"""A terminal screen is drawn cell by cell: letters, braille dots, blocks, colours."""

import sys
from pathlib import Path

import pyte
import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import terminal_image

    def image_of(text: str):
        screen = pyte.Screen(10, 2)
        pyte.Stream(screen).feed(text)
        return terminal_image.draw(screen)

    yield image_of
    sys.modules.pop("terminal_image")


def colours(image, column: int, row: int = 0) -> set:
    """The colours of a cell of 9 by 18 pixels."""
    cell = image.crop((9 * column, 18 * row, 9 * column + 9, 18 * row + 18))
    return {colour for _, colour in cell.getcolors()}


def test_a_screen_is_nine_by_eighteen_pixels_a_cell(draw):
    assert draw("").size == (90, 36)


def test_letters_and_wide_characters_leave_ink_in_their_cells_alone(draw):
    image = draw("a \u7530 b")
    inked = [column for column in range(10) if len(colours(image, column)) > 1]
    assert inked == [0, 2, 3, 5]


def test_each_braille_dot_has_its_place(draw):
    for bit, (left, upper) in {0: (True, True), 7: (False, False), 6: (True, False), 3: (False, True)}.items():
        image = draw(chr(0x2800 + (1 << bit))).crop((0, 0, 9, 18)).convert("L").point(lambda v: 255 * (v > 100))
        x0, y0, x1, y1 = image.getbbox()
        assert ((x0 + x1) / 2 < 4.5, (y0 + y1) / 2 < 9) == (left, upper)


def test_blocks_fill_their_share_of_the_cell(draw):
    image = draw("\x1b[38;2;255;0;0m\u2588\u2584\u258c")
    red = (255, 0, 0)
    shares = []
    for column in range(3):
        cell = image.crop((9 * column, 0, 9 * column + 9, 18))
        shares.append(sum(count for count, colour in cell.getcolors() if colour == red) / (9 * 18))
    assert shares == pytest.approx([1, 0.5, 0.5], abs=0.06)


def test_reverse_swaps_the_colours(draw):
    assert colours(draw("\x1b[38;2;1;2;3m\x1b[48;2;9;8;7m\x1b[7m "), 0) == {(1, 2, 3)}
