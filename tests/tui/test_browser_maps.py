"""Saliency and feature maps in the Browser."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.color import Color
from textual.pilot import Pilot
from textual.style import Style

from kanji_tui.errors import KanjiError
from kanji_tui.events import SilentReport
from kanji_tui.jobs import feature_maps
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.browser.sample_maps import FeatureMapsComputed
from kanji_tui.tui.browser.sample_pane import SaliencyMap, strongest
from kanji_tui.tui.browser.screen import BrowserScreen
from kanji_tui.tui.shell.messages import QuestionFailed
from kanji_tui.tui.widgets.image_view import ImageView, braille, half_blocks
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.map_grid import MapGrid, Maps, SmallMap, arrange
from tests.tui.conftest import children_with, shows, text_of, until
from tests.tui.test_browser_screen import browse
from tests.tui.test_widgets import Bare


async def test_a_saliency_map_is_computed_by_a_child(home: Path, trained, forked_children: None) -> None:
    (home / "dataset").symlink_to(trained.data_dir)
    shutil.copytree(trained.models_dir, home / "models")
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        await shows(pilot, "h Saliency")
        image = app.screen.query_one("#image", ImageView)
        plain = image.render()
        await pilot.press("h")
        await shows(pilot, "class activation map of")
        assert "strongest" in text_of(pilot)
        assert not image.render().is_same(plain)
        assert image.render().plain == plain.plain  # the strokes stay as they are
        first = record(pilot)
        app.worker.ask_child = None  # type: ignore[assignment]
        await pilot.press("enter", "down")  # the next are there already, and no child is asked
        await until(pilot, lambda: record(pilot) != first)
        assert "class activation map of" in text_of(pilot)
        await pilot.press("h")
        await until(pilot, lambda: "class activation map" not in text_of(pilot))


async def test_one_child_computes_maps_however_fast_the_cursor_goes_and_none_once_they_are_away(
    recorded: Path,
) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await browse(pilot)
        await pilot.press("x")
        await shows(pilot, "all errors by confidence")
        await pilot.press("h")
        await until(pilot, computing)
        (child,) = computing()
        os.kill(child, signal.SIGSTOP)  # it does not end by itself
        samples = app.screen.query_one("#samples", ListTable)
        for _ in range(3):
            before = record(pilot)
            await pilot.press("down")
            await until(pilot, lambda before=before: record(pilot) != before)
        assert samples.cursor == 3
        assert computing() == [child]
        await pilot.press("h")
        await until(pilot, lambda: not computing())


async def test_feature_maps_stand_beside_the_image_layer_by_layer(
    home: Path, trained, forked_children: None
) -> None:
    (home / "dataset").symlink_to(trained.data_dir)
    shutil.copytree(trained.models_dir, home / "models")
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        await shows(pilot, "H Feature maps")
        assert "] Next" not in text_of(pilot)
        await pilot.press("H")
        await shows(pilot, "stem  1 of 13")
        await shows(pilot, "] Next  [ Previous  M Layers")
        assert "32 x 16x16, the 4 that vary most" in text_of(pilot)
        image, grid = app.screen.query_one("#image", ImageView), app.screen.query_one(MapGrid)
        assert image.region.right < grid.region.x
        number = app.screen._sample.number  # type: ignore[attr-defined]
        expected = expected_maps(trained, number)
        for name, maps in expected.items():
            await shows(pilot, f"{name}  {list(expected).index(name) + 1} of 13")
            assert grid._shown is not None
            assert grid._shown.maps == maps
            assert all(one.caption in grid.render().plain for one in maps[:2])
            await pilot.press("right_square_bracket")
        await shows(pilot, "body.15  13 of 13")  # not beyond the last
        await pilot.press("left_square_bracket")
        await shows(pilot, "body.12  12 of 13")
        first = record(pilot)
        app.worker.ask_child = None  # type: ignore[assignment]
        await pilot.press("enter", "down")  # the next are there already, of every layer
        await until(pilot, lambda: record(pilot) != first)
        assert "body.12  12 of 13" in text_of(pilot)
        assert app.screen.query_one("#samples", ListTable).display
        assert not app.screen.query_one("#left").display
        await pilot.press("H")
        await until(pilot, lambda: "body.12  12 of 13" not in text_of(pilot))
        assert app.screen.query_one("#left").display


def expected_maps(trained, number: int) -> dict[str, tuple[SmallMap, ...]]:
    """The maps of a sample by layer, as the command gives them."""
    spec = feature_maps.Spec(trained.model_path, trained.data_dir, samples=(number,))
    (image,) = feature_maps.run(spec, SilentReport()).images
    return {
        one.layer: tuple(SmallMap(str(found.channel), bytes.fromhex(found.levels)) for found in one.maps)
        for one in image.layers
    }


async def test_the_layers_of_another_published_model_are_not_those_of_the_one_before(
    home: Path, trained, forked_children: None
) -> None:
    (home / "dataset").symlink_to(trained.data_dir)
    shutil.copytree(trained.models_dir, home / "models")
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        await shows(pilot, "H Feature maps")
        await pilot.press("H")
        await shows(pilot, "] Next  [ Previous  M Layers")
        await pilot.press("M")
        await shows(pilot, "body.7.attention")
        app.worker.ask_child = lambda *question, **key: None  # type: ignore[method-assign] # it never answers
        os.utime(home / "models" / "best_kanji_model.pth")
        browser = app.front
        assert isinstance(browser, BrowserScreen)
        await until(pilot, lambda: not browser._maps.layer.layers)
        await pilot.press("end", "enter")  # of the layers that were listed before
        await until(pilot, lambda: len(app.screen_stack) == 1)
        assert "M Layers" not in text_of(pilot)


async def test_a_layer_is_chosen_from_a_list_and_in_a_small_terminal_its_maps_take_the_images_place(
    home: Path, trained, forked_children: None
) -> None:
    (home / "dataset").symlink_to(trained.data_dir)
    shutil.copytree(trained.models_dir, home / "models")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.screen.check_action("maps", ()))
        await pilot.press("H")
        await shows(pilot, "stem  1 of 13")
        assert not app.screen.query_one("#image", ImageView).display
        await pilot.press("M")
        await shows(pilot, "enter chooses")
        assert ["body.7.attention", "attention", "128", "4x4"] in [
            line.strip(" │").split() for line in text_of(pilot).splitlines()
        ]
        await pilot.press("escape")
        await shows(pilot, "stem  1 of 13")
        await pilot.press("M", *5 * ["down"], "enter")
        await shows(pilot, "body.7.attention  6 of 13")
        await pilot.press("M", "up", "enter")  # begins at the chosen one
        await shows(pilot, "body.6  5 of 13")
        await pilot.press("H")
        await until(pilot, lambda: app.screen.query_one("#image", ImageView).display)


async def test_a_model_without_feature_maps_is_said_in_one_sentence(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await browse(pilot)
        app.worker.ask_child = lambda *question: None  # type: ignore[method-assign]
        await pilot.press("H")
        await shows(pilot, "computing the feature maps")
        assert app.screen.query_one("#image").display  # until there is something in its place
        app.screen.post_message(QuestionFailed(FeatureMapsComputed, KanjiError("this network has no feature maps")))
        await until(pilot, lambda: any("no feature maps" in note.message for note in app._notifications))
        assert "computing the feature maps" not in text_of(pilot)
        assert not app.screen.has_class("-maps")
        assert app.screen.check_action("choose_layer", ()) is False


async def test_without_colours_maps_are_drawn_in_shades() -> None:
    class OnlyMaps(Bare):
        def compose(self) -> ComposeResult:
            yield MapGrid()

    levels = bytes(255 if x < 4 else 0 for _ in range(8) for x in range(8))
    async with OnlyMaps().run_test(size=(30, 7)) as pilot:
        pilot.app.ansi_color = True
        grid = pilot.app.query_one(MapGrid)
        grid.show(Maps("title", ("", "one", "two"), 8, (SmallMap("17", levels), SmallMap("4", levels[::-1]))))
        half = "████    "
        assert [line.rstrip() for line in grid.render().plain.split("\n")] == [
            "title",
            "two",
            *4 * [f"{half} {half[::-1]}".rstrip()],
            "   17       4",
        ]


@pytest.mark.parametrize(
    ("count", "size", "width", "height", "expected"),
    [
        (16, 32, 33, 18, (2, 4, 16)),  # the Browser at 120x40
        (16, 4, 33, 18, (3, 9, 8)),
        (16, 4, 60, 34, (4, 16, 12)),
        (16, 16, 40, 7, (3, 3, 12)),  # not one has 16 columns: as large as possible
        (1, 4, 40, 20, (1, 1, 36)),
        (16, 5, 21, 13, (2, 4, 10)),
        (16, 4, 3, 18, (1, 9, 2)),
        (16, 4, 40, 1, (0, 0, 0)),
        (0, 4, 40, 10, (0, 0, 0)),
    ],
)
def test_as_many_maps_as_fit_with_enough_columns(
    count: int, size: int, width: int, height: int, expected: tuple[int, int, int]
) -> None:
    across, number, side = arrange(count, size, width, height)
    assert (across, number, side) == expected
    if number:
        assert side % 2 == 0
        assert across * (side + 1) - 1 <= width
        assert -(-number // across) * (side // 2 + 1) <= height


def record(pilot: Pilot) -> str:
    """The record of the sample that is shown."""
    (found,) = re.findall(r"record +(ETL9G_\d+ record \d+)", text_of(pilot))
    return str(found)


def computing() -> list[int]:
    """The processes that compute saliency maps."""
    return children_with("saliency")


def test_a_saliency_map_is_visible_without_colour() -> None:
    """Three of four quarters of a black image have no heat; the cells of the fourth are in reverse."""
    ink = bytes(32 * 32)
    heat = bytes(255 if x < 16 and y < 16 else 0 for y in range(32) for x in range(32))
    lines = braille(ink, 32, 16, 8, heat).split("\n")
    reversed_cells = [
        sum(span.end - span.start for span in line.spans if isinstance(span.style, Style) and span.style.reverse)
        for line in lines
    ]
    assert reversed_cells == [8, 8, 8, 8, 0, 0, 0, 0]
    assert not any(line.spans for line in braille(ink, 32, 16, 8).split("\n"))


def test_a_saliency_map_warms_the_background_and_leaves_the_ink_legible() -> None:
    paper, ink, warm = Color(20, 22, 27), Color(216, 219, 226), Color(232, 131, 107)
    stroke = bytes(255 if x in (8, 9) else 0 for _ in range(32) for x in range(32))
    heat = bytes(255 if y < 16 else 0 for y in range(32) for _ in range(32))
    found = half_blocks(stroke, 32, 32, 16, paper, ink, heat, warm)
    top, bottom = found.split("\n")[0], found.split("\n")[15]
    hot, cold = top.spans[0].style.background, bottom.spans[0].style.background
    assert cold == paper
    assert hot.r - cold.r > 80
    for line, ground in ((top, hot), (bottom, cold)):
        assert line.spans[1].style.background == ink
        assert contrast(ground, ink) > 3


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2, 1 to 21."""

    def luminance(colour: Color) -> float:
        parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_strongest_regions_of_a_saliency_map_are_named() -> None:
    heat = bytearray(30 * 30)
    assert strongest(bytes(heat), 30) == "nowhere"
    heat[5 * 30 + 25] = 200
    assert strongest(bytes(heat), 30) == "upper right"
    heat[15 * 30 + 15] = 150
    assert strongest(bytes(heat), 30) == "upper right, centre"
    assert SaliencyMap(bytes(heat), 30, "Grad-CAM", "田").text == "Grad-CAM of 田, strongest: upper right, centre"
