"""The Browser by keys: grid, list, search, pairs, suspects, splits, saliency maps."""

import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.color import Color
from textual.content import Content
from textual.geometry import Size
from textual.pilot import Pilot
from textual.style import Style
from textual.widgets import Input

from kanji_tui.errors import KanjiError
from kanji_tui.events import SilentReport
from kanji_tui.jobs import feature_maps
from kanji_tui.presentation.marks import grade
from kanji_tui.recognition.results import Candidate
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.browser.probability_bars import ProbabilityBars
from kanji_tui.tui.browser.sample_maps import FeatureMapsComputed
from kanji_tui.tui.browser.sample_pane import SaliencyMap, strongest
from kanji_tui.tui.browser.screen import SampleRead
from kanji_tui.tui.shell.messages import QuestionFailed
from kanji_tui.tui.widgets.character_grid import CELL, CharacterGrid, Tile
from kanji_tui.tui.widgets.image_view import ImageView, braille, half_blocks
from kanji_tui.tui.widgets.list_table import ListTable
from kanji_tui.tui.widgets.map_grid import MapGrid, Maps, SmallMap, arrange
from tests.tui.conftest import children_with, painted, resized, settled, shows, text_of, until
from tests.tui.recorded import CODES
from tests.tui.test_widgets import Bare


async def browse(pilot: Pilot) -> None:
    await pilot.press("5")
    await shows(pilot, "top-1 87.5 %")
    await shows(pilot, "U+3042")


async def test_wide_characters_stand_in_line_at_any_size(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(250, 70)) as pilot:
        await browse(pilot)
        for key, text in (("l", "アイ い"), ("b", "suspected label errors"), ("r", "confusions")):
            await pilot.press(key)
            await shows(pilot, text)
            for size in ((80, 24), (120, 40), (200, 60), (250, 70)):
                await resized(pilot, size)
                assert {strip.cell_length for strip in painted(pilot)} == {size[0]}
                rows = [line for line in text_of(pilot).splitlines() if re.search(r"ETL9G_0\d +\d+ +\d\b", line)]
                if size[0] >= 120 and key == "b":
                    assert len(rows) == 5
                    # Japanese before the file's name takes two cells each
                    assert len({Content(line.split("ETL9G_0")[0]).cell_length for line in rows}) == 1


async def test_the_grid_is_coloured_and_marked_by_accuracy(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await browse(pilot)
        assert "あ:亜:愛:漢:田:日:" in text_of(pilot)
        grid = app.screen.query_one(CharacterGrid)
        grid.show(tuple(Tile(str(n), "田", n) for n in range(5)))
        await pilot.pause()
        assert "田 田 田.田:田!" in text_of(pilot)
        line = [segment for segment in grid.render_line(0) if "田" in segment.text][1:]
        assert len({segment.style.color for segment in line}) >= 3
    assert [grade(accuracy) for accuracy in (None, 1.0, 0.99, 0.98, 0.9, 0.5)] == [0, 1, 1, 2, 3, 4]


async def test_the_cursor_of_the_grid_walks_lines_and_pages(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await browse(pilot)
        grid = app.screen.query_one(CharacterGrid)
        grid.show(tuple(Tile(f"{0x5100 + n:04X}", chr(0x4E00 + n), 1) for n in range(3036)))
        await pilot.pause()
        across = grid.per_line
        assert across == grid.scrollable_content_region.width // CELL
        for key, place in (("down", across), ("right", across + 1), ("up", 1), ("left", 0), ("left", 0), ("up", 0)):
            await pilot.press(key)
            assert grid.cursor == place, key
        await pilot.press("end")
        assert grid.cursor == 3035
        await shows(pilot, chr(0x4E00 + 3035))
        await pilot.press("down", "right")
        assert grid.cursor == 3035
        await pilot.press("home", "pagedown")
        assert grid.cursor == (grid.scrollable_content_region.height - 1) * across
        grid.show(grid.items[: 20 * across + 2])
        grid.cursor = 20 * across - 1  # one line above the last, beyond its end
        await pilot.press("down")
        assert grid.cursor == 20 * across + 1


async def test_a_click_chooses_and_a_second_opens(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await browse(pilot)
        await pilot.click("#grid", offset=(4 * CELL, 1))  # one line below the title
        await shows(pilot, "U+7530")
        assert not app.screen.has_class("-inside")
        await pilot.click("#grid", offset=(4 * CELL, 1))
        await until(pilot, lambda: app.screen.has_class("-inside"))


async def test_search_from_the_grid(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await browse(pilot)
        grid = app.screen.query_one(CharacterGrid)
        by_reading = (("den", "田"), ("デン", "田"), ("にち", "日"))
        for typed, found in (("4544", "田"), ("U+65", "日"), *by_reading, ("13", "愛漢"), ("愛", "愛")):
            await pilot.press("slash", *typed)
            await shows(pilot, f"classes  {len(found)} of {len(CODES)}")
            assert "".join(tile.character for tile in grid.items) == found
            assert app.screen.query_one("#search", Input).value == typed
            await pilot.press("enter", "enter")
            await until(pilot, lambda: app.screen.has_class("-inside"))
            await shows(pilot, f"─{found[0]} ")
            await pilot.press("escape", "escape")
            await shows(pilot, f"classes  {len(CODES)} ")


async def test_list_and_grid_keep_the_class(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await browse(pilot)
        await pilot.press("right", "right", "l")
        await shows(pilot, "アイ い")
        classes = app.screen.query_one("#classes", ListTable)
        assert classes.has_focus
        assert classes.current.key == "3026"
        await pilot.press("down", "l")
        await until(pilot, lambda: app.screen.query_one(CharacterGrid).has_focus)
        assert app.screen.query_one(CharacterGrid).current.character == "漢"
        await shows(pilot, "U+6F22")


async def test_confused_pairs_show_both_images(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await browse(pilot)
        assert not app.screen.query_one("#other", ImageView).display
        await pilot.press("r", "down")
        await shows(pilot, "亜  3021  predicted as  愛  3026")
        await settled(pilot)
        images = [app.screen.query_one(name, ImageView) for name in ("#image", "#other")]
        assert images[1].display
        assert images[0].region.right <= images[1].region.x
        assert images[0].region.y == images[1].region.y
        assert "this 亜" in text_of(pilot)
        assert "typical 愛" in text_of(pilot)
        dots = [any("\u2801" <= sign <= "\u28ff" for sign in image.render().plain) for image in images]
        assert dots == [True, True]
        await pilot.press("escape")
        await until(pilot, lambda: not app.screen.query_one("#other", ImageView).display)
        assert app.screen.query_one(CharacterGrid).has_focus


async def test_suspects_their_caveat_and_their_table(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await browse(pilot)
        assert app.screen.check_action("write", ()) is False
        await pilot.press("b")
        await shows(pilot, "suspected label errors  5")
        assert "The model was trained on" in text_of(pilot)
        await shows(pilot, "愛 0.01 %")
        await pilot.press("w")
        await until(pilot, Path("models/suspects.tsv").is_file)
        assert len(Path("models/suspects.tsv").read_text(encoding="utf-8").splitlines()) == 6
        await pilot.press("t", "t")
        await shows(pilot, "suspected label errors val")
        assert "The model was trained on" not in text_of(pilot)
        await pilot.press("escape")
        await shows(pilot, "あ val")


async def test_split_and_order_stay_from_class_to_class_and_a_pairs_do_not(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await browse(pilot)
        await pilot.press("r")
        await shows(pilot, "predicted as 亜 by confidence")
        await pilot.press("r")
        await shows(pilot, "あ  8")
        await pilot.press("t", "o", "right")
        await shows(pilot, "亜 train by confidence")
        await pilot.press("enter", "x")
        await shows(pilot, "亜 errors train by confidence")
        await pilot.press("escape", "x")
        await shows(pilot, "all errors train by confidence")


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


async def test_a_problem_disappears_once_it_is_solved(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await browse(pilot)
        app.screen.post_message(QuestionFailed(SampleRead, KanjiError("the disk is away")))
        await shows(pilot, "the disk is away")
        await pilot.press("right")
        await until(pilot, lambda: "the disk is away" not in text_of(pilot))


async def test_probabilities_take_a_line_each_also_in_a_layout_that_is_narrower_than_the_last() -> None:
    class OnlyBars(Bare):
        def compose(self) -> ComposeResult:
            yield ProbabilityBars()

    async with OnlyBars().run_test(size=(120, 12)) as pilot:
        bars = pilot.app.query_one(ProbabilityBars)
        bars.show(tuple(Candidate("田", "4544", share) for share in (0.9, 0.06, 0.04)), "4544", "")
        await until(pilot, lambda: bars.size == (120, 3))
        assert bars.get_content_height(Size(50, 12), Size(50, 12), 50) == 3


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
