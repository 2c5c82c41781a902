"""What holds on every screen: any size, keys and palette, the order of the focus, the themes, silence at rest."""

import inspect
import json
import stat
from itertools import pairwise
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.actions import parse
from textual.binding import Binding
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot
from textual.widget import Widget

from kanji_tui.presentation.tabs import SCREENS
from kanji_tui.system.gpu import read_gpus
from kanji_tui.tui.app import Workbench, screen_class
from kanji_tui.tui.shell.base_screen import WorkbenchScreen
from kanji_tui.tui.shell.help import EVERYWHERE
from kanji_tui.tui.shell.key_line import ALWAYS
from kanji_tui.tui.shell.settings import Settings, read_settings, settings_file, write_settings
from kanji_tui.tui.shell.theme import INK, PAPER, TERMINAL, THEMES
from kanji_tui.tui.widgets.character_grid import CharacterGrid
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.log_tail import LogTail
from tests.tui.conftest import painted, resized, settled, shows, text_of, until
from tests.tui.recorded import write_live
from tests.tui.terminal import (
    plain,
    press,
    read_until,
    read_until_silent,
    shown,
    terminal_screen,
    without_torch,
    workbench,
)

pytestmark = pytest.mark.usefixtures("no_recogniser")
SETTLED = {
    "preflight": "next  ", "dataset": "digest", "training": "finished", "inspector": "ONNX files",
    "browser": "87.5 %", "draw": "opening the model",
}  # fmt: skip


async def each_screen(pilot: Pilot):
    """Go to one screen after the other, each once it shows what it is for."""
    for digit, screen in enumerate(map(screen_class, SCREENS), start=1):
        await pilot.press(str(digit))
        await until(pilot, lambda screen=screen: isinstance(pilot.app.screen, screen))
        await shows(pilot, SETTLED[screen.MODE])
        await settled(pilot)
        assert f"{digit} {screen.MODE.title()}" in text_of(pilot)
        yield pilot.app.screen


# all screens


async def test_each_screen_fits_has_an_order_of_focus_and_is_not_painted_for_nothing(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshots hold what fits into 80x24 and 120x40."""
    write_live(recorded)
    monkeypatch.setattr(Workbench, "is_headless", False)  # which would paint nothing
    async with Workbench().run_test(size=(250, 70)) as pilot:
        async for screen in each_screen(pilot):
            assert isinstance(screen, WorkbenchScreen)
            everything_fits(pilot)
            await resized(pilot, (120, 40))
            await tab_goes_from_the_top_left_to_the_bottom_right(pilot, screen)
            await news_that_change_nothing_are_not_painted(pilot, screen, monkeypatch)
            await resized(pilot, (250, 70))


def everything_fits(pilot: Pilot) -> None:
    """Every row is as wide as the terminal, no key is cut, no widget is larger than the screen."""
    screen, (width, height) = pilot.app.screen, pilot.app.size
    lines = [strip.text for strip in painted(pilot)]
    assert [cell_len(line) for line in lines] == [width] * height, screen
    keys = lines[-1]
    assert all(f"{key} {text}" in keys for key, text in ALWAYS)
    assert "…" not in keys
    for widget in screen.walk_children(Widget):
        if widget.is_on_screen and widget.region.area:
            assert screen.region.contains_region(widget.region) or widget.parent.allow_vertical_scroll
    assert len(pilot.app.screen_stack) == 1  # a training runs, and nothing stands in the way


async def test_what_a_narrow_terminal_has_no_room_for_ends_with_dots(recorded: Path) -> None:
    def cut(pilot: Pilot, begins: str) -> bool:
        (line,) = [line for line in text_of(pilot).splitlines() if begins in line]
        return line.endswith("…")

    async with Workbench().run_test(size=(40, 24)) as pilot:
        await shows(pilot, "next  ")
        await until(pilot, lambda: cut(pilot, "next  "))
        await resized(pilot, (60, 24))
        await pilot.press("3", "/", ".", "enter")
        await until(pilot, lambda: " of 7" in text_of(pilot) and cut(pilot, " of 7"))


FOCUS = {
    "preflight": ["checks"],
    "dataset": ["files", "overview-pane", "checks"],
    "training": ["runs", "settings", "epochs", "gpu", "log"],
    "inspector": ["models", "operators", "engines", "nodes"],
    "browser": ["grid", "samples"],
    "draw": ["pad", "candidates"],
}


async def tab_goes_from_the_top_left_to_the_bottom_right(pilot: Pilot, screen: WorkbenchScreen) -> None:
    app, order = pilot.app, FOCUS[screen.MODE]
    assert f"#{order[0]}" == screen.AUTO_FOCUS
    await until(pilot, lambda: app.focused is not None and app.focused.screen is screen)
    assert [widget.id for widget in screen.focus_chain] == order
    first = order.index(str(app.focused and app.focused.id))
    for step in range(1, len(order) + 1):
        await pilot.press("tab")
        assert app.focused is not None
        assert app.focused.id == order[(first + step) % len(order)]
    regions = [widget.region for widget in screen.focus_chain]
    assert all(not (after.y < before.y and after.x <= before.x) for before, after in pairwise(regions))


async def news_that_change_nothing_are_not_painted(
    pilot: Pilot, screen: WorkbenchScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    async def painted_by_news() -> bool:
        """Whether three refreshes painted something although the screen did not change."""
        before = painted(pilot)
        await pilot.pause()
        written.clear()
        for _ in range(3):
            screen.refresh_state()
            await pilot.pause()
        return bool(written) and painted(pilot) == before

    with monkeypatch.context() as patch:
        patch.setattr(HeadlessDriver, "write", lambda driver, data: written.append(data))
        assert not await painted_by_news(), screen
        written.clear()
        screen.refresh()
        await until(pilot, lambda: written)


# keys


def test_every_action_of_a_screen_has_a_key_that_help_shows() -> None:
    for screen in map(screen_class, SCREENS):
        bound = {parse(binding.action)[1] for binding in screen.own_bindings()}
        made = {
            name.removeprefix("action_")
            for parent in screen.__mro__
            if issubclass(parent, WorkbenchScreen)
            for name, member in vars(parent).items()
            if name.startswith("action_") and inspect.isroutine(member)
        }
        assert made == bound, screen


def test_every_key_of_a_list_is_in_the_help() -> None:
    names = {"pageup": "pgup", "pagedown": "pgdn"}
    output = " ".join(f"{keys} {text}" for keys, text in EVERYWHERE).replace(",", " ").split()
    for widget in (ListTable, CharacterGrid, LogTail):
        for binding in widget.BINDINGS:
            assert isinstance(binding, Binding)
            for key in binding.key.split(","):
                shown = "arrows" if key in ("up", "down", "left", "right") else names.get(key, key)
                assert shown in output, (widget, key)


async def test_the_last_line_has_the_most_important_keys_and_while_one_types_only_those_that_are_keys(
    recorded: Path,
) -> None:
    write_live(recorded)
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await shows(pilot, " n New  s Stop  e Export  P Publish")
        await pilot.press("f")
        await shows(pilot, "enter done  esc back  ^p actions")
        last = text_of(pilot).splitlines()[-1].split("  ")
        assert [part.strip() for part in last if part.strip()] == ["enter done", "esc back", "^p actions"]
        await pilot.press("s", "?", "q", "enter")
        await shows(pilot, "? help  ^p actions  q leave")
        assert "no match" in text_of(pilot)


def test_no_two_actions_share_a_key() -> None:
    own = [key for binding in Workbench.BINDINGS for key in binding.key.split(",")]  # type: ignore[union-attr]
    for screen in map(screen_class, SCREENS):
        keys = [key for binding in screen.BINDINGS for key in binding.key.split(",")]  # type: ignore[union-attr]
        assert len(set(keys)) == len(keys), screen
        assert not set(keys) & set(own), screen


# What a letter does, on every screen that has it; the others have no meaning there.
LETTERS = {
    "a": "About", "b": "Outliers, Suspects", "c": "Compare", "d": "Delete", "e": "Export", "f": "Filter",
    "g": "Samples", "h": "Mean image, Saliency", "i": "Inspect", "l": "List, Columns, Layers", "m": "Mark",
    "n": "New, Predict all", "o": "Sort", "p": "Prepare", "r": "Results, Confusions", "s": "Stop", "t": "Split",
    "u": "Resume", "v": "Verify", "w": "Write, Write sheet", "x": "Errors", "y": "Copy, Copy remedy", "z": "Undo",
    "C": "Curves", "E": "Settings", "F": "Find in log", "G": "GPU", "H": "Feature maps", "L": "Log", "M": "Layers",
    "P": "Publish", "R": "Grid", "S": "Scale", "T": "Table", "U": "Undo publish", "V": "Pooling", "W": "Serve",
    "X": "X axis", "Y": "Copy report", "Z": "Redo",
}  # fmt: skip


def test_one_letter_has_one_meaning_on_all_screens() -> None:
    """`n` begins something, `h` is a heat map, `l` a list, `r` shows results, `b` what may be bad, `w` writes."""
    found: dict[str, set[str]] = {}
    for screen in map(screen_class, SCREENS):
        for binding in screen.own_bindings():
            if len(binding.key) == 1 and binding.key.isalpha():
                found.setdefault(binding.key, set()).add(binding.description)
    assert found == {letter: set(meant.split(", ")) for letter, meant in LETTERS.items()}


def test_a_running_job_is_stopped_by_the_same_key_everywhere_and_no_letter_of_a_list_is_one_of_a_screen() -> None:
    for screen in map(screen_class, SCREENS):
        stops = [binding.key for binding in screen.own_bindings() if binding.action == "stop"]
        assert stops == (["s"] if screen.MODE not in ("preflight", "draw") else []), screen
        own = {key for binding in screen.own_bindings() for key in binding.key.split(",")}
        for widget in (ListTable, CharacterGrid, LogTail):
            keys = {key for binding in widget.BINDINGS for key in binding.key.split(",")}  # type: ignore[union-attr]
            assert not {key for key in keys & own if len(key) == 1}, (screen, widget)


async def test_the_palette_has_what_the_keys_have_and_nothing_else(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "model kanjinet")
        wanted = {
            f"{screen.MODE.title()}: {binding.description} ({binding.key_display or binding.key})"
            for screen in map(screen_class, SCREENS)
            for binding in screen.own_bindings()
        }
        wanted |= {f"Go to {mode.title()} ({digit})" for digit, mode in enumerate(SCREENS, start=1)}
        wanted |= {"Help (?)", "Theme (f2)", "Screenshot (f3)", "Leave (q)"}
        offered = [action.name for action in app.named_actions()]
        assert sorted(offered) == sorted(wanted)  # on Preflight all of its own can be done
        shown = [keys.split()[0] for keys, _ in EVERYWHERE]
        assert {"1", "?", "f2", "f3", "q"} <= set(shown)


# themes


async def test_the_theme_is_kept_between_starts(recorded: Path) -> None:
    for themes in ((INK, PAPER), (PAPER, TERMINAL, INK)):
        app = Workbench()
        async with app.run_test(size=(80, 24)) as pilot:
            assert app.theme == themes[0].name
            for theme in themes[1:]:
                await pilot.press("f2")
                assert app.theme == theme.name
                await until(pilot, lambda app=app: read_settings().theme == app.theme)
    assert json.loads(settings_file().read_text()) == {"theme": INK.name}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"theme": 3}', '{"theme": "purple"}'])
def test_settings_that_cannot_be_read_never_stop_the_start(text: str) -> None:
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text(text)
    assert Workbench().theme == INK.name


async def test_settings_that_cannot_be_written_are_reported(recorded: Path) -> None:
    settings_file().parent.parent.mkdir(parents=True, exist_ok=True)
    settings_file().parent.write_text("a file where the folder should be")
    app = Workbench()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("f2")
        await shows(pilot, "could not be written")
        assert app.theme == PAPER.name


def test_the_theme_of_older_settings_is_read(home: Path) -> None:
    settings_file().parent.mkdir(parents=True, exist_ok=True)
    settings_file().write_text('{"look": "paper"}')
    assert read_settings() == Settings("paper")


def test_where_settings_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for value in ("", "relative/folder"):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        assert settings_file() == tmp_path / ".config" / "kanji-tui" / "settings.json"
    assert read_settings() == Settings()
    write_settings(Settings("paper"))
    assert read_settings() == Settings("paper")
    assert [stat.S_ISREG(path.stat().st_mode) for path in settings_file().parent.iterdir()] == [True]


async def test_every_screen_opens_in_the_colours_of_the_terminal_has_help_and_changes_to_other_themes(
    recorded: Path,
) -> None:
    write_settings(Settings(TERMINAL.name))
    app = Workbench()
    async with app.run_test(size=(120, 60)) as pilot:
        async for screen in each_screen(pilot):
            for theme in THEMES:
                await pilot.press("f2")
                assert app.theme == theme.name
                assert SETTLED[screen.MODE] in text_of(pilot)
            await pilot.press("question_mark")
            await shows(pilot, "everywhere")
            shown = text_of(pilot)
            assert all((binding.tooltip or binding.description) in shown for binding in screen.own_bindings())
            await pilot.press("escape")


# on a pseudo terminal


@pytest.fixture
def torchless(recorded: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The recorded workspace without its model, on a machine without torch: no child works for seconds."""
    monkeypatch.setenv("PYTHONPATH", without_torch(tmp_path_factory.mktemp("path")))
    (recorded / "models" / "best_kanji_model.pth").unlink()
    write_settings(Settings(PAPER.name))
    return recorded


def test_no_colour_is_sent_where_none_is_wanted(torchless: Path) -> None:
    with workbench(torchless, NO_COLOR="1") as terminal:
        found = read_until(terminal, "next  ")
        for key, text in (("3", "finished"), ("5", "U+3042")):
            press(terminal, key)
            found += read_until(terminal, text)
    assert not colours_in(found) - {"39", "49"}
    assert "▀" not in plain(found)  # grey half blocks need colours


def test_every_screen_has_only_the_colours_of_the_terminal_and_is_silent_at_rest(torchless: Path) -> None:
    """Also with an input focused."""
    if read_gpus():
        pytest.skip("the figures of this machine's GPU move")
    steps = (
        ("2", "digest"), ("1", "next  "), ("4", "ONNX files"), ("6", "built-in"), ("3", "finished"),
        ("\r", "1 settings"), ("2", "top-1"), ("5", "kanjinet: 1,108"), ("\x1b", "start run"),
        ("f", "runs with, as"), ("zz", "no match"), ("\x1b", "finished"), ("5", "U+3042"), ("/", "nichi, JIS"),
    )  # fmt: skip
    with workbench(torchless, TERM="xterm", COLORTERM="") as terminal:
        found = read_until(terminal, "next  ")
        for keys, text in steps:
            press(terminal, keys)
            found += read_until(terminal, text)
            if keys == "\x1b":  # back where it was silent
                continue
            # a clock in the frame of all screens would tick once a second; a cursor begins to blink after one
            found += read_until_silent(terminal, 1.3 if keys in ("3", "f", "zz", "/") else 0.6)
            if keys == "3":
                assert chosen_is_reversed(terminal)
    colours = colours_in(found)
    assert colours
    assert colours <= {str(code) for base in (30, 40, 90, 100) for code in range(base, base + 10)}
    assert "▀" not in plain(found)


def chosen_is_reversed(terminal: int) -> bool:
    row = next(y for y, line in enumerate(shown(terminal).splitlines()) if "finished" in line and y > 2)
    return bool(terminal_screen(terminal).buffer[row][2].reverse)


def colours_in(painted: bytes) -> set[str]:
    """The SGR numbers that set a colour; `38;...` for any other than the sixteen."""
    found: set[str] = set()
    for part in painted.decode().split("\x1b[")[1:]:
        numbers = part.split("m")[0]
        if "38;" in numbers or "48;" in numbers:
            found.add(numbers)
        elif "m" in part and numbers.replace(";", "").isdigit():
            found |= {number for number in numbers.split(";") if int(number) >= 30}
    return found
