import shutil

import numpy as np
import pytest
from PIL import Image

from kanji_tui.data.checks import verify
from kanji_tui.data.preparation import prepare
from kanji_tui.errors import KanjiError, Stopped
from kanji_tui.events import Notice
from tests.data.making import CODES, record, ring, write_records


def verdicts(data_dir, report) -> dict:
    return {check.name: check for check in verify(data_dir, None, report).checks}


def prepared(folder, report, images=None, codes=CODES * 4, image_offset=64, format=None):
    """A dataset of one file with these codes; `images` replace the rings of some record numbers."""
    images = images or {}
    write_records(folder / "etl" / "ETL9G_01", codes, image_offset=image_offset)
    whole = bytearray((folder / "etl" / "ETL9G_01").read_bytes())
    for number, levels in images.items():
        whole[number * 8199 : (number + 1) * 8199] = record(codes[number], levels, image_offset)
    (folder / "etl" / "ETL9G_01").write_bytes(whole)
    prepare(folder / "etl", folder / "ds", 32, 1, format, report)
    return folder / "ds"


def test_a_good_dataset_passes_every_check(sample_dataset, report):
    verified = verify(sample_dataset, None, report)
    assert (verified.samples, verified.classes) == (192, 12)
    assert {check.verdict for check in verified.checks} == {"ok"}
    found = {check.name: check.found for check in verified.checks}
    assert found["classes"] == "12 of 3,036, 16 to 16 samples each"
    assert found["data sets"] == "16 in 4 files, each with every class"
    assert found["samples"] == "192 from 4 files (synthetic samples, not handwriting)"


def test_one_changed_byte_in_a_chunk_fails(tmp_path, report):
    data_dir = prepared(tmp_path, report)
    chunk = data_dir / "etl9g_dataset_chunk_00.npz"
    content = bytearray(chunk.read_bytes())
    content[5000] ^= 1
    chunk.write_bytes(content)
    check = verdicts(data_dir, report)["chunk files"]
    assert check.verdict == "failed"
    assert "etl9g_dataset_chunk_00.npz" in check.found
    assert "kanji-tui prepare" in check.remedy


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("blank images", np.zeros((127, 128), np.uint8)),
        ("blank images", np.ones((127, 128), np.uint8)),  # the grey of the paper is not ink
        ("inverted images", (15 - ring(3)).astype(np.uint8)),
        ("saturated images", np.pad(np.full((107, 108), 15, np.uint8), 10)),
        ("duplicate images", ring(0)),
    ],
)
def test_a_suspicious_image_is_named_and_kept(tmp_path, report, name, image):
    data_dir = prepared(tmp_path, report, {7: image})
    suspicious = {check.name for check in verify(data_dir, None, report).checks if check.verdict != "ok"}
    assert suspicious == {name}
    check = verdicts(data_dir, report)[name]
    assert check.verdict == "warning"
    assert "7" in check.found


def test_the_check_fails_when_all_images_are_inverted(tmp_path, report):
    data_dir = prepared(tmp_path, report, {n: (15 - ring(n)).astype(np.uint8) for n in range(20)})
    assert verdicts(data_dir, report)["inverted images"].verdict == "failed"


def test_blank_images_are_not_duplicates(tmp_path, report):
    data_dir = prepared(tmp_path, report, {n: np.zeros((127, 128), np.uint8) for n in (3, 8)})
    found = verdicts(data_dir, report)
    assert found["blank images"].found == "2 of 20; samples 3, 8"
    assert found["duplicate images"].verdict == "ok"


def test_ink_at_the_edges_is_measured(tmp_path, report):
    frame = ring(0)
    frame[:, :4] = 15
    data_dir = prepared(tmp_path, report, {n: np.roll(frame, n % 3, axis=1) for n in range(5)})
    assert verdicts(data_dir, report)["ink at the edges"].found == "25.0 % of the images"


@pytest.mark.parametrize(("image_offset", "read_as", "named"), [(60, "etl9g", "etl8g"), (64, "etl8g", "etl9g")])
def test_a_file_read_in_the_wrong_format_gives_a_notice_and_a_failed_check(
    tmp_path, report, image_offset, read_as, named
):
    data_dir = prepared(tmp_path, report, image_offset=image_offset, format=read_as)
    (notice,) = report.of(Notice)  # reported before the first image is resized
    assert f"the files seem to be {named.upper()}" in notice.message
    check = verdicts(data_dir, report)["ink in the middle"]
    assert check.verdict == "failed"
    assert f"--format {named}" in check.remedy


@pytest.mark.parametrize(("image_offset", "read_as"), [(60, "etl8g"), (64, "etl9g")])
def test_the_right_format_gives_no_notice(tmp_path, report, image_offset, read_as):
    data_dir = prepared(tmp_path, report, image_offset=image_offset, format=read_as)
    assert not report.of(Notice)
    assert verdicts(data_dir, report)["ink in the middle"].verdict == "ok"


def test_excluded_records_and_incomplete_data_sets_are_reported(tmp_path, report):
    codes = [*CODES * 4, CODES[0], 0xFFFF]
    found = verdicts(prepared(tmp_path, report, codes=codes), report)
    assert found["excluded records"].verdict == "warning"
    assert "ETL9G_01 record 21: unknown JIS code FFFF" in found["excluded records"].found
    assert found["data sets"].found == "5 in 1 files; 1 without some classes: ETL9G_01 set 4 lacks 4"


def test_few_samples_of_a_class_and_few_data_sets_are_reported(tmp_path, report):
    found = verdicts(prepared(tmp_path, report, codes=CODES), report)
    assert found["classes"].verdict == "warning"
    assert "fewer than 3 samples: あ (2422)" in found["classes"].found
    assert "too few to keep writers apart" in found["data sets"].found


def test_the_contact_sheet_shows_one_class_per_row_and_one_writer_per_column(sample_dataset, tmp_path, report):
    path = tmp_path / "sheets" / "sheet.png"
    assert verify(sample_dataset, path, report).contact_sheet == str(path)
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        levels = np.asarray(sheet)
    cells = levels[34 : 34 + 12 * 34, 72 : 72 + 16 * 34].reshape(12, 34, 16, 34)
    assert (cells.min(axis=(1, 3)) < 160).all()  # ink in every cell
    assert (np.median(cells, axis=(1, 3)) > 200).all()  # on white paper


def test_the_heat_map_is_the_mean_image(tmp_path, report):
    left = np.zeros((127, 128), np.uint8)
    left[:, :64] = 15
    data_dir = prepared(tmp_path, report, {n: np.roll(left, 0) for n in range(20)})
    heat_map = np.array(verify(data_dir, tmp_path / "sheet.png", report).heat_map)
    assert heat_map.shape == (16, 16)
    assert (heat_map[:, :8] == 1).all()
    assert (heat_map[:, 8:] == 0).all()
    with Image.open(tmp_path / "sheet.png") as sheet:
        shown = np.asarray(sheet)[34 : 34 + 160, -172:-12]
    assert (shown[:, :80] == 0).all()
    assert (shown[:, 80:] == 255).all()


def test_outliers_are_found(sample_dir, tmp_path, report):
    whole = bytearray((sample_dir / "ETL9G_02").read_bytes())
    levels = np.zeros((127, 128), np.uint8)
    levels[90:120, 10:118] = 15
    jis = int.from_bytes(whole[7 * 8199 + 2 : 7 * 8199 + 4], "big")
    whole[7 * 8199 : 8 * 8199] = record(jis, levels)
    shutil.copytree(sample_dir, tmp_path / "etl", ignore=shutil.ignore_patterns("SAMPLE.json"))
    (tmp_path / "etl" / "ETL9G_02").write_bytes(whole)
    prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    verified = verify(tmp_path / "ds", tmp_path / "sheet.png", report, 2)
    assert len(verified.unusual) == verified.classes == 12
    first = next(known for known in verified.unusual if known.jis == f"{jis:04X}").samples[0]
    assert (first.file, first.record) == ("ETL9G_02", 7)
    assert 0.8 < first.distance <= 2
    assert {len(known.samples) for known in verified.unusual} == {2}
    assert not verify(tmp_path / "ds", None, report).unusual


def test_the_classes_a_data_set_lacks_are_listed(tmp_path, report):
    data_dir = prepared(tmp_path, report, codes=[*CODES * 4, CODES[0], CODES[2]])
    (incomplete,) = verify(data_dir, None, report).incomplete_sets
    assert (incomplete.file, incomplete.set) == ("ETL9G_01", 4)
    assert incomplete.lacks == tuple(sorted(f"{CODES[n]:04X}" for n in (1, 3, 4)))


def test_verify_raises_without_a_dataset_and_when_stopped(sample_dataset, tmp_path, report):
    with pytest.raises(KanjiError, match="no dataset"):
        verify(tmp_path, None, report)
    report.stop = True
    with pytest.raises(Stopped):
        verify(sample_dataset, None, report)
