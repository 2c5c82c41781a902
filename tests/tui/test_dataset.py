"""The Dataset screen: its files, what `verify` found, and preparing."""

import os
import re
from pathlib import Path

import pytest
from PIL import Image
from textual.message import Message
from textual.notifications import Notify
from textual.pilot import Pilot

from kanji_tui.data.checks import verify
from kanji_tui.data.preparation import prepare
from kanji_tui.data.results import Verification
from kanji_tui.events import Outcome, SilentReport, State
from kanji_tui.runs.process import as_json
from kanji_tui.tui.app import Workbench
from kanji_tui.tui.dataset.findings import VIEWS
from kanji_tui.tui.dataset.screen import DatasetScreen
from kanji_tui.tui.widgets.heat_map import HeatMap, shaded
from kanji_tui.tui.widgets.thumbnails import Thumbnails
from kanji_tui.workspace.opened_dataset import OpenedDataset
from tests.data.making import CODES, write_images, write_kuzushiji, write_records
from tests.tui.conftest import settled, shows, text_of, until
from tests.tui.recorded import write_run

KEYS = {"samples": "g", "checks": "r", "ink": "h", "classes": "l", "outliers": "b"}
IN_VIEW = {
    "samples": "─samples─", "checks": "─checks ", "ink": "mean image of", "classes": "missing classes",
    "outliers": "another",
}  # fmt: skip
both_sizes = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


@pytest.fixture(scope="module")
def found(recorded_once: Path) -> Verification:
    """What `verify` finds in the recorded workspace, three outliers of each class too."""
    return verify(recorded_once / "dataset", None, SilentReport(), 3)


@pytest.fixture
def verified(recorded: Path, found: Verification) -> Path:
    """The recorded workspace after `verify`."""
    os.utime(recorded / "dataset" / "metadata.json", (1, 1))
    spec = {"data_dir": "dataset", "unusual": 3}
    story = [State("running"), Outcome(as_json(found)), State("finished")]
    write_run(recorded, "20260102T050000-verify-1", spec, "finished", story)
    return recorded


async def opened(pilot: Pilot) -> DatasetScreen:
    await pilot.press("2")
    await shows(pilot, "digest")
    screen = pilot.app.screen
    assert isinstance(screen, DatasetScreen)
    return screen


@pytest.mark.parametrize("view", VIEWS)
@both_sizes
def test_what_was_found(verified: Path, snap_compare, size: tuple[int, int], view: str) -> None:
    async def show(pilot: Pilot) -> None:
        await opened(pilot)
        await shows(pilot, "press 3, then n to train on it, or 5 to browse it")
        await pilot.press(KEYS[view])
        await shows(pilot, IN_VIEW[view])
        await settled(pilot)

    assert snap_compare(Workbench(), terminal_size=size, run_before=show)


async def test_nothing_is_cut_at_the_smallest_size(verified: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        for view in VIEWS:
            await pilot.press(KEYS[view])
            await shows(pilot, IN_VIEW[view])
            assert "…" not in text_of(pilot), f"{view}:\n{text_of(pilot)}"


async def test_v_shows_the_checks_and_every_view_what_verify_found(home: Path) -> None:
    write_records(home / "ETL9G" / "ETL9G_01", [*CODES * 3, CODES[0], 0xFFFF])
    prepare(home / "ETL9G", home / "dataset", 32, 1, None, SilentReport())
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await shows(pilot, "all but 1")  # one record was skipped
        await pilot.press("v")
        await shows(pilot, "2 of 11 not ok")
        await shows(pilot, "ETL9G_01 record 16: unknown JIS code FFFF")
        await pilot.press("down", "down")
        await shows(pilot, "4 in 1 files; 1 without some classes: ETL9G_01 set 3 lacks 4")
        await pilot.press("h")
        await shows(pilot, "mean image of  16 samples")
        heat_map = screen.query_one(HeatMap)
        assert heat_map.render().plain.strip()
        await pilot.press("l")
        text = text_of(pilot)
        assert re.search(r"ETL9G_01 +3 +4 +あ い う 田", text)
        assert re.search(r"亜 3021 +4", text)


async def test_u_finds_outliers_and_shows_their_images(recorded: Path) -> None:
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        await pilot.press("b")
        await shows(pilot, "this")
        thumbnails = screen.query_one("#compared", Thumbnails)
        first = thumbnails.render().plain
        await pilot.press("down", "down")
        await until(pilot, lambda: thumbnails.render().plain != first)
        await pilot.press("l", "down", "down", "enter")
        await shows(pilot, "outliers of 愛")
        assert "漢 3441" not in text_of(pilot)
        await pilot.press("b")
        await shows(pilot, "漢 3441")


async def test_w_writes_the_contact_sheet_and_shows_its_path(recorded: Path) -> None:
    messages: list[str] = []

    def hook(message: Message) -> None:
        if isinstance(message, Notify):
            messages.append(message.notification.message)

    async with Workbench().run_test(size=(120, 40), notifications=True, message_hook=hook) as pilot:
        await opened(pilot)
        await pilot.press("w")
        await shows(pilot, "samples  contact sheet: contact_sheet.png")
        assert f"contact sheet: {recorded / 'contact_sheet.png'}" in messages
    with Image.open(recorded / "contact_sheet.png") as sheet:
        assert sheet.format == "PNG"


async def test_a_verification_of_an_older_dataset_is_not_shown(verified: Path) -> None:
    os.utime(verified / "dataset" / "metadata.json")
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("r")
        await shows(pilot, "press v to verify")


async def test_other_formats_are_listed_and_prepared(home: Path) -> None:
    write_kuzushiji(home / "ETL9G")
    write_images(home / "samples", {"田": 3, "4544": 1, "U+3042": 2})
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        await shows(pilot, "npz pairs")
        assert re.search(r"k49-train +[\d.]+ KiB +40 new", text_of(pilot))
        await pilot.press("p", "ctrl+u", *"samples", "enter")
        await shows(pilot, "image files of samples")
        assert re.search(r"classes +2 with 2 to 4 each", text_of(pilot))


async def test_doubtful_input_is_refused_until_the_form_accepts_it(home: Path) -> None:
    path = write_records(home / "ETL9G" / "ETL9G_01", CODES * 4)
    content = path.read_bytes()
    path.write_bytes(content[: 3 * 8199 + 90] + b"!" + content[3 * 8199 + 90 :])
    (home / "ETL9G" / "ETL9G_01 (1)").touch()
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        await shows(pilot, "ETL9G_01 (1)")
        assert re.search(r"ETL9G_01 \(1\) +not read", text_of(pilot))
        await pilot.press("p", "enter")
        await shows(pilot, "prepare failed")
        await shows(pilot, "so nothing was changed: ETL9G_01 record 3: 1 byte")
        await pilot.press("p", "tab", "tab", "tab", "right")
        await shows(pilot, "However many records are unusable")
        await pilot.press("enter")
        await shows(pilot, "digest")


async def test_the_form_sets_how_folder_names_are_read(home: Path) -> None:
    write_images(home / "ETL9G", {"5b57": 2, "672c": 2})
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await shows(pilot, "image folders, Unicode names")
        assert re.search(r"5b57 字 +2 +new", text_of(pilot).replace("-", ""))
        await pilot.press("p", "tab", "tab", "right", "right")
        await shows(pilot, "folder 4544 has images of 田")
        await pilot.press("enter")
        await shows(pilot, "digest")
    assert OpenedDataset().dataset().classes == (0x5B57, 0x672C)


async def test_what_cannot_be_prepared_is_shown_in_full(home: Path) -> None:
    write_kuzushiji(home / "ETL9G")
    write_records(home / "ETL9G" / "ETL9G_01", CODES)
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await shows(pilot, "holds files of 2 formats")
        left = " ".join(line[:40].strip() for line in text_of(pilot).splitlines())
        assert "--format etl9g or kuzushiji" in left


def test_shades_stand_for_two_values_a_cell() -> None:
    shares = [[0.0, 1.0], [0.0, 1.0], [0.5, 0.0], [0.5, 1.0]]
    assert shaded(shares, 1) == [" █", "▒▒"]
    assert shaded(shares, 2) == ["  ██", "  ██", "▒▒▒▒", "▒▒▒▒"]


def test_beside_a_sample_stand_others_of_its_class(recorded: Path) -> None:
    opened = OpenedDataset()
    dataset = opened.dataset()
    thumbnails = opened.with_others(7)
    assert thumbnails[0].pixels == dataset.images([7])[0].tobytes()
    assert [thumbnail.caption for thumbnail in thumbnails[:2]] == ["this 亜", "another 亜"]
    assert len({thumbnail.pixels for thumbnail in thumbnails}) == 6


async def test_an_empty_home_says_what_is_possible_there(home: Path) -> None:
    """There is nothing to prepare yet: the key p alone would lead nowhere."""
    app = Workbench()
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("2")
        await shows(pilot, "next  n makes a synthetic sample, p prepares your images or record files")
        text = text_of(pilot)
        ways = ("n  makes a synthetic sample", "p  prepares your own", "3 n  trains on synthetic writers")
        assert sorted(ways, key=text.rindex) == list(ways)
        assert "press p to prepare one" not in text
        write_records(home / "ETL9G" / "ETL9G_01", CODES)
        await shows(pilot, "no dataset yet: press p to prepare one")


async def test_while_a_sample_is_written_its_folder_is_not_said_to_be_empty(home: Path) -> None:
    (home / "ETL9G").mkdir()
    write_run(home, "20260102T050000-sample-1", {}, "running", [State("running")])
    app = Workbench()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await shows(pilot, "a sample is being written")
        assert "empty" not in text_of(pilot)
