"""What one reads is legible in sixteen colours, on black and on white; what is chosen is seen without colours."""

from pathlib import Path

import pytest

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.shell.settings import Settings, write_settings
from kanji_tui.tui.shell.theme import PAPER, TERMINAL
from kanji_tui.tui.widgets.list_table import ListTable
from tests.tui.conftest import painted, shows

# The colours of xterm; "ansi_default" is legible on the terminal's own background.
XTERM = {
    "ansi_red": "cd0000", "ansi_green": "00cd00", "ansi_yellow": "cdcd00", "ansi_blue": "0000ee",
    "ansi_magenta": "cd00cd", "ansi_cyan": "00cdcd", "ansi_bright_black": "7f7f7f", "ansi_bright_red": "ff0000",
    "ansi_bright_green": "00ff00", "ansi_bright_yellow": "ffff00", "ansi_bright_blue": "5c5cff",
    "ansi_bright_magenta": "ff00ff", "ansi_bright_cyan": "00ffff",
}  # fmt: skip
LEGIBLE = 3.0  # the contrast that WCAG asks of large text and of marks


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("name", ["primary", "accent", "success", "warning", "error", "quiet", "faint", "rule"])
def test_a_colour_of_sixteen_is_legible_on_black_and_on_white(name: str) -> None:
    colour = TERMINAL.variables.get(name) or getattr(TERMINAL, name)
    if colour == "ansi_default":
        return
    own = luminance(XTERM[colour])
    assert (own + 0.05) / 0.05 >= LEGIBLE, "on black"
    assert 1.05 / (own + 0.05) >= LEGIBLE, "on white"


async def test_the_chosen_row_is_reversed_where_colours_cannot_show_it(recorded: Path) -> None:
    write_settings(Settings(TERMINAL.name))
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await shows(pilot, "finished")
        runs = app.screen.query_one("#runs", ListTable)
        row = painted(pilot)[runs.region.y + 2]
        chosen = [segment for segment in row if "kanjinet" in segment.text]
        assert chosen
        assert all(segment.style and segment.style.reverse for segment in chosen[:1])


@pytest.mark.parametrize("term", ["xterm", "xterm-16color"])
def test_a_terminal_of_sixteen_colours_gets_them_and_others_the_theme_of_ones_choice(
    term: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What such a terminal is sent: test_everywhere.py."""
    write_settings(Settings(PAPER.name))
    assert Workbench().theme == PAPER.name
    monkeypatch.setenv("TERM", term)
    monkeypatch.delenv("COLORTERM")
    assert Workbench().theme == TERMINAL.name
