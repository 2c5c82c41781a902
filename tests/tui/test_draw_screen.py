"""Screen 6 by mouse and by keys, with a real model behind it."""

import math
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from kanji_tui.tui.app import Workbench
from kanji_tui.tui.draw.screen import DrawScreen
from kanji_tui.tui.widgets.drawing_pad import STEPS, DrawingPad
from kanji_tui.tui.widgets.line_input import LineInput
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.pen import ink, smooth, spread
from tests.conftest import Trained
from tests.drawn import DEN, DRAWN
from tests.tui.conftest import shows, text_of, until
from tests.tui.test_app import open_workbench, read, read_until_quiet

share = st.floats(0, 1, allow_nan=False)
lines = st.lists(st.tuples(share, share), min_size=1, max_size=12)


@pytest.fixture(scope="session")
def model_home(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained model beside its dataset, already exported as the child would do it each time."""
    from kanji_tui.export.quick_export import export_quickly
    from kanji_tui.recognition.models import load_recogniser

    models = tmp_path_factory.mktemp("drawing") / "models"
    models.mkdir()
    for name in ("best_kanji_model.pth", "best_model_info.json"):
        (models / name).write_bytes((trained.models_dir / name).read_bytes())
    card = load_recogniser(trained.model_path)[1]
    export_quickly(trained.model_path, models / f"{card.export_name('tract')}.onnx")
    (models.parent / "dataset").symlink_to(trained.data_dir)
    return models.parent


@pytest.fixture
def ready(model_home: Path, home: Path) -> Path:
    """A folder of the test's own with model and dataset, and the current directory."""
    for name in ("models", "dataset"):
        (home / name).symlink_to(model_home / name)
    return home


async def open_screen(pilot: Pilot) -> DrawingPad:
    await pilot.press("6")
    await until(pilot, lambda: isinstance(pilot.app.screen, DrawScreen))
    return pilot.app.screen.query_one(DrawingPad)


async def drag(pilot: Pilot, stroke: tuple[tuple[float, float], ...]) -> None:
    """Drag the mouse along a stroke, cell by cell."""
    sheet = pilot.app.screen.query_one(DrawingPad)
    width, height = sheet.content_size
    cells = [(1 + int(x * (width - 1)), 1 + int(y * (height - 1))) for x, y in stroke]
    await pilot.mouse_down(sheet, offset=cells[0])
    for (x, y), (to_x, to_y) in pairwise(cells):
        steps = max(abs(to_x - x), abs(to_y - y), 1)
        for number in range(1, steps + 1, 2):
            at = round(x + (to_x - x) * number / steps), round(y + (to_y - y) * number / steps)
            await pilot.hover(sheet, offset=at)
        await pilot.hover(sheet, offset=(to_x, to_y))
    await pilot.mouse_up(sheet, offset=cells[-1])


async def walk(pilot: Pilot, stroke: tuple[tuple[float, float], ...]) -> None:
    """Draw a stroke of straight lines with the keys alone."""
    sheet = pilot.app.screen.query_one(DrawingPad)

    async def go(point: tuple[float, float]) -> None:
        for axis, keys in ((0, ("left", "right")), (1, ("up", "down"))):
            distance = round(point[axis] * STEPS) - sheet._cursor[axis]
            jumps, steps = divmod(abs(distance), 4)
            key = keys[distance > 0]
            await pilot.press(*[f"shift+{key}"] * jumps, *[key] * steps)

    await go(stroke[0])
    await pilot.press("space")
    for point in stroke[1:]:
        await go(point)
    await pilot.press("space")


def top(pilot: Pilot) -> str:
    """The first candidate's character, or nothing."""
    rows = pilot.app.screen.query_one("#candidates", ListTable).rows
    return rows[0].cells[1].text if rows else ""


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_character_drawn_with_the_mouse_is_read(ready: Path, size: tuple[int, int]) -> None:
    async with Workbench().run_test(size=size) as pilot:
        sheet = await open_screen(pilot)
        assert sheet.content_size.width == 2 * sheet.content_size.height
        for stroke in DRAWN["田"]:
            await drag(pilot, stroke)
        assert len(sheet.strokes) == len(DRAWN["田"])
        await until(pilot, lambda: top(pilot) == "田")
        await shows(pilot, "12")
        await shows(pilot, " ms")
        assert len(pilot.app.screen.query_one("#candidates", ListTable).rows) == 10


async def test_a_character_drawn_with_the_keys_is_read(ready: Path) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await open_screen(pilot)
        await walk(pilot, DEN[0])
        await pilot.press("space")
        await shows(pilot, "pen down")
        await pilot.press("u")
        await until(pilot, lambda: "pen down" not in text_of(pilot))
        for stroke in DEN[1:]:
            await walk(pilot, stroke)
        await until(pilot, lambda: top(pilot) == "田")


async def test_undo_redo_and_clear(home: Path) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        sheet = await open_screen(pilot)
        await drag(pilot, ((0.5, 0.5), (0.6, 0.6)))  # with the mouse no cursor is in the way
        await pilot.press("u")
        empty = inked(pilot)
        await drag(pilot, ((0.1, 0.1), (0.9, 0.1)))
        one = sheet.strokes
        first = inked(pilot)
        await drag(pilot, ((0.1, 0.5), (0.9, 0.9)))
        two = sheet.strokes
        second = inked(pilot)
        await pilot.press("c")
        assert (sheet.strokes, inked(pilot)) == ((), empty)
        await pilot.press("u")
        assert (sheet.strokes, inked(pilot)) == (two, second)
        await pilot.press("u")
        assert (sheet.strokes, inked(pilot)) == (one, first)
        await pilot.press("r", "r")
        assert sheet.strokes == ()
        await pilot.press("u", "u", "u", "u")
        assert sheet.strokes == ()
        await pilot.press("r")
        assert sheet.strokes == one
        await drag(pilot, ((0.5, 0.5), (0.6, 0.5)))
        await pilot.press("r")  # what was undone is gone once something new is drawn
        assert len(sheet.strokes) == 2


def inked(pilot: Pilot) -> list[str]:
    """The sheet's part of the screen."""
    return [line[:41] for line in text_of(pilot).split("\n")[1:21]]


async def test_the_drawing_keeps_its_place_when_the_terminal_changes(home: Path) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        sheet = await open_screen(pilot)
        await drag(pilot, ((0.2, 0.2), (0.8, 0.8)))
        before = sheet.strokes
        await pilot.resize_terminal(140, 50)
        await pilot.pause()
        assert sheet.strokes == before
        width, height = sheet.content_size
        assert width == 2 * height > 60
        assert sheet._cells.keys() == ink(before[0], width).keys()


async def test_saving_by_number_by_code_and_from_the_list(ready: Path) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await open_screen(pilot)
        for stroke in DEN:
            await drag(pilot, stroke)
        await until(pilot, lambda: top(pilot) == "田")
        third = pilot.app.screen.query_one("#candidates", ListTable).rows[2].cells[1].text

        async def saved(character: str, number: int) -> None:
            folder = Path("samples") / character
            await until(pilot, lambda: len(list(folder.glob("*.png"))) == number)
            await until(pilot, lambda: pilot.app.focused is pilot.app.screen.query_one(DrawingPad))

        await pilot.press("s")
        await shows(pilot, "samples/田/")
        await pilot.press("enter")
        await saved("田", 1)
        await pilot.press("s", "3")
        await shows(pilot, f"samples/{third}/")
        await pilot.press("enter")
        await saved(third, 1)
        await pilot.press("s", *"4545")
        await shows(pilot, "4545  -> samples/電/")
        await pilot.press("ctrl+u", *"zz")
        await shows(pilot, "no such character")
        await pilot.press("escape", "s", "漢")
        await shows(pilot, "3441  -> samples/漢/")
        await pilot.press("enter")
        await saved("漢", 1)
        await pilot.press("tab", "down", "enter")
        second = pilot.app.screen.query_one("#candidates", ListTable).rows[1].cells[1].text
        await saved(second, 1)
        assert {path.name for path in Path("samples").iterdir()} == {"田", third, "漢", second}


async def test_a_label_that_means_nothing_is_refused_in_a_sentence(home: Path) -> None:
    async with Workbench().run_test(size=(80, 24), notifications=True) as pilot:
        await open_screen(pilot)
        await drag(pilot, ((0.2, 0.2), (0.8, 0.8)))
        await pilot.press("s", *"zz")
        await shows(pilot, "no such character")
        await pilot.press("enter")
        await shows(pilot, "names no character")
        assert not Path("samples").exists()
        assert isinstance(pilot.app.focused, DrawingPad | LineInput)


async def test_without_a_model_it_has_a_next_step(home: Path) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await open_screen(pilot)
        await shows(pilot, "press 3 to train a model")
        await drag(pilot, ((0.2, 0.2), (0.8, 0.8)))
        await shows(pilot, "⠻⣄⡀")  # the image
        await pilot.press("s", "田", "enter")
        await until(pilot, lambda: list(Path("samples/田").glob("*.png")))


async def test_a_dead_child_is_replaced_and_leaving_ends_it(ready: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await open_screen(pilot)
        screen = app.screen
        assert isinstance(screen, DrawScreen)
        for stroke in DEN[:4]:
            await drag(pilot, stroke)
        await until(pilot, lambda: top(pilot))
        first = screen._recogniser.pid
        os.kill(first, signal.SIGKILL)
        await drag(pilot, DEN[4])
        await until(pilot, lambda: top(pilot) == "田")
        await until(pilot, lambda: screen._recogniser.pid not in (None, first))
        second = screen._recogniser.pid
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_the_workbench_itself_never_loads_the_engine(ready: Path) -> None:
    code = """
import asyncio, sys
from kanji_tui.tui.app import Workbench

app = Workbench()

async def main():
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await pilot.pause(0.3)
        app.screen.query_one("#pad").draw((((0.1, 0.1), (0.9, 0.9)),))
        while not app.screen.query_one("#candidates").rows:
            await pilot.pause(0.1)
        print(sorted({"torch", "onnx", "onnxruntime", "tract"} & set(sys.modules)))

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ready, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def mouse(button: int, x: int, y: int, up: bool = False) -> bytes:
    """A mouse event as a terminal sends it (SGR)."""
    return f"\x1b[<{button};{x + 1};{y + 1}{'m' if up else 'M'}".encode()


def test_a_real_terminal_gets_few_bytes_a_stroke_and_none_at_rest(ready: Path) -> None:
    process, terminal = open_workbench(ready, {})
    try:
        read_until_quiet(terminal, 0.6)
        os.write(terminal, b"6")
        read_until_quiet(terminal, 2.0)
        os.write(terminal, mouse(0, 6, 10))
        for x in range(7, 34):
            os.write(terminal, mouse(32, x, 10))
        os.write(terminal, mouse(0, 34, 10, up=True))
        painted = read_until_quiet(terminal, 1.0)
        assert "⣿" in painted.decode() or "⠿" in painted.decode() or "⣶" in painted.decode()
        assert " ms" in painted.decode()
        assert len(painted) < 20_000
        assert read(terminal, 1.2) == b""
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


@given(lines, st.floats(0.01, 0.1))
@settings(deadline=None, max_examples=60)
def test_a_smooth_stroke_begins_and_ends_where_it_was_drawn(points: list, reach: float) -> None:
    found = smooth(points, reach)
    assert math.dist(found[0], points[0]) < 1e-3
    assert math.dist(found[-1], points[-1]) < 1e-3 or len(found) == 1
    for axis in range(2):
        values = [point[axis] for point in points]
        assert all(min(values) - 1e-3 <= point[axis] <= max(values) + 1e-3 for point in found)
    assert all(math.dist(a, b) <= reach for a, b in pairwise(found))


def test_smoothing_takes_the_stairs_out_of_a_slanted_line() -> None:
    cells = [((column + 0.5) / 38, (column // 4 * 2 + 1) / 38) for column in range(38)]
    away = [abs(y - x / 2 - 0.008) for x, y in smooth(cells, 2 / 38)]
    stairs = [abs(y - x / 2 - 0.008) for x, y in cells]
    assert max(away) < max(stairs) / 2


@given(lines, st.sampled_from([8, 38, 70]))
@example([(1.0, 1.0)], 8)
@settings(deadline=None, max_examples=60)
def test_ink_lies_on_the_sheet_and_along_the_line(points: list, columns: int) -> None:
    cells = ink(points, columns)
    assert all(0 <= x < columns and 0 <= y < columns // 2 and 0 < bits < 256 for (x, y), bits in cells.items())
    for x, y in spread(points, 0.01):
        inside = min(columns - 1, int(x * columns)), min(columns // 2 - 1, int(y * columns / 2))
        assert any(abs(inside[0] - cx) <= 1 and abs(inside[1] - cy) <= 1 for cx, cy in cells)
