"""Screen 6 by mouse and by keys, with a real model behind it."""

import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from textual.pilot import Pilot

from kanji_tui.characters.readings import readings_of
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.draw.screen import DrawScreen, RecogniserReplied
from kanji_tui.tui.widgets.drawing_pad import STEPS, DrawingPad
from kanji_tui.tui.widgets.line_input import LineInput
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.pen import ink
from tests.conftest import Trained
from tests.drawn import DEN, FOUND, recognise_drawing
from tests.tui.conftest import children_with, resized, shows, text_of, until
from tests.tui.terminal import plain, press, read_until, read_until_silent, without_torch, workbench

Line = tuple[tuple[float, float], ...]
SLANTED: Line = ((0.2, 0.2), (0.8, 0.8))


@pytest.fixture(scope="session")
def model_home(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained model beside its dataset, already exported as the child would do it each time."""
    from kanji_tui.export.quick_export import export_quickly
    from kanji_tui.recognition.weights import load_recogniser

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


async def drag(pilot: Pilot, stroke: Line) -> None:
    """Drag the mouse along a stroke, some cells at a time."""
    pad = pilot.app.screen.query_one(DrawingPad)
    width, height = pad.content_size
    cells = [(1 + int(x * (width - 1)), 1 + int(y * (height - 1))) for x, y in stroke]
    await pilot.mouse_down(pad, offset=cells[0])
    for (x, y), (to_x, to_y) in pairwise(cells):
        await pilot.hover(pad, offset=((x + to_x) // 2, (y + to_y) // 2))
        await pilot.hover(pad, offset=(to_x, to_y))
    await pilot.mouse_up(pad, offset=cells[-1])


async def walk(pilot: Pilot, stroke: Line) -> None:
    """Draw a stroke of straight lines with the keys alone, from the upper left corner on."""
    await pilot.press(*["shift+home"] * (STEPS // 4))
    at = [0, 0]
    for number, point in enumerate(stroke):
        for axis, keys in ((0, ("left", "right")), (1, ("up", "down"))):
            distance = round(point[axis] * STEPS) - at[axis]
            jumps, steps = divmod(abs(distance), 4)
            key = keys[distance > 0]
            await pilot.press(*[f"shift+{key}"] * jumps, *[key] * steps)
            at[axis] += distance
        if number == 0:
            await pilot.press("space")
    await pilot.press("space")


def candidates(pilot: Pilot) -> list[str]:
    """The characters of the candidates, the best first."""
    return [row.cells[1].text for row in pilot.app.screen.query_one("#candidates", ListTable).rows]


async def test_drawings_by_mouse_and_keys_are_read_at_any_size_and_saved(ready: Path) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        pad = await open_screen(pilot)
        for size in ((120, 40), (80, 24)):
            await resized(pilot, size)
            await draw_with_the_keys(pilot)
            await pilot.press("d")
            await draw_with_the_mouse(pilot, pad)
            if size == (120, 40):
                await pilot.press("d")
        await save_by_number_by_code_and_from_the_list(pilot)


async def draw_with_the_mouse(pilot: Pilot, pad: DrawingPad) -> None:
    assert pad.content_size.width == 2 * pad.content_size.height
    for stroke in DEN:
        await drag(pilot, stroke)
    assert len(pad.strokes) == len(DEN)
    await until(pilot, lambda: candidates(pilot)[:1] == ["田"])
    assert len(candidates(pilot)) == 10
    await shows(pilot, " ms")
    await shows(pilot, "classes  12")
    await shows(pilot, "candidates  田 デン た")


async def draw_with_the_keys(pilot: Pilot) -> None:
    await walk(pilot, DEN[0])
    await pilot.press("space")
    await shows(pilot, "pen down")
    await pilot.press("z")
    await until(pilot, lambda: "pen down" not in text_of(pilot))
    for stroke in DEN[1:]:
        await walk(pilot, stroke)
    await until(pilot, lambda: candidates(pilot)[:1] == ["田"])


async def save_by_number_by_code_and_from_the_list(pilot: Pilot) -> None:
    second, third = candidates(pilot)[1:3]

    async def saved(character: str) -> None:
        folder = Path("samples") / character
        await until(pilot, lambda: len(list(folder.glob("*.png"))) == 1)
        await until(pilot, lambda: pilot.app.focused is pilot.app.screen.query_one(DrawingPad))

    await pilot.press("w")
    await shows(pilot, "samples/田/")
    await pilot.press("enter")
    await saved("田")
    await pilot.press("w", "3")
    await shows(pilot, f"samples/{third}/")
    await pilot.press("enter")
    await saved(third)
    await pilot.press("w", *"4545")
    await shows(pilot, "4545  -> samples/電/")
    await pilot.press("ctrl+u", *"zz")
    await shows(pilot, "no such character")
    await pilot.press("escape", "w", "漢")
    await shows(pilot, "3441  -> samples/漢/")
    await pilot.press("enter")
    await saved("漢")
    await pilot.press("tab", "down")
    await shows(pilot, f"candidates  {second} {readings_of(second)[0]}")
    await pilot.press("enter")
    await saved(second)
    assert {path.name for path in Path("samples").iterdir()} == {"田", third, "漢", second}


async def test_undo_redo_and_clear(home: Path, no_recogniser: None) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        pad = await open_screen(pilot)
        await drag(pilot, ((0.5, 0.5), (0.6, 0.6)))  # with the mouse no cursor is in the way
        await pilot.press("z")
        empty = inked(pilot)
        await drag(pilot, ((0.1, 0.1), (0.9, 0.1)))
        one = pad.strokes
        first = inked(pilot)
        await drag(pilot, ((0.1, 0.5), (0.9, 0.9)))
        two = pad.strokes
        second = inked(pilot)
        await pilot.press("d")
        assert (pad.strokes, inked(pilot)) == ((), empty)
        await pilot.press("z")
        assert (pad.strokes, inked(pilot)) == (two, second)
        await pilot.press("z")
        assert (pad.strokes, inked(pilot)) == (one, first)
        await pilot.press("Z", "Z")
        assert pad.strokes == ()
        await pilot.press("z", "z", "z", "z")
        assert pad.strokes == ()
        await pilot.press("Z")
        assert pad.strokes == one
        await drag(pilot, ((0.5, 0.5), (0.6, 0.5)))
        await pilot.press("Z")  # what was undone is gone once something new is drawn
        assert len(pad.strokes) == 2


def inked(pilot: Pilot) -> list[str]:
    """The pad's part of the screen."""
    return [line[:41] for line in text_of(pilot).split("\n")[1:21]]


async def test_the_drawing_keeps_its_place_when_the_terminal_changes(home: Path, no_recogniser: None) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        pad = await open_screen(pilot)
        await drag(pilot, SLANTED)
        before = pad.strokes
        await resized(pilot, (140, 50))
        assert pad.strokes == before
        width, height = pad.content_size
        assert width == 2 * height > 60
        left, top = pad.content_region.offset
        rows = text_of(pilot).split("\n")
        inked = ink(before[0], width)
        assert {(x, y): rows[top + y][left + x] for x, y in inked} == {
            cell: chr(0x2800 + dots) for cell, dots in inked.items()
        }


async def test_an_unknown_label_is_refused_with_a_message(home: Path) -> None:
    async with Workbench().run_test(size=(80, 24), notifications=True) as pilot:
        await open_screen(pilot)
        await drag(pilot, SLANTED)
        await pilot.press("w", *"zz")
        await shows(pilot, "no such character")
        await pilot.press("enter")
        await shows(pilot, "is not a character")
        assert not Path("samples").exists()
        assert isinstance(pilot.app.focused, LineInput)  # it stays open, with what was typed
        assert pilot.app.focused.value == "zz"
        assert not pilot.app._notifications  # said once, below the field
        await pilot.press("ctrl+u")
        await shows(pilot, "1-10, 田, 4544, U+7530")
        await pilot.press("田", "enter")
        await until(pilot, lambda: list(Path("samples/田").glob("*.png")))
        await until(pilot, lambda: isinstance(pilot.app.focused, DrawingPad))


async def test_the_keys_are_shown_before_there_is_a_model_or_a_drawing(home: Path, no_recogniser: None) -> None:
    async with Workbench().run_test(size=(80, 24), notifications=True) as pilot:
        await open_screen(pilot)
        await shows(pilot, "opening the model")
        text = text_of(pilot)
        assert "draw with the mouse, or with arrows" in text
        assert all(key in text.splitlines()[-1] for key in ("z Undo", "Z Redo", "d Delete", "w Write"))
        await pilot.press("w")
        await shows(pilot, "nothing drawn yet: draw")
        assert isinstance(pilot.app.focused, DrawingPad)
        await resized(pilot, (60, 24))
        assert "and space (pen down, pen up)" in text_of(pilot)


async def test_while_a_drawing_waits_for_its_candidates_that_is_said(home: Path, no_recogniser: None) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await open_screen(pilot)
        await shows(pilot, "nothing drawn yet")
        await drag(pilot, SLANTED)
        await shows(pilot, "recognising ...")
        assert "nothing drawn yet" not in text_of(pilot)
        await pilot.press("w")
        await shows(pilot, "a character, its JIS code")
        pilot.app.screen.post_message(RecogniserReplied(recognise_drawing(DEN)))
        await shows(pilot, "enter: 田")
        await shows(pilot, "田 4544  -> samples/田/")


async def test_a_sentence_below_the_label_is_whole(home: Path, no_recogniser: None) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await open_screen(pilot)
        await drag(pilot, SLANTED)
        await pilot.press("w", *"zz")
        await shows(pilot, "no such character: type a character,")
        assert "its JIS code or code point" in text_of(pilot)


async def test_another_published_model_is_opened_and_until_then_that_is_said(
    recorded: Path, no_recogniser: None
) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await open_screen(pilot)
        await shows(pilot, "model kanjinet")
        pilot.app.screen.post_message(RecogniserReplied(FOUND))
        await until(pilot, lambda: "opening the model" not in text_of(pilot))
        os.utime(recorded / "models" / "best_kanji_model.pth")
        await shows(pilot, "opening the model")


async def test_in_an_empty_folder_the_built_in_model_reads(home: Path) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        await open_screen(pilot)
        await shows(pilot, "built-in")
        for stroke in DEN:
            await drag(pilot, stroke)
        await until(pilot, lambda: candidates(pilot)[:1] == ["田"])
        await pilot.press("w", "田", "enter")
        await until(pilot, lambda: list(Path("samples/田").glob("*.png")))


async def test_a_lone_dot_is_not_read_as_a_character(home: Path) -> None:
    async with Workbench().run_test(size=(80, 24)) as pilot:
        pad = await open_screen(pilot)
        await shows(pilot, "nothing drawn yet")
        await pilot.press("space", "space")
        assert pad.strokes
        await shows(pilot, "a single point: nothing to read")
        await drag(pilot, SLANTED)
        await until(pilot, lambda: len(candidates(pilot)) == 10)
        await pilot.press("z")
        await shows(pilot, "a single point: nothing to read")
        assert candidates(pilot) == []
        await pilot.press("w", "田", "enter")  # it may be a sample all the same
        await until(pilot, lambda: list(Path("samples/田").glob("*.png")))


async def test_a_dead_child_is_replaced_and_leaving_ends_it(ready: Path) -> None:
    def recognisers() -> list[int]:
        return children_with("drawing.server")

    async with Workbench().run_test(size=(80, 24)) as pilot:
        await open_screen(pilot)
        await drag(pilot, DEN[0])
        await until(pilot, lambda: candidates(pilot))
        await pilot.press("d")
        (first,) = recognisers()
        os.kill(first, signal.SIGKILL)
        await drag(pilot, DEN[1])
        await until(pilot, lambda: candidates(pilot))
        (second,) = recognisers()
        assert second != first
    assert not recognisers()


def test_no_screen_loads_torch_or_an_engine_into_the_workbench(ready: Path) -> None:
    code = """
import asyncio, sys
from kanji_tui.tui.app import Workbench

app = Workbench()
before_start = set(sys.modules)  # numpy comes with the worker's first reads, never before the first paint

async def main():
    from tests.tui.conftest import answer_slow_checks, shows, until

    answer_slow_checks()
    async with app.run_test(size=(80, 24)) as pilot:
        shown = {"2": "skipped", "3": "no run", "4": "ONNX files", "5": "U+", "1": "next  ", "6": "classes  12"}
        for key, text in shown.items():
            await pilot.press(key)
            await shows(pilot, text)
        app.screen.query_one("#pad").draw((((0.1, 0.1), (0.9, 0.9)),))
        await until(pilot, lambda: app.screen.query_one("#candidates").rows)
        print(sorted({"torch", "onnx", "onnxruntime", "tract"} & set(sys.modules)), "numpy" in before_start)

asyncio.run(main())
"""
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ready,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == "[] False", done.stdout + done.stderr


def mouse(button: int, x: int, y: int, up: bool = False) -> str:
    """A mouse event as a terminal sends it (SGR)."""
    return f"\x1b[<{button};{x + 1};{y + 1}{'m' if up else 'M'}"


def test_a_real_terminal_gets_few_bytes_a_stroke_and_none_at_rest(
    ready: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with workbench(ready, PYTHONPATH=without_torch(tmp_path_factory.mktemp("path"))) as terminal:
        read_until(terminal, "next  ")
        press(terminal, "6")
        read_until(terminal, "classes  12")
        read_until_silent(terminal, 0.6)
        press(terminal, mouse(0, 6, 10))
        press(terminal, "".join(mouse(32, x, 10) for x in range(7, 34)))
        press(terminal, mouse(0, 34, 10, up=True))
        painted = read_until(terminal, " ms") + read_until_silent(terminal, 1.1)
        assert set(plain(painted)) & set("⣿⠿⣶")
        assert len(painted) < 20_000
