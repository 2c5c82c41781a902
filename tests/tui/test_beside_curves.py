"""What stands beside the curves: note and settings at any size, and as many charts as one wants, on pages."""

import json
import re
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from kanji_tui.presentation.document import text_of
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.training.settings_pane import SettingsPane
from kanji_tui.tui.widgets.curves import Curves
from kanji_tui.tui.widgets.list_table import ListTable
from tests.tui.conftest import resized, settled, shows, until, written_for_nothing
from tests.tui.conftest import text_of as shown_text
from tests.tui.recorded import write_live
from tests.tui.test_run_page import OTHER, write_other

LONG = (
    "a tenth of the rate, because the loss of the run before rose again after its ninth epoch, as others did: THERE"
)


@pytest.fixture
def two_runs(recorded: Path) -> Path:
    write_other(recorded)
    about = {"name": "slow", "note": LONG}
    (recorded / "models" / "runs" / OTHER / "about.json").write_text(json.dumps(about))
    return recorded


async def opened(pilot: Pilot) -> None:
    await pilot.press("3")
    await shows(pilot, "slow  finished")
    await settled(pilot)


def settings_of(pilot: Pilot) -> ListTable | None:
    """The settings that are visible, if any."""
    shown = [pane for pane in pilot.app.screen.query(SettingsPane) if pane.display]
    assert len(shown) <= 1
    return shown[0].query_one(ListTable) if shown else None


def drawn(pilot: Pilot) -> list[Curves]:
    return [chart for chart in pilot.app.screen.query(Curves) if chart.region.area]


def titles(pilot: Pilot) -> list[str]:
    return [chart._chart.title for chart in drawn(pilot)]


def grid_of(pilot: Pilot) -> tuple[int, int]:
    """Rows and columns of what is drawn."""
    regions = [chart.region for chart in drawn(pilot)]
    return len({region.y for region in regions}), len({region.x for region in regions})


@pytest.mark.parametrize("size", [(200, 60), (120, 40), (100, 24), (80, 40), (80, 24)])
async def test_note_and_settings_stand_beside_the_curves_of_any_screen(two_runs: Path, size: tuple) -> None:
    app = Workbench()
    async with app.run_test(size=size) as pilot:
        await opened(pilot)
        roomy = size[0] >= 100 and size[1] >= 40
        assert (settings_of(pilot) is not None) is roomy  # by itself only where there is room for it
        if not roomy:
            await pilot.press("E")
        await until(pilot, lambda: settings_of(pilot))
        await settled(pilot)
        settings = settings_of(pilot)
        assert settings is not None
        assert settings.region.height >= 4
        assert settings.region.bottom <= size[1] - 2
        assert LONG.split()[-1] in shown_text(pilot)  # the whole note, wrapped
        values = {row.key: text_of(row.cells[2]) for row in settings.rows}
        assert (values["learning_rate"], values["network"]) == ("0.00025", "kanjinet")
        assert all(chart.region.width >= 20 and chart.region.height >= 6 for chart in drawn(pilot))
        assert len(drawn(pilot)) >= 2
        await pilot.press("down", "m", "up")
        await shows(pilot, "settings  1 of 44 differ, marked *")
        first = settings.rows[0].cells
        assert [text_of(cell) for cell in first[:3]] == ["*", "learning rate", "0.00025"]
        assert "* learning rate" in shown_text(pilot)
        assert "0.00025" in shown_text(pilot)
        await pilot.press("E")
        await until(pilot, lambda: settings_of(pilot) is None)
        await pilot.press("down")  # the choice stays from run to run
        await settled(pilot)
        assert settings_of(pilot) is None


async def test_below_the_curves_of_a_small_screen_settings_take_the_place_of_the_epochs(two_runs: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("down", "m", "up", "E")
        await until(pilot, lambda: settings_of(pilot))
        await settled(pilot)
        shown = shown_text(pilot)
        assert "─epochs" not in shown
        assert "b slow" in shown  # the legend, and the column
        assert "a kanjinet" in next(line for line in shown.splitlines() if "setting  " in line)
        await pilot.press("T")  # both, if one wants
        await shows(pilot, "─epochs")
        assert settings_of(pilot) is not None
        await resized(pilot, (120, 40))
        settings = settings_of(pilot)
        assert settings is not None
        assert settings.region.right < drawn(pilot)[0].region.x


async def test_settings_are_filtered_and_scrolled_once_they_have_the_focus(two_runs: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await pilot.press("down", "m", "up", "tab", "f")
        await shows(pilot, "settings matching")
        await pilot.press(*"rate", "enter")
        await shows(pilot, "settings  rate  2 of 44")
        settings = settings_of(pilot)
        assert settings is not None
        assert [row.key for row in settings.rows] == ["learning_rate", "final_learning_rate"]
        assert app.focused is settings
        await pilot.press("f", "ctrl+u", "asterisk")
        await until(pilot, lambda: [row.key for row in settings.rows] == ["learning_rate"])  # what differs
        await pilot.press("ctrl+u", *"no such")
        await shows(pilot, "no setting matches: press f, esc")
        await pilot.press("escape", "end")
        await shows(pilot, "data dir")  # the last
        await pilot.press("E")
        await until(pilot, lambda: settings_of(pilot) is None)
        assert app.focused is app.screen.query_one("#runs")
        await pilot.press("f")
        await shows(pilot, "runs with, as")


async def test_a_large_screen_has_more_than_the_usual_charts(two_runs: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(200, 60)) as pilot:
        await opened(pilot)
        assert titles(pilot) == ["loss", "top-1", "learning rate", "samples/s", "CPU", "memory"]
        assert grid_of(pilot) == (2, 3)
        await pilot.press("C")
        await until(pilot, lambda: not drawn(pilot))
        await pilot.press("C")
        await until(pilot, lambda: len(drawn(pilot)) == 6)
        await resized(pilot, (120, 40))
        await until(pilot, lambda: titles(pilot) == ["loss", "top-1"])


async def test_any_number_of_charts_stands_in_the_rows_and_columns_of_ones_choice_on_pages(two_runs: Path) -> None:
    every = ["loss", "top-1", "learning rate", "seconds", "top-3", "top-5", "samples/s", "CPU", "memory"]
    app = Workbench()
    async with app.run_test(size=(200, 60)) as pilot:
        await opened(pilot)
        await pilot.press("slash", ".", "enter", "R", *"3x3", "enter")
        await until(pilot, lambda: titles(pilot) == every and grid_of(pilot) == (3, 3))
        assert "charts 1-" not in shown_text(pilot)  # all are there: nothing to be said
        assert settings_of(pilot) is not None
        assert app.screen.query_one("#log").region.height >= 4
        await pilot.press("R", "ctrl+u", *"2x2", "enter")
        await shows(pilot, "charts 1-4 of 9")
        await pilot.press("greater_than_sign", "greater_than_sign")
        await shows(pilot, "chart 9 of 9")
        assert titles(pilot) == every[8:]
        await pilot.press("greater_than_sign", "less_than_sign")  # after the last comes none
        await shows(pilot, "charts 5-8 of 9")
        assert titles(pilot) == every[4:8]
        await pilot.press("down")
        await until(pilot, lambda: titles(pilot) == every[4:7])  # that run has no load of a machine
        await pilot.press("up", "slash", "ctrl+u", *"top", "enter")
        await until(pilot, lambda: titles(pilot) == ["top-1", "top-3", "top-5"])
        await pilot.press("R", "escape", "slash", "escape")
        await until(pilot, lambda: grid_of(pilot) == (2, 3))


async def test_a_grid_that_cannot_be_is_as_near_as_can_be_read_or_said_to_be_none(two_runs: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("slash", ".", "enter", "R", *"9x9", "enter")
        await shows(pilot, "charts 1-4 of 9")
        await settled(pilot)
        assert grid_of(pilot) == (2, 2)
        assert all(chart.region.height >= 6 and chart.region.width >= 20 for chart in drawn(pilot))
        await pilot.press("R", *"x")
        await shows(pilot, "'9x9x' is not rows x columns")
        assert grid_of(pilot) == (2, 2)
        await pilot.press("escape")
        await until(pilot, lambda: "not rows" not in shown_text(pilot))
        await pilot.press("slash", "ctrl+u", *"no such")
        await shows(pilot, "no metric matches no such: press /, esc")
        await pilot.press("escape")
        await until(pilot, lambda: titles(pilot) == ["loss", "top-1"])


async def test_charts_of_other_pages_are_not_drawn_and_at_rest_nothing_is_sent(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_live(recorded)
    written: list[str] = []
    monkeypatch.setattr(Workbench, "is_headless", False)  # which would paint nothing
    monkeypatch.setattr(HeadlessDriver, "write", lambda driver, data: written.append(data))
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await shows(pilot, "running")
        await pilot.press("slash", ".", "enter", "R", *"1x2", "enter", "greater_than_sign")
        await shows(pilot, "charts 3-4 of")
        await settled(pilot)
        hidden = [chart for chart in app.screen.query(Curves) if not chart.region.area]
        assert hidden
        assert not await written_for_nothing(pilot, written)
        styles = app.screen.query_one("#curves").styles._updates
        assert not await written_for_nothing(pilot, written)
        assert app.screen.query_one("#curves").styles._updates == styles  # laid out once


async def test_what_the_lines_are_is_said_also_where_the_titles_have_no_room(recorded: Path) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await shows(pilot, "train  val  ┊ best")
        await pilot.press("S", "S", "right")
        await shows(pilot, "smoothed  train  val  ┊ best  faint: measured")
        assert re.search(r"─loss t [0-9.]+ v [0-9.]+─", shown_text(pilot))
        await resized(pilot, (160, 30))
        await pilot.press("S")
        await until(pilot, lambda: re.search(r"─loss  train [0-9.]+  val [0-9.]+  ┊ best─", shown_text(pilot)))
