"""The terminal is sent less, and shows what it would show if it were sent everything."""

from pathlib import Path

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.drivers.headless_driver import HeadlessDriver

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.shell.shorter_output import sending_less, shorter
from tests.tui.conftest import settled
from tests.tui.test_everywhere import each_screen

SIZE = (120, 40)
LOW = (120, 8)  # all lines that drawn frames use
FIRST_VISIT = 40_000  # bytes
STYLES = ("0", "1;31", "38;2;1;2;3;48;2;4;5;6", "4;48;5;9", "7", "3;92;44", "2;39;49", "1;4;38;5;200", "100")
style = st.sampled_from(STYLES)
text = st.text("ab  漢字é│\u3099", min_size=1, max_size=9)
pieces = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 10), style, text, st.booleans()), max_size=8)


class Terminal:
    """What a terminal shows of the output that it was sent."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.Stream(self.screen)
        self.sent = 0

    def send(self, output: str) -> None:
        self.sent += len(output.encode())
        self._stream.feed(output)

    def cells(self) -> list[list[object]]:
        """Letter and style of each cell; of a blank what one sees of it."""
        width, height = self.screen.columns, self.screen.lines
        return [[_seen(self.screen.buffer[y][x]) for x in range(width)] for y in range(height)]


def _seen(cell: pyte.screens.Char) -> object:
    blank = cell.data == " " and not (cell.underscore or cell.reverse or cell.strikethrough)
    return (cell.data, cell.bg) if blank else cell


@given(st.lists(pieces, min_size=1, max_size=4))
@settings(deadline=None, max_examples=150)
def test_the_terminal_shows_the_same(frames: list) -> None:
    whole, less = Terminal(LOW), Terminal(LOW)
    for frame in frames:
        painted = "".join(
            ("" if follows else f"\x1b[{y};{x}H") + f"\x1b[{style}m{text}\x1b[0m" + ("" if follows else "\n")
            for y, x, style, text, follows in frame
        )
        painted += "\x1b[1;1H"
        whole.send(painted)
        less.send(shorter(painted))
        assert whole.cells() == less.cells()
        assert (less.screen.cursor.x, less.screen.cursor.y) == (0, 0)


def test_a_style_is_sent_as_a_difference() -> None:
    both = "\x1b[1;31;44mred\x1b[0m\x1b[1;32;44mgreen\x1b[0m"
    assert shorter(both) == "\x1b[1;31;44mred\x1b[32mgreen\x1b[0m"
    assert shorter("\x1b[31mred\x1b[0m\x1b[31m too\x1b[0m") == "\x1b[31mred too\x1b[0m"
    assert shorter("\x1b[1;44mbold\x1b[0m\x1b[44m   \x1b[0m") == "\x1b[1;44mbold   \x1b[0m"
    assert shorter("\x1b[4;44mline\x1b[0m\x1b[44m   \x1b[0m") == "\x1b[4;44mline\x1b[0;44m   \x1b[0m"


def test_a_move_to_where_the_cursor_is_is_not_sent() -> None:
    assert shorter("\x1b[2;3Hkanji\n\x1b[2;8Htui") == "\x1b[2;3Hkanjitui"
    assert shorter("\x1b[2;3H漢字\x1b[2;7Htui") == "\x1b[2;3H漢字\x1b[2;7Htui"  # not all terminals agree on widths


def test_other_sequences_are_sent_as_they_are() -> None:
    for sequence in ("\x1b[2J", "\x1b[?1049h", "\x1b]8;;http://x\x07", "\x1b[?2026h"):
        assert shorter(f"\x1b[31mred\x1b[0m{sequence}") == f"\x1b[31mred\x1b[0m{sequence}"


@pytest.mark.usefixtures("no_recogniser")
async def test_the_first_visit_of_a_screen_is_small_and_every_screen_is_as_painted(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert issubclass(sending_less(HeadlessDriver), HeadlessDriver)
    whole, less = Terminal(SIZE), Terminal(SIZE)

    def write(driver: HeadlessDriver, data: str) -> None:
        whole.send(data)
        less.send(shorter(data))

    monkeypatch.setattr(Workbench, "is_headless", False)  # which would paint nothing
    monkeypatch.setattr(HeadlessDriver, "write", write)
    app = Workbench()
    async with app.run_test(size=SIZE) as pilot:
        before = 0
        async for screen in each_screen(pilot):
            assert less.sent - before < FIRST_VISIT, screen
            assert whole.cells() == less.cells()
            before = less.sent
        for key in ("5", "slash", "question_mark", "escape", "f2", "3"):
            await pilot.press(key)
            await settled(pilot)
            assert whole.cells() == less.cells()
    assert less.sent < 0.6 * whole.sent
