"""The page of a run: settings that differ, every metric, the machine, errors, the whole log; it follows its run."""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.widgets import Static

from kanji_tui.events import Load, Outcome, State
from kanji_tui.presentation.document import text_of
from kanji_tui.presentation.run_page import setting_table
from kanji_tui.runs.environment import (
    ENVIRONMENT,
    Environment,
    find_environment,
    read_environment,
    write_environment,
)
from kanji_tui.runs.process import as_json
from kanji_tui.runs.run_directory import RunDirectory
from kanji_tui.system.files import write_json
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.training.run_page import RunPage
from kanji_tui.tui.widgets.curves import Curves
from kanji_tui.workspace.run_views import Tail
from tests.tui.conftest import resized, settled, shows, until, written_for_nothing
from tests.tui.conftest import text_of as shown_text
from tests.tui.recorded import RUN, TRAINED, epochs, train_spec, write_live, write_run

OTHER = "20260102T050607-train-1"
TRACE = (
    "Traceback: "
    + "a line that is far too long for its pane and says what went wrong only at its end " * 3
    + "HERE"
)


def write_other(home: Path) -> None:
    """A finished training with a lower learning rate, the machine's load, a name and a note."""
    spec = train_spec()
    spec["config"]["learning_rate"] = 0.00025
    recall = {"character": "田", "jis": "4544", "samples": 40, "top1": 0.5}
    result = as_json(TRAINED) | {"weakest_classes": [recall]}
    story = [State("running"), *epochs(12), Load(0.5, 2**30, 2**32), Load(0.6, 2**30, 2**32), Outcome(result)]
    run = write_run(home, OTHER, spec, "finished", [*story, State("finished")], f"{TRACE}\n")
    (run.path / "about.json").write_text(json.dumps({"name": "slow", "note": "a tenth of the rate"}))
    write_json(run.path / ENVIRONMENT, asdict(Environment(host="box", processor="a fast one", cores=7)))


async def opened(pilot, note: str = "a tenth of the rate") -> RunPage:
    await pilot.press("3")
    await shows(pilot, "slow")
    await pilot.press("down", "m", "up", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, RunPage))
    await shows(pilot, note)
    return pilot.app.screen


async def test_what_a_run_was_can_be_said_from_its_page(recorded: Path) -> None:
    write_other(recorded)
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        page = await opened(pilot)
        await shows(pilot, "7 cores")
        text = shown_text(pilot)
        assert "1 of 44 differ, marked *" in text
        assert "a slow" in text
        assert "b kanjinet" in text
        first = page.query_one("#setting-list").rows[0]
        assert [text_of(cell) for cell in first.cells[:3]] == ["*", "learning rate", "0.00025"]
        await pilot.press("right")
        await settled(pilot)
        drawn = [chart for chart in page.query(Curves) if chart.region]
        assert len(drawn) == 7  # every metric that was measured
        assert all(chart.region.right <= 120 for chart in drawn)
        await pilot.press("3")
        await shows(pilot, "CPU  machine")
        await pilot.press("4")
        await shows(pilot, "田 4544")
        await pilot.press("5")
        await until(pilot, lambda: "HERE" in shown_text(pilot))  # the end of a long line: it is wrapped
        await pilot.press("y")
        assert app.clipboard.endswith("HERE")
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert app.front is not None
        assert app.front.MODE == "training"  # the digits chose sections


async def test_an_empty_log_is_not_said_to_be_copied(recorded: Path) -> None:
    write_live(recorded)
    app = Workbench()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await pilot.press("3")
        await shows(pilot, "running")
        await pilot.press("enter", "5", "y")
        await shows(pilot, "the log is empty: nothing was copied")


async def test_the_metrics_fill_a_large_screen_and_scroll_on_a_small_one(recorded: Path) -> None:
    write_other(recorded)
    app = Workbench()
    async with app.run_test(size=(200, 60)) as pilot:
        page = await opened(pilot)
        await pilot.press("2")
        await settled(pilot)

        def regions():
            return [chart.region for chart in page.query("#metrics Curves") if chart.display]

        assert len({region.y for region in regions()}) == 2
        assert max(region.bottom for region in regions()) >= 55
        assert max(region.right for region in regions()) >= 180
        await resized(pilot, (80, 24))
        await settled(pilot)
        assert len({region.x for region in regions()}) == 1
        assert all(region.height >= 9 for region in regions())
        metrics = page.query_one("#metrics")
        assert metrics.max_scroll_y > 0
        await pilot.press("down")
        await until(pilot, lambda: metrics.scroll_offset.y == 9)
        await pilot.press("pagedown", "up")
        await until(pilot, lambda: metrics.scroll_offset.y == 9)
        page.action_move(1)
        page.action_move(1)  # before the first is painted, as keys of a slow line come
        assert metrics.scroll_offset.y == 27


async def test_tab_reaches_the_end_of_a_long_note_and_both_tables_of_the_errors(recorded: Path) -> None:
    write_other(recorded)
    note = "\n".join(f"line {number}" for number in range(60)) + "\nits end"
    (recorded / "models" / "runs" / OTHER / "about.json").write_text(json.dumps({"name": "slow", "note": note}))
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot, "line 1")
        assert "its end" not in shown_text(pilot)
        await pilot.press("tab")
        for _ in range(12):
            if "its end" not in shown_text(pilot):
                await pilot.press("pagedown")
                await settled(pilot)
        assert "its end" in shown_text(pilot)
        await pilot.press("4")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "confusions")
        await pilot.press("tab")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "weakest")
        await pilot.press("right")
        await until(pilot, lambda: app.screen.query_one("#log-section").has_class("-shown"))


async def test_the_page_follows_a_running_training(recorded: Path) -> None:
    run = write_live(recorded)
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await shows(pilot, "running")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunPage))
        await shows(pilot, "this run did not record its environment")
        await until(pilot, lambda: "running" in str(app.screen.query_one("#head", Static).visual))
        status = run.status()
        assert status is not None
        run.write_status(replace(status, state="stopped"))
        await until(pilot, lambda: "stopped" in str(app.screen.query_one("#head", Static).visual))


async def test_the_page_of_a_run_that_is_deleted_closes_and_says_so(recorded: Path) -> None:
    write_other(recorded)
    app = Workbench()
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot)
        RunDirectory(recorded / "models" / "runs" / OTHER).delete()
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert [note.message for note in app._notifications] == [f"{OTHER} was deleted"]


async def test_a_run_that_learned_from_no_handwriting_says_so_in_the_list_and_on_its_page(recorded: Path) -> None:
    run = write_live(recorded)
    (run.path / "best_model_info.json").write_text(json.dumps({"source": "drawn sample"}))
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("3")
        await shows(pilot, "kanjinet synthetic")
        await shows(pilot, "synthetic samples")
        await pilot.press("enter")
        await shows(pilot, "trained on synthetic samples, not handwriting")


async def test_its_keys_are_in_its_help(recorded: Path) -> None:
    write_other(recorded)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("question_mark")
        await shows(pilot, "Run: keys")
        assert re.search("right +Next section", shown_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunPage))


async def test_nothing_is_painted_while_nothing_changes(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_other(recorded)
    written: list[str] = []
    monkeypatch.setattr(Workbench, "is_headless", False)  # which would paint nothing
    monkeypatch.setattr(HeadlessDriver, "write", lambda driver, data: written.append(data))
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await shows(pilot, "7 cores")  # read after the page was opened
        for section in "12345":
            await pilot.press(section)
            assert not await written_for_nothing(pilot, written), section


def test_the_settings_of_one_run_have_no_marks(recorded: Path) -> None:
    write_other(recorded)
    tails = [Tail(RunDirectory(recorded / "models" / "runs" / name)) for name in (RUN, OTHER)]
    alone, both = setting_table([tails[0].view]), setting_table([tail.view for tail in tails])
    assert not any(text_of(row.cells[0]) for row in alone.rows)
    assert [text_of(row.cells[1]) for row in both.rows if text_of(row.cells[0])] == ["learning rate"]


def test_the_environment_is_kept_and_read_back(tmp_path: Path) -> None:
    write_environment(tmp_path)
    found = read_environment(tmp_path)
    assert found == find_environment()
    assert found.packages["torch"]
    assert found.cores >= 1
    assert found.memory > 2**28
    (tmp_path / "environment.json").write_text('{"cores": -1}')
    assert read_environment(tmp_path) is None
    assert read_environment(tmp_path / "none") is None
    assert Environment().commit == ""
