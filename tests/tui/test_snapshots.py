"""Every screen at 80x24, 120x40 and 200x60, dialogs at the first two, fed with recorded events and made-up folders.

After a wanted change: pytest tests/tui/test_snapshots.py --snapshot-update, and check the images.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.draw import screen as draw
from kanji_tui.tui.inspector.screen import ModelInspected
from kanji_tui.tui.widgets.drawing_pad import DrawingPad
from tests.drawn import DEN, FOUND, recognise_drawing
from tests.tui.conftest import settled, shows, text_of, until
from tests.tui.inspector_results import write_results
from tests.tui.recorded import CHECKS, INSPECTED, inspected, write_live

SIZES = [(80, 24), (120, 40)]
both_sizes = pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
every_size = pytest.mark.parametrize("size", [*SIZES, (200, 60)], ids=["80x24", "120x40", "200x60"])
Prepare = Callable[[Pilot], Awaitable[None]]


@pytest.fixture
def snap_compare(snap_compare: Callable[..., bool]) -> Callable[..., bool]:
    """Laid out, and painted once more, before it is compared: under a dialog Textual may paint the ground last."""

    def compare(app: Workbench, terminal_size: tuple[int, int], run_before: Prepare) -> bool:
        async def prepare(pilot: Pilot) -> None:
            await run_before(pilot)
            await settled(pilot)
            pilot.app.screen.refresh()
            await pilot.pause()

        return snap_compare(app, terminal_size=terminal_size, run_before=prepare)

    return compare


@pytest.fixture(autouse=True)
def recorded_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks of a machine that is always the same."""
    monkeypatch.setattr("kanji_tui.preflight.all_checks.quick_checks", lambda spec: list(CHECKS))


@every_size
def test_preflight(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await shows(pilot, "FAIL 1")
        await until(pilot, lambda: "checking torch" not in text_of(pilot))
        await shows(pilot, "model kanjinet")
        await pilot.press("down", "down", "down", "down")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@every_size
def test_dataset(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("2")
        await shows(pilot, "digest")
        await shows(pilot, "24 prepared")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@both_sizes
def test_dataset_without_anything(home: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("2")
        await shows(pilot, "no dataset yet")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@both_sizes
def test_sample_form(home: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("2")
        await shows(pilot, "no dataset yet")
        await pilot.press("n", "ctrl+u", *"many")
        await shows(pilot, "not a whole number")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@every_size
def test_training(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("3")
        await shows(pilot, "test 97.1 %")
        await shows(pilot, "100%")
        if size[1] > 30:
            await shows(pilot, "1,108,246 parameters")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@both_sizes
def test_training_live(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    write_live(recorded)

    async def prepare(pilot: Pilot) -> None:
        await pilot.press("3")
        await shows(pilot, "42 s left")
        if size[1] < 30:
            await pilot.press("G")
        await shows(pilot, "H200")
        await shows(pilot, "100%")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@both_sizes
def test_train_form(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("3")
        await shows(pilot, "test 97.1 %")
        await shows(pilot, "100%")
        if size[1] > 30:
            await shows(pilot, "1,108,246 parameters")
        await pilot.press("n")
        await shows(pilot, "learning rate")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@every_size
def test_inspector(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    path = Path(INSPECTED.path)
    path.write_bytes(bytes(4_523_778))
    os.utime(path, (43_200, 43_200))  # its time is shown

    async def prepare(pilot: Pilot) -> None:
        await pilot.press("4")
        await shows(pilot, "press enter to inspect")
        pilot.app.screen.post_message(ModelInspected(inspected(), str(path)))
        await shows(pilot, "GlobalAveragePool")
        await pilot.press("tab", "tab", "tab", "down", "down", "down")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@both_sizes
def test_inspector_results(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    write_results(recorded)

    async def prepare(pilot: Pilot) -> None:
        await pilot.press("4")
        await until(pilot, lambda: len(pilot.app.state.of("compare", "pooling", "export_onnx")) == 4)
        await pilot.press("r")
        await shows(pilot, "1 of 4")
        await pilot.press("down", "down", "down", "down", "down")
        await shows(pilot, "top-1 agreement")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@both_sizes
def test_inspector_export_form(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("4")
        await shows(pilot, "press e to export a model")
        await pilot.press("e")
        await shows(pilot, "verify on")
        await pilot.press("tab", "tab", "tab", "right")
        await shows(pilot, "Opset 13.", 20)

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@every_size
def test_browser(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("5")
        await shows(pilot, "87.5 %")
        await pilot.press("right", "right", "enter")
        await shows(pilot, "─愛  3026─")  # the sample

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@both_sizes
def test_browser_confusions(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("5")
        await shows(pilot, "87.5 %")
        await pilot.press("r")
        await shows(pilot, "predicted as")
        await shows(pilot, "U+")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@every_size
def test_draw(
    recorded: Path, no_recogniser: None, snap_compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(draw, "time", SimpleNamespace(monotonic=lambda: 0.0))

    async def prepare(pilot: Pilot) -> None:
        await pilot.press("6")
        await shows(pilot, "opening the model")
        screen = pilot.app.screen
        screen.post_message(draw.RecogniserReplied(FOUND))
        screen.query_one(DrawingPad).draw(DEN)
        await shows(pilot, "stroke")
        screen.post_message(draw.RecogniserReplied(recognise_drawing(DEN)))
        await shows(pilot, "4544")
        await pilot.press("right", "right", "up")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@both_sizes
def test_draw_without_a_model(home: Path, no_recogniser: None, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("6")
        await shows(pilot, "opening the model")
        await shows(pilot, "no dataset")
        nothing = replace(FOUND, name="", problem="there is no model yet", remedy="train one")
        pilot.app.screen.post_message(draw.RecogniserReplied(nothing))
        await shows(pilot, "press 3 to train a model")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)


@both_sizes
def test_help(recorded: Path, snap_compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot) -> None:
        await pilot.press("5")
        await shows(pilot, "87.5 %")
        await shows(pilot, "─あ  2422─")  # the sample
        await pilot.press("question_mark")
        await shows(pilot, "Browser: keys")

    assert snap_compare(Workbench(), terminal_size=size, run_before=prepare)
