"""The Browser by keys: grid, list, search, pairs, suspects, splits."""

import re
from pathlib import Path

from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widgets import Input

from kanji_tui.errors import KanjiError
from kanji_tui.presentation.marks import grade
from kanji_tui.recognition.results import Candidate
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.browser.probability_bars import ProbabilityBars
from kanji_tui.tui.browser.screen import SampleRead
from kanji_tui.tui.shell.messages import QuestionFailed
from kanji_tui.tui.widgets.character_grid import CELL, CharacterGrid, Tile
from kanji_tui.tui.widgets.image_view import ImageView
from kanji_tui.tui.widgets.list_table import ListTable
from tests.tui.conftest import painted, resized, settled, shows, text_of, until
from tests.tui.recorded import CODES
from tests.tui.test_widgets import Bare


async def browse(pilot: Pilot) -> None:
    await pilot.press("5")
    await shows(pilot, "87.5 %")
    await shows(pilot, "U+3042")


async def test_wide_characters_stand_in_line_at_any_size(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(250, 70)) as pilot:
        await browse(pilot)
        await shows(pilot, "train too 87.5 %")
        for key, text in (("l", "アイ い"), ("b", "suspected label errors"), ("r", "confusions")):
            await pilot.press(key)
            await shows(pilot, text)
            for size in ((80, 24), (120, 40), (250, 70)):
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
