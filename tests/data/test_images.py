import os

import numpy as np
import pytest
from PIL import Image

from kanji_tui.data.checks import verify
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.images import extract_ink, read_ink
from kanji_tui.data.preparation import prepare
from kanji_tui.errors import UsageError
from tests.data.making import TA, A, area_average, bytes_of, ring, write_images
from tests.data.test_resize import area_matrix


def test_each_folder_is_a_class(tmp_path, report):
    write_images(tmp_path / "in", {"田": 3, "2422": 2, "U+3044": 4, "4544": 1})
    prepared = prepare(tmp_path / "in", tmp_path / "ds", 32, 1, None, report)
    assert (prepared.records, prepared.classes, prepared.format) == (10, 3, "images")
    dataset = open_dataset(tmp_path / "ds")
    assert dataset.classes == (A, 0x2424, TA)
    assert np.bincount(dataset.labels).tolist() == [2, 4, 4]
    assert (dataset.name, dataset.source, dataset.writers_known) == ("images", "image files of in", False)
    assert dataset.files == ("2422-4544",)
    paths = dataset.paths()
    assert [paths["2422-4544", record] for record in dataset.record.tolist()][-4:] == [
        "4544/000.png",
        "田/000.png",
        "田/001.png",
        "田/002.png",
    ]


def test_saved_drawings_are_detected_and_prepared(kanji_tui, tmp_path):
    """Dark ink on white, one folder per character, named by the character, its code point or its JIS code."""
    for folder, name in (("田", "20260102T030405-1"), ("田", "b"), ("U+3042", "a"), ("2424", "a"), ("ー", "long")):
        (tmp_path / "samples" / folder).mkdir(parents=True, exist_ok=True)
        canvas = np.full((96, 96), 255, np.uint8)
        canvas[20:76, 40 + len(name) % 7 : 52] = 0
        Image.fromarray(canvas).save(tmp_path / "samples" / folder / f"{name}.png")
    for format in ((), ("--format", "images")):
        process = kanji_tui("prepare", "--etl-dir", "samples", "--size", 32, *format, "--json")
        assert process.returncode == 0, process.stderr
    dataset = open_dataset(tmp_path / "dataset")
    assert dataset.classes == (0x213C, A, 0x2424, TA)
    assert np.bincount(dataset.labels).tolist() == [1, 1, 1, 2]
    assert dataset.paths()["213C-4544", 4] == "田/b.png"
    images = dataset.images(range(5))
    assert (images[:, 16, 15] > 200).all()
    assert (images[:, :4] == 0).all()
    assert kanji_tui("verify", "--json").returncode == 0


def test_images_are_padded_to_a_square_and_area_averaged(tmp_path, report):
    levels = ring(5)
    (tmp_path / "in" / "田").mkdir(parents=True)
    Image.fromarray((255 - 17 * levels).astype(np.uint8)).save(tmp_path / "in" / "田" / "a.png")
    prepare(tmp_path / "in", tmp_path / "ds", 32, 1, None, report)
    square = np.zeros((128, 128))
    square[:127] = 17.0 * levels
    exact = area_matrix(128, 32) @ square @ area_matrix(128, 32).T
    assert np.abs(open_dataset(tmp_path / "ds").images([0])[0] - exact).max() <= 0.5 + 1e-9
    assert np.abs(exact - area_average(levels[None], 32)[0]).max() < 100  # the same image, a little moved


@pytest.mark.parametrize("wide", [True, False])
def test_the_aspect_ratio_is_kept(tmp_path, report, wide):
    levels = np.full((40, 120), 255, np.uint8)
    levels[10:30, 20:100] = 0
    (tmp_path / "in" / "田").mkdir(parents=True)
    Image.fromarray(levels if wide else levels.T.copy()).save(tmp_path / "in" / "田" / "a.png")
    prepare(tmp_path / "in", tmp_path / "ds", 96, 1, None, report)
    image = open_dataset(tmp_path / "ds").images([0])[0]
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    if not wide:
        rows, columns = columns, rows
    assert abs(np.ptp(columns) + 1 - 64) <= 2
    assert abs(np.ptp(rows) + 1 - 16) <= 2
    assert abs(rows.mean() - 47.5) <= 1


def test_ink_side_and_paper_level_come_from_the_border():
    dark = np.full((20, 20), 200, np.uint8)
    dark[8:12, 8:12] = 0
    dark[0, 3] = 10  # a speck on the border changes nothing
    light = 255 - dark
    for levels, dark_ink in ((dark, True), (light, False)):
        ink, found = extract_ink(levels)
        assert (ink[10, 10], ink[2, 2], found) == (255, 0, dark_ink)
    assert extract_ink(np.full((5, 5), 77, np.uint8))[0].max() == 0


@pytest.mark.parametrize(("frame", "color"), [(4, 0), (14, 0), (30, 60)])
def test_a_frame_or_a_table_is_no_paper(tmp_path, frame, color):
    """The ink stays where it is; a clean image gives the same values as ever."""
    clean = 255 - 17 * ring(5)[:, :127]
    Image.fromarray(clean.astype(np.uint8)).save(tmp_path / "clean.png")
    Image.fromarray(np.pad(clean, frame, constant_values=color).astype(np.uint8)).save(tmp_path / "framed.png")
    expected = 17 * ring(5)[:, :127]
    assert np.array_equal(read_ink(tmp_path / "clean.png"), expected)
    found = read_ink(tmp_path / "framed.png")
    assert (found > 60).sum() == pytest.approx((expected > 60).sum(), rel=0.05)
    assert not found[0].any()
    assert not found[:, -1].any()


def test_colour_transparent_16_bit_and_large_images_are_read(tmp_path):
    shape = np.zeros((60, 60), bool)
    shape[20:40, 20:40] = True
    transparent = np.zeros((60, 60, 4), np.uint8)
    transparent[shape] = (0, 0, 0, 255)
    Image.fromarray(transparent).save(tmp_path / "alpha.png")
    Image.fromarray(np.where(shape, 0, 65535).astype(np.uint16)).save(tmp_path / "deep.png")
    Image.fromarray(np.where(shape[..., None], [20, 20, 90], 255).astype(np.uint8)).save(tmp_path / "colour.jpg")
    Image.fromarray(np.where(shape, 0, 255).astype(np.uint8)).resize((3000, 3000)).save(tmp_path / "large.png")
    Image.fromarray(np.where(shape, 0, 255).astype(np.uint8)).convert("1").save(tmp_path / "bits.tif")
    for name in ("alpha.png", "deep.png", "colour.jpg", "large.png", "bits.tif"):
        ink = read_ink(tmp_path / name)
        height, width = ink.shape
        assert ink[height // 2, width // 2] > 200, name
        assert ink[height // 8, width // 8] < 20, name
        assert max(ink.shape) <= 1024


def test_unreadable_images_and_unknown_classes_are_quarantined(tmp_path, report):
    write_images(tmp_path / "in", {"田": 3, "あ": 2, "unsorted": 1})
    (tmp_path / "in" / "田" / "001.png").write_bytes(b"no image")
    whole = (tmp_path / "in" / "あ" / "000.png").read_bytes()
    (tmp_path / "in" / "あ" / "000.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "in" / "田" / "notes.txt").write_text("left alone")
    prepared = prepare(tmp_path / "in", tmp_path / "ds", 32, 1, None, report)
    assert (prepared.records, prepared.quarantined) == (3, 3)
    reasons = {record.file: record.reason for record in open_dataset(tmp_path / "ds").quarantined}
    assert "not a readable image" in reasons["田/001.png"]
    assert "not a readable image" in reasons["あ/000.png"]
    assert reasons["unsorted/000.png"] == "its folder names no character of JIS X 0208"


def test_blank_images_are_quarantined(tmp_path, report):
    """No samples of a class without a stroke: white, black, transparent, one pixel, ink as grey as its paper."""
    write_images(tmp_path / "in", {"田": 1})
    blanks = {
        "white": Image.new("L", (20, 20), 255),
        "black": Image.new("L", (20, 20)),
        "clear": Image.new("RGBA", (20, 20)),
        "pixel": Image.new("L", (1, 1)),
        "paper": Image.fromarray(np.arange(200, 209, dtype=np.uint8).repeat(20).reshape(9, 20)),
    }
    for name, image in blanks.items():
        image.save(tmp_path / "in" / "田" / f"{name}.png")
    prepared = prepare(tmp_path / "in", tmp_path / "ds", 32, 1, None, report)
    assert (prepared.records, prepared.quarantined) == (1, 5)
    reasons = {record.reason for record in open_dataset(tmp_path / "ds").quarantined}
    assert reasons == {"blank: no ink stands out from the paper"}


def test_files_of_any_name_are_prepared_and_listed(kanji_tui, tmp_path):
    """For example names in Shift-JIS from an archive, or with a line break."""
    write_images(tmp_path / "ETL9G", {"田": 6, "あ": 4})
    ta = tmp_path / "ETL9G" / "田"
    names = [os.fsdecode(b"\x93\x63.png"), "two\nlines.png", "two\u2028more.png", "a\tb.png"]
    for number, name in enumerate(names):
        (ta / f"{number:03d}.png").rename(ta / name)
    (ta / os.fsdecode(b"\x88\x9f\n.png")).write_bytes(b"no image")
    for _ in range(2):  # the second preparation must accept what the first left
        process = kanji_tui("prepare", "--size", 32, "--json")
        assert process.returncode == 0, process.stderr
    dataset = open_dataset(tmp_path / "dataset")
    assert sorted(dataset.paths().values())[-6:] == [
        "田/004.png",
        "田/005.png",
        "田/\\udc93c.png",
        "田/a b.png",
        "田/two lines.png",
        "田/two more.png",
    ]
    assert [record.file for record in dataset.quarantined] == ["田/" + os.fsdecode(b"\x88\x9f\n.png")]
    lines = (tmp_path / "dataset" / "quarantine.tsv").read_text("utf-8").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["file", "田/\\udc88\\udc9f .png"]
    process = kanji_tui("verify", "--unusual", 1, "--json")
    assert process.returncode == 0, process.stderr


def test_any_number_of_workers_gives_the_same_bytes_and_chunks_hold_several_folders(tmp_path, report, monkeypatch):
    monkeypatch.setattr("kanji_tui.data.images.MIN_BATCH", 6)
    write_images(tmp_path / "in", {"田": 5, "あ": 4, "い": 4, "う": 1})
    for workers in (1, 3):
        prepare(tmp_path / "in", tmp_path / f"ds{workers}", 32, workers, None, report)
    assert bytes_of(tmp_path / "ds1") == bytes_of(tmp_path / "ds3")
    assert open_dataset(tmp_path / "ds1").files == ("2422-2424", "2426-4544")


def test_a_dataset_of_another_format_replaces_the_list_of_images(tmp_path, report):
    from tests.data.making import CODES, write_records

    write_images(tmp_path / "in", {"田": 3})
    prepare(tmp_path / "in", tmp_path / "ds", 32, 1, None, report)
    assert (tmp_path / "ds" / "images.tsv").exists()
    write_records(tmp_path / "etl" / "ETL9G_01", CODES)
    prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    assert not (tmp_path / "ds" / "images.tsv").exists()


def test_verify_names_the_file_of_an_outlier(tmp_path, report):
    write_images(tmp_path / "in", {"田": 8, "あ": 8})
    outlier = np.full((64, 64), 255, np.uint8)
    outlier[5:20, 5:60] = 0
    Image.fromarray(outlier).save(tmp_path / "in" / "田" / "outlier.png")
    prepare(tmp_path / "in", tmp_path / "ds", 32, 1, None, report)
    verified = verify(tmp_path / "ds", tmp_path / "sheet.png", report, 3)
    of_ta = next(known for known in verified.unusual if known.jis == "4544")
    assert len(of_ta.samples) == 3
    assert of_ta.samples[0].path == "田/outlier.png"
    assert of_ta.samples[0].distance > of_ta.samples[1].distance > 0


def test_folders_that_name_no_character_are_refused(tmp_path, report):
    write_images(tmp_path / "in", {"class_1": 1, "class_2": 1})
    with pytest.raises(UsageError, match="named after a character: class_1, class_2") as refused:
        prepare(tmp_path / "in", tmp_path / "ds", 32, 1, "images", report)
    assert "U+7530" in refused.value.remedy


def test_a_dataset_from_a_folder_whose_name_is_no_text_can_be_opened_and_named(tmp_path, report):
    """Its bytes are not UTF-8: as text they would be halves of characters, which no file of ours may hold."""
    folder = tmp_path / os.fsdecode(b"p\xe9\x1b[1m")
    for number in range(4):
        (folder / "田").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.pad(np.zeros((9, 9), np.uint8), 4 + number, constant_values=255)).save(
            folder / "田" / f"{number}.png"
        )
    prepare(folder, tmp_path / "ds", 32, 1, None, report)
    assert open_dataset(tmp_path / "ds").source == r"image files of p\udce9\x1b[1m"
