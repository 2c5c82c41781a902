"""Files, a dataset, and what was found in it, as documents."""

from dataclasses import replace
from pathlib import Path

from kanji_tui.data.listing import ListedInput, Listing
from kanji_tui.data.results import (
    ClassOutliers,
    IncompleteSet,
    Outlier,
    Preparation,
    SyntheticSample,
    Verification,
)
from kanji_tui.events import Progress
from kanji_tui.presentation import data
from kanji_tui.presentation.document import KeyValues, Table, text_of
from kanji_tui.presentation.present import present
from kanji_tui.system.check import Check
from kanji_tui.workspace.opened_dataset import Overview
from kanji_tui.workspace.run_views import RunView

FILES = Listing("etl9g", (ListedInput("ETL9G_01", 99_568_656, 12_144), ListedInput("ETL9G_02", 99_568_656, 12_144)))
OVERVIEW = Overview(
    name="etl9g",
    source="ETL9G record files",
    digest="0123456789abcdef0123",
    size=64,
    samples=12_140,
    classes=3,
    sets=4,
    quarantined=4,
    files=(("ETL9G_01", 12_140),),
    counts=((0x3021, 4000), (0x2422, 4100), (0x4544, 4040)),
    split="writer",
    split_sizes=(("train", 6070), ("validation", 3035), ("test", 3035)),
    note="by data sets",
    thumbnails=(),
)
VERIFICATION = Verification(
    samples=12_140,
    classes=3,
    checks=(
        Check("dataset", "ink in the middle", "warning", "on average +6.0% right", "look at the contact sheet"),
        Check("dataset", "ink at the edges", "ok", "12.0% of the images"),
    ),
    contact_sheet="sheet.png",
    heat_map=((0.0, 0.4), (0.2, 0.1)),
    incomplete_sets=(IncompleteSet("ETL9G_01", 3, tuple(f"30{low:02X}" for low in range(0x21, 0x3A))),),
    unusual=(
        ClassOutliers("3021", "亜", (Outlier(7, "ETL9G_01", 19, 0.25), Outlier(8, "ETL9G_01", 20, 0.125))),
        ClassOutliers("4544", "田", (Outlier(9, "images", 0, 0.5, "samples/田/[1].png"),)),
    ),
)


def cells(table: Table) -> list[list[str]]:
    return [[text_of(cell) for cell in row.cells] for row in table.rows]


def words(document) -> str:
    return "\n".join(text_of(block) for block in document if not isinstance(block, Table | KeyValues))


def tables(document) -> dict[str, Table]:
    return {block.title: block for block in document if isinstance(block, Table)}


def preparing(*progress: Progress) -> RunView:
    return RunView("20260102T030405-prepare-1", Path("run"), "prepare", "running", files=progress)


def test_files_show_how_far_they_are_prepared() -> None:
    assert cells(data.file_table(FILES, OVERVIEW, None)) == [
        ["ETL9G_01", "95.0 MiB", "12,144", "all but 4"],
        ["ETL9G_02", "95.0 MiB", "12,144", "new"],
    ]
    part = replace(OVERVIEW, files=(("ETL9G_01", 6000), ("ETL9G_02", 12_144)))
    assert [row[3] for row in cells(data.file_table(FILES, part, None))] == ["partly", "prepared"]


def test_files_at_work_have_a_bar_and_the_others_wait() -> None:
    run = preparing(Progress("file", 6072, 12_144, "records", "ETL9G_01"))
    assert [row[3] for row in cells(data.file_table(FILES, None, run))] == ["██──  50 %", "waiting"]


def test_files_elsewhere_are_those_that_the_preparation_names() -> None:
    run = preparing(Progress("file", 1, 40, "records", "k49-train-imgs.npz"))
    assert [row[0] for row in cells(data.file_table(FILES, None, run))] == ["k49-train"]


def test_what_is_not_read_is_listed_too() -> None:
    files = replace(FILES, ignored=("ETL9G_02 (1)", "ETL9G_04 (broken link)"))
    assert cells(data.file_table(files, None, None))[1:] == [
        ["ETL9G_02", "95.0 MiB", "12,144", "new"],
        ["ETL9G_02 (1)", "", "", "not read"],
        ["ETL9G_04 (broken link)", "", "", "not read"],
    ]
    elsewhere = preparing(Progress("file", 1, 40, "records", "k49-train-imgs.npz"))
    assert len(cells(data.file_table(files, None, elsewhere))) == 1


def test_folders_are_listed_with_the_characters_that_their_names_mean() -> None:
    items = (ListedInput("5b57", samples=3, character="字"), ListedInput("田", samples=2, character="田"))
    files = Listing("images", items, labels="unicode")
    assert [row[0] for row in cells(data.file_table(files, None, None))] == ["5b57 字", "田"]
    assert text_of(data.files_note(files)) == "image folders, Unicode names"
    assert text_of(data.files_note(replace(files, labels=""))) == "image folders"


def test_a_dataset_at_a_glance() -> None:
    pairs = {name: text_of(value) for name, value in data.dataset_key_values(OVERVIEW).pairs}
    assert pairs["classes"] == "3 with 4,000 to 4,100 each"
    assert pairs["images"] == "64x64, 256 grey levels"
    assert pairs["sizes"] == "6,070 / 3,035 / 3,035"
    assert pairs["skipped"] == "4, see quarantine.tsv"
    assert pairs["note"] == "by data sets"
    unknown = replace(OVERVIEW, sets=0, quarantined=0, source="drawn sample")
    pairs = {name: text_of(value) for name, value in data.dataset_key_values(unknown).pairs}
    assert (pairs["writers"], pairs["skipped"]) == ("unknown", "none")
    assert pairs["source"] == "synthetic, not handwriting"


def test_classes_with_the_fewest_samples_come_first() -> None:
    assert [row[:3] for row in cells(data.class_count_table(OVERVIEW))] == [
        ["亜", "3021", "4,000"],
        ["田", "4544", "4,040"],
        ["あ", "2422", "4,100"],
    ]


def test_outliers_of_all_classes_or_of_one() -> None:
    assert [row.key for row in data.outlier_table(VERIFICATION.unusual).rows] == ["9", "7", "8"]
    assert cells(data.outlier_table(VERIFICATION.unusual, "3021", 1)) == [
        ["亜", "3021", "0.25", "7", "ETL9G_01 19"]
    ]


def test_a_verification() -> None:
    document = present(VERIFICATION)
    output = words(document)
    assert "12,140 samples of 3 classes" in output
    assert "ink in the middle: look at the contact sheet" in output
    assert "peak           40.0 %" in output
    assert "contact sheet: sheet.png" in output
    assert "Mean image\n    ██\n  ▒▒░░\n" in output
    lacking = cells(tables(document)["Writers with missing classes"])[0]
    assert lacking[:3] == ["ETL9G_01", "3", "25"]
    assert lacking[3].endswith("and 5 more")
    assert cells(tables(document)["Outliers, 3 of 3 listed"])[0][4] == "samples/田/[1].png"


def test_what_there_is_not_is_not_shown() -> None:
    document = present(Verification(1, 1, ()))
    assert list(tables(document)) == [""]
    assert "Mean image" not in words(document)


def test_a_synthetic_sample_is_marked_as_no_handwriting() -> None:
    made = SyntheticSample(("ETL9G_01",), 800, 100, 8, 0, "", "strokes", "KanjiVG 20260714")
    output = words(present(made))
    assert "from strokes: KanjiVG 20260714, seed 0" in output
    older = replace(made, font="IPAexGothic", source="font", written_from="")
    assert "from font: IPAexGothic, seed 0" in words(present(older))
    assert "800 synthetic samples (not handwriting) of 100 characters by 8 synthetic writers in 1 files" in output


def test_a_preparation_shows_what_it_skipped() -> None:
    result = Preparation(1200, 3, 40, 64, 61.0, 19.7, "d", 2, 8, "etl9g", "ETL9G record files", "dataset")
    assert words(present(result)).splitlines() == [
        "1,200 records of 40 classes at 64x64 in 1:01 (20 records/s)",
        "skipped records: 3, see quarantine.tsv in dataset",
    ]
    assert "skipped" not in words(present(replace(result, quarantined=0)))
    assert words(present(replace(result, source="drawn sample"))).splitlines()[1] == "synthetic, not handwriting"


def test_the_screen_as_plain_text() -> None:
    empty = Listing(problem="no files", remedy="put some there")
    output = words(data.dataset_screen(empty, None, "", None, []))
    assert "Nothing to prepare: no files; put some there" in output
    assert "There is no dataset yet. To do: prepare record files or folders of images: kanji-tui prepare" in output
    assert "first: kanji-tui sample" in output
    assert words(data.dataset_screen(FILES, None, "", None, [])).endswith("To do: kanji-tui prepare")
    assert words(data.dataset_screen(FILES, None, "It is broken.", None, [])).endswith("It is broken.")
    verified = RunView("20260102T030405-verify-1", Path("run"), "verify", "finished", result=VERIFICATION)
    output = words(data.dataset_screen(FILES, OVERVIEW, "", verified, [preparing()]))
    assert output.startswith("prepare is running.")
    assert "The newest verification, 20260102T030405-verify-1:\n2 checks: ok 1  warn 1" in output
