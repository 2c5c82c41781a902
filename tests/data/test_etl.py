import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.characters.classes import etl9g_classes
from kanji_tui.data.etl import (
    ETL8G,
    ETL9G,
    KNOWN_FILES,
    data_sets,
    known_codes,
    open_records,
    read_contents,
    record_files,
    trailing_bytes,
)
from kanji_tui.errors import KanjiError, UsageError
from tests.data.making import A_KANJI, CODES, TA, A, record, ring, write_records


def test_a_record_is_read_field_by_field(tmp_path):
    path = tmp_path / "ETL9G_01"
    path.write_bytes(record(TA, ring(3), reading=b"TA", serial=123456789))
    (found,) = open_records(path)
    assert ETL9G.itemsize == ETL8G.itemsize == 8199
    assert (found["jis"], found["reading"], found["serial"]) == (TA, b"TA      ", 123456789)
    packed = found["image"]
    assert np.array_equal(packed >> 4, ring(3)[:, 0::2])  # the high nibble is the left pixel
    assert np.array_equal(packed & 15, ring(3)[:, 1::2])


def test_etl8g_has_its_image_four_bytes_earlier(tmp_path):
    path = tmp_path / "ETL8G_01"
    path.write_bytes(record(TA, ring(3), image_offset=60))
    assert np.array_equal(open_records(path, "etl8g")[0]["image"] >> 4, ring(3)[:, 0::2])
    assert not np.array_equal(open_records(path, "etl9g")[0]["image"] >> 4, ring(3)[:, 0::2])


@given(st.data())
def test_any_record_is_read_back_as_it_was_packed(data):
    levels = np.frombuffer(data.draw(st.binary(min_size=64, max_size=64)), np.uint8) & 15
    image = np.resize(levels, (127, 128))
    jis = data.draw(st.integers(0, 65535))
    (found,) = np.frombuffer(record(jis, image), ETL9G)
    assert found["jis"] == jis
    both = np.stack([found["image"] >> 4, found["image"] & 15], axis=2).reshape(127, 128)
    assert np.array_equal(both, image)


def test_a_truncated_last_record_is_quarantined_and_the_complete_ones_are_kept(tmp_path):
    path = write_records(tmp_path / "ETL9G_01", CODES)
    path.write_bytes(path.read_bytes()[:-199])
    assert trailing_bytes(path) == 8000
    contents = read_contents(path)
    assert contents.jis.tolist() == list(CODES[:-1])
    (left_out,) = contents.quarantined
    assert (left_out.file, left_out.record) == ("ETL9G_01", 4)
    assert "truncated: 8,000 of 8,199 bytes" in left_out.reason


def test_unknown_codes_are_quarantined(tmp_path):
    path = write_records(tmp_path / "ETL9G_01", [A_KANJI, 0xFFFF, A, 0x2135, TA])
    contents = read_contents(path)
    assert contents.record.tolist() == [0, 2, 4]
    assert contents.jis.tolist() == [A_KANJI, A, TA]
    assert [(q.record, q.reason) for q in contents.quarantined] == [
        (1, "unknown JIS code FFFF"),
        (3, "unknown JIS code 2135"),
    ]


def test_the_reading_of_a_class_is_that_of_its_first_record(tmp_path):
    contents = read_contents(write_records(tmp_path / "ETL9G_01", [A, TA, A, TA]))
    assert contents.readings == {A: "R0", TA: "R1"}


def test_etl9g_has_its_classes_and_etl8g_also_small_kana():
    assert known_codes("etl9g").tolist() == [known.jis for known in etl9g_classes()]
    assert 0x2463 in known_codes("etl8g")  # small ya
    assert 0x2463 not in known_codes("etl9g")
    assert set(known_codes("etl9g")) < set(known_codes("etl8g"))


def test_the_fifty_files_are_known():
    assert len(KNOWN_FILES) == 50
    assert set(KNOWN_FILES.values()) == {12_144 * 8_199}
    assert next(iter(KNOWN_FILES)) == "ETL9G_01"


# Data sets


@given(st.permutations(range(1, 9)), st.integers(1, 6), st.integers(0, 7), st.data())
def test_each_writer_of_an_ordered_file_is_a_data_set_even_when_the_file_is_truncated(order, writers, cut, data):
    codes = np.array([100, *order] * writers, np.uint16)
    codes = codes[: len(codes) - cut]
    sets = data_sets(codes, np.ones(len(codes), bool))
    assert sets.tolist() == [position // 9 for position in range(len(codes))]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_no_data_set_holds_a_code_twice_unless_the_file_is_one_set(codes):
    jis = np.array(codes, np.uint16)
    sets = data_sets(jis, np.ones(len(jis), bool))
    pairs = set(zip(sets.tolist(), codes, strict=True))
    assert len(pairs) == len(codes) or set(sets.tolist()) == {0}
    assert np.all(np.diff(sets.astype(int)) >= 0)


def test_a_code_that_repeats_within_a_block_makes_the_file_one_set():
    assert data_sets(np.array([5, 6, 7, 5, 6, 6], np.uint16), np.ones(6, bool)).tolist() == [0] * 6
    assert data_sets(np.array([5, 6, 7, 5, 6, 7], np.uint16), np.ones(6, bool)).tolist() == [0, 0, 0, 1, 1, 1]


def test_unknown_codes_do_not_merge_data_sets():
    jis = np.array([5, 0xFFFF, 0xFFFF, 5, 6, 7], np.uint16)
    assert data_sets(jis, jis != 0xFFFF).tolist() == [0, 0, 0, 1, 1, 1]


def test_a_file_whose_first_code_is_unknown_is_one_data_set():
    jis = np.array([0xFFFF, 6, 7, 5, 6, 7], np.uint16)
    assert set(data_sets(jis, jis != 0xFFFF).tolist()) == {0}


# Listing a folder


def test_only_record_files_are_listed_by_name(tmp_path):
    for name in ("ETL9G_10", "ETL9G_02"):
        write_records(tmp_path / name, [A])
    for name in ("ETL9INFO", "README.md", "ETL9G_01.gz", "SAMPLE.json"):
        (tmp_path / name).write_text("x")
    assert [path.name for path in record_files(tmp_path, "etl9g")] == ["ETL9G_02", "ETL9G_10"]


def test_a_missing_directory_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no directory") as failed:
        record_files(tmp_path / "nowhere", "etl9g")
    assert "kanji-tui sample" in failed.value.remedy


def test_a_folder_without_etl_files_names_its_content_and_what_to_do(tmp_path):
    with pytest.raises(UsageError, match="it is empty"):
        record_files(tmp_path, "etl9g")
    (tmp_path / "holiday.jpg").write_text("x")
    with pytest.raises(UsageError, match=r"no ETL files in .*holiday\.jpg") as failed:
        record_files(tmp_path, "etl9g")
    assert "ETL9G_01" in failed.value.remedy


def test_files_one_folder_down_are_named(tmp_path):
    write_records(tmp_path / "inner" / "ETL9G_01", [A])
    with pytest.raises(UsageError) as failed:
        record_files(tmp_path, "etl9g")
    assert failed.value.remedy.endswith(f"--etl-dir {tmp_path / 'inner'}")


def test_an_empty_file_is_refused_by_name(tmp_path):
    (tmp_path / "ETL9G_03").touch()
    with pytest.raises(KanjiError, match=r"ETL9G_03 is empty \(0 bytes\)"):
        record_files(tmp_path, "etl9g")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><html>log in" + b" " * 20_000, "is not a record file but a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 99568656\n", "but a Git LFS pointer"),
        (gzip.compress(bytes(range(256)) * 99), "but compressed by gzip"),
        (bytes(4000), "holds no whole record: 4,000 of 8,199 bytes"),
    ],
    ids=["page", "pointer", "gzip", "beginning"],
)
def test_what_stands_in_place_of_a_record_file_is_named(tmp_path, content, said):
    """One that is short is a single unusable record, so all of its file would be lost without a failure."""
    write_records(tmp_path / "ETL9G_01", CODES)
    (tmp_path / "ETL9G_02").write_bytes(content)
    with pytest.raises(KanjiError, match=f"ETL9G_02 {said}|ETL9G_02 is not a record file {said}"):
        record_files(tmp_path, "etl9g")


def test_a_record_whose_first_bytes_are_those_of_gzip_is_a_record(tmp_path):
    whole = record(CODES[0], ring(1))
    (tmp_path / "ETL9G_01").write_bytes(b"\x1f\x8b" + bytes(whole)[2:])
    assert len(record_files(tmp_path, "etl9g")) == 1


def test_files_of_the_requested_format_are_preferred(tmp_path):
    write_records(tmp_path / "ETL8G_01", [A], image_offset=60)
    assert [path.name for path in record_files(tmp_path, "etl9g")] == ["ETL8G_01"]
    write_records(tmp_path / "ETL9G_01", [A])
    assert [path.name for path in record_files(tmp_path, "etl8g")] == ["ETL8G_01"]
    assert [path.name for path in record_files(tmp_path, "etl9g")] == ["ETL9G_01"]


def test_an_unreadable_file_is_an_error_message(tmp_path):
    (tmp_path / "ETL9G_01").symlink_to(tmp_path / "gone")
    with pytest.raises(KanjiError, match="ETL9G_01 cannot be read: No such file"):
        open_records(tmp_path / "ETL9G_01")
