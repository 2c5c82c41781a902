"""What holds on every screen: any size, keys and palette, the order of the focus, the looks, silence at rest."""

import inspect
import json
import os
import stat
from itertools import pairwise
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.actions import parse
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widget import Widget

from kanji_tui.presentation.tabs import SCREENS
from kanji_tui.recognition.drawing.client import RecogniserClient
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
from tests.tui.conftest import shows, until
from tests.tui.recorded import write_live
from tests.tui.test_app import open_workbench, paint, read, read_until_quiet

SETTLED = {
    "preflight": "next  ", "dataset": "digest", "training": "finished", "inspector": "ONNX files",
    "browser": "top-1 87.5 %", "draw": "opening the model",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_model_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Draw screen waits for its recogniser, which here never hears of it."""
    monkeypatch.setattr(RecogniserClient, "_ask", lambda *request: None)


async def each_screen(pilot: Pilot):
    """Go to one screen after the other, each once it shows what it is for."""
    for digit, screen in enumerate(map(screen_class, SCREENS), start=1):
        await pilot.press(str(digit))
        await until(pilot, lambda screen=screen: isinstance(pilot.app.screen, screen))
        await shows(pilot, SETTLED[screen.MODE])
        yield pilot.app.screen


# sizes


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (250, 70)], ids=["80x24", "120x40", "250x70"])
async def test_every_screen_fits(recorded: Path, size: tuple[int, int]) -> None:
    write_live(recorded)
    app = Workbench()
    async with app.run_test(size=size) as pilot:
        async for screen in each_screen(pilot):
            strips = screen._compositor.render_strips()
            lines = ["".join(segment.text for segment in strip) for strip in strips]
            assert [cell_len(line) for line in lines] == [size[0]] * size[1], screen
            keys = lines[-1]
            assert all(f"{key} {words}" in keys for key, words in ALWAYS)
            assert "…" not in keys
            for widget in screen.walk_children(Widget):
                if widget.is_on_screen and widget.region.area:
                    assert screen.region.contains_region(widget.region) or widget.parent.allow_vertical_scroll
            assert len(app.screen_stack) == 1  # a training runs, and nothing stands in the way


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
    output = " ".join(f"{keys} {words}" for keys, words in EVERYWHERE).replace(",", " ").split()
    for widget in (ListTable, CharacterGrid, LogTail):
        for binding in widget.BINDINGS:
            assert isinstance(binding, Binding)
            for key in binding.key.split(","):
                shown = "arrows" if key in ("up", "down", "left", "right") else names.get(key, key)
                assert shown in output, (widget, key)


def test_no_two_actions_share_a_key() -> None:
    own = [key for binding in Workbench.BINDINGS for key in binding.key.split(",")]  # type: ignore[union-attr]
    for screen in map(screen_class, SCREENS):
        keys = [key for binding in screen.BINDINGS for key in binding.key.split(",")]  # type: ignore[union-attr]
        assert len(set(keys)) == len(keys), screen
        assert not set(keys) & set(own), screen


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


FOCUS = {
    "preflight": ["checks"],
    "dataset": ["files", "overview-pane", "checks"],
    "training": ["runs", "epochs", "log"],
    "inspector": ["models", "operators", "engines", "nodes"],
    "browser": ["grid", "samples"],
    "draw": ["pad", "candidates"],
}


async def test_tab_goes_from_the_top_left_to_the_bottom_right(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        async for screen in each_screen(pilot):
            assert isinstance(screen, WorkbenchScreen)
            assert f"#{FOCUS[screen.MODE][0]}" == screen.AUTO_FOCUS
            await until(pilot, lambda screen=screen: app.focused is not None and app.focused.screen is screen)
            order = FOCUS[screen.MODE]
            assert [widget.id for widget in screen.focus_chain] == order
            first = order.index(str(app.focused and app.focused.id))
            for step in range(1, len(order) + 1):
                await pilot.press("tab")
                assert app.focused is not None
                assert app.focused.id == order[(first + step) % len(order)]
            regions = [widget.region for widget in screen.focus_chain]
            assert all(not (after.y < before.y and after.x <= before.x) for before, after in pairwise(regions))


# themes


async def test_the_theme_is_kept_between_starts(recorded: Path) -> None:
    for theme in (INK, PAPER, TERMINAL, INK):
        app = Workbench()
        async with app.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "next  ")
            assert app.theme == theme.name
            await pilot.press("f2")
            await until(pilot, lambda app=app: read_settings().theme == app.theme)
    assert json.loads(settings_file().read_text()) == {"theme": PAPER.name}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"theme": 3}', '{"theme": "purple"}'])
async def test_settings_that_cannot_be_read_never_stop_the_start(recorded: Path, text: str) -> None:
    settings_file().parent.mkdir(parents=True)
    settings_file().write_text(text)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "next  ")
        assert app.theme == INK.name


async def test_settings_that_cannot_be_written_are_reported(recorded: Path) -> None:
    settings_file().parent.parent.mkdir(parents=True, exist_ok=True)
    settings_file().parent.write_text("a file where the folder should be")
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await shows(pilot, "next  ")
        await pilot.press("f2")
        await until(
            pilot, lambda: any("could not be written" in notice.message for notice in app._notifications), 20
        )
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


@pytest.mark.parametrize("theme", THEMES, ids=[theme.name for theme in THEMES])
async def test_every_screen_opens_in_every_theme(recorded: Path, theme) -> None:
    write_settings(Settings(theme.name))
    write_live(recorded)
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        async for _ in each_screen(pilot):
            assert app.theme == theme.name
            await pilot.press("question_mark", "escape")


def test_without_colours_no_colour_is_sent_and_with_sixteen_no_other(recorded: Path) -> None:
    write_settings(Settings(PAPER.name))
    for key in b"35":
        plain = paint(recorded, bytes([key]), {"NO_COLOR": "1"})
        assert not colours_in(plain) - {"39", "49"}
    sixteen = paint(recorded, b"3", {"TERM": "xterm", "COLORTERM": ""})
    found = colours_in(sixteen)
    assert found
    assert found <= {str(code) for base in (30, 40, 90, 100) for code in range(base, base + 10)}


def colours_in(painted: str) -> set[str]:
    """The SGR numbers that set a colour; `38;...` for any other than the sixteen."""
    found: set[str] = set()
    for part in painted.split("\x1b[")[1:]:
        numbers = part.split("m")[0]
        if "38;" in numbers or "48;" in numbers:
            found.add(numbers)
        elif "m" in part and numbers.replace(";", "").isdigit():
            found |= {number for number in numbers.split(";") if int(number) >= 30}
    return found


# silence


def test_every_screen_is_silent_at_rest(recorded: Path) -> None:
    """On a real pseudo terminal, with nothing running; also with an input focused."""
    if read_gpus():
        pytest.skip("the figures of this machine's GPU move")
    (recorded / "models" / "best_kanji_model.pth").unlink()  # Draw would try for seconds to open what is no model
    process, terminal = open_workbench(recorded, {})
    try:
        read_until_quiet(terminal, 3)  # torch answers late
        for keys in ("2", "1", "4", "6", "3", "f", "\x1b5", "/"):
            os.write(terminal, keys.encode())
            read_until_quiet(terminal, 3 if keys == "6" else 0.8)
            assert read(terminal, 1.2) == b"", keys
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


async def test_news_that_change_nothing_are_not_painted(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workbench, "is_headless", False)  # which would paint nothing anyway
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        async for screen in each_screen(pilot):
            # Preflight's slow checks arrive later.
            await until(pilot, lambda screen=screen: not getattr(screen, "_waiting", None))
            await pilot.pause(0.6)
            painted: list[str] = []
            with monkeypatch.context() as patch:
                patch.setattr(app._driver, "write", painted.append)
                for _ in range(3):
                    screen.refresh_state()
                    await pilot.pause(0.1)
                assert painted == [], screen
                screen.refresh()
                await pilot.pause(0.1)
                assert painted != []
