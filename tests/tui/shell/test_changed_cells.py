"""The terminal is sent little, and shows what it would show if it were sent everything."""

from pathlib import Path

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.drivers.headless_driver import HeadlessDriver

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.shell.changed_cells import ChangedCells, SendsChanges, sending_changes
from tests.tui.conftest import settled
from tests.tui.test_everywhere import each_screen

SIZE = (120, 40)
FIRST_VISIT = 40_000  # bytes
STYLES = ("0", "1;31", "38;2;1;2;3;48;2;4;5;6", "4;48;5;9", "7", "3;92;44", "2;39;49")
style = st.sampled_from(STYLES)
text = st.text("ab  漢字é│", min_size=1, max_size=9)
pieces = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 10), style, text), max_size=6)


class Terminal:
    """What a terminal shows of the output that it was sent."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(*SIZE)
        self._stream = pyte.Stream(self.screen)
        self.sent = 0

    def send(self, output: str) -> None:
        self.sent += len(output.encode())
        self._stream.feed(output)

    def cells(self) -> list[list[object]]:
        """Letter and style of each cell; of a blank what one sees of it."""
        return [[_seen(self.screen.buffer[y][x]) for x in range(SIZE[0])] for y in range(SIZE[1])]


def _seen(cell: pyte.screens.Char) -> object:
    blank = cell.data == " " and not (cell.underscore or cell.reverse or cell.strikethrough)
    return (cell.data, cell.bg) if blank else cell


@given(st.lists(pieces, min_size=1, max_size=5))
@settings(deadline=None, max_examples=150)
def test_the_terminal_shows_the_same(frames: list) -> None:
    cells, whole, short = ChangedCells(), Terminal(), Terminal()
    for frame in frames:
        painted = "".join(f"\x1b[{y};{x}H\x1b[{style}m{text}\x1b[0m\n" for y, x, style, text in frame) + "\x1b[1;1H"
        shortened = cells.shortened(painted)
        whole.send(painted)
        short.send(shortened)
        assert whole.cells() == short.cells()
        assert (short.screen.cursor.x, short.screen.cursor.y) == (0, 0)


def test_what_is_there_already_is_not_sent() -> None:
    cells = ChangedCells()
    line = "\x1b[3;5H\x1b[1;31mrecords 24\x1b[0m"
    assert "records 24" in cells.shortened(line)
    assert cells.shortened(line) == ""
    assert cells.shortened(line.replace("24", "25")) == "\x1b[C\x1b[1;31m5\x1b[0m".replace("\x1b[C", "\x1b[3;14H")


def test_what_may_have_changed_anything_is_passed_on_and_all_is_sent_again() -> None:
    for sequence in ("\x1b[2J", "\x1b[?1049h", "\x1b]8;;http://x\x07"):
        cells = ChangedCells()
        line = "\x1b[1;1H\x1b[31mkanji\x1b[0m"
        cells.shortened(line)
        assert sequence in cells.shortened(sequence)
        assert "kanji" in cells.shortened(line), sequence
    cells.forget()
    assert "kanji" in cells.shortened(line)


def test_letters_drawn_over_each_other_are_sent_as_they_are() -> None:
    cells = ChangedCells()
    for _ in range(2):
        assert "か\u3099" in cells.shortened("\x1b[1;1Hか\u3099き")


def test_a_sequence_may_come_in_two_parts() -> None:
    cells = ChangedCells()
    assert cells.shortened("\x1b[1;1H\x1b[3") + cells.shortened("1mx") == "\x1b[1;1H\x1b[0;31mx"


@pytest.mark.usefixtures("no_recogniser")
async def test_the_first_visit_of_a_screen_is_small_and_every_screen_is_as_painted(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert issubclass(sending_changes(HeadlessDriver), SendsChanges)
    whole, short, cells = Terminal(), Terminal(), ChangedCells()

    def write(driver: HeadlessDriver, data: str) -> None:
        whole.send(data)
        short.send(cells.shortened(data))

    monkeypatch.setattr(Workbench, "is_headless", False)  # which would paint nothing
    monkeypatch.setattr(HeadlessDriver, "write", write)
    app = Workbench()
    async with app.run_test(size=SIZE) as pilot:
        before = 0
        async for screen in each_screen(pilot):
            assert short.sent - before < FIRST_VISIT, screen
            assert whole.cells() == short.cells()
            before = short.sent
        for key in ("5", "slash", "question_mark", "escape", "f2", "3"):
            await pilot.press(key)
            await settled(pilot)
            assert whole.cells() == short.cells()
    assert short.sent < whole.sent / 3
