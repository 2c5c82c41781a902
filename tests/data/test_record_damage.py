"""Damaged record files are recognised, and none of their records gets a wrong character."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.data.etl import read_contents
from tests.data.making import CODES, record, ring

WRITERS, BYTES = 4, 8199
TRUE = CODES * WRITERS


def whole_file(first_sheet: int = 1, order: str = ">") -> bytes:
    """Four writers of five characters. A shifted record of sheet 0x30 or later may seem to have a known code."""
    return b"".join(
        record(
            jis, RINGS[number % 5], reading=b"A.HIRA", serial=number, sheet=first_sheet + number // 5, order=order
        )
        for number, jis in enumerate(TRUE)
    )


RINGS = [ring(seed) for seed in range(5)]
FILES = [whole_file(), whole_file(0x2F)]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "ETL9G_01"


@given(st.integers(0, 1), st.integers(0, len(TRUE) * BYTES - 1), st.integers(-40, 40))
def test_inserted_or_missing_bytes_give_no_record_a_wrong_character(path, number, at, shift):
    path.write_bytes(shifted(FILES[number], at, shift))
    contents = read_contents(path)
    assert contents.jis.tolist() == [TRUE[number] for number in contents.record]
    if shift and at < (len(TRUE) - 1) * BYTES:
        assert all(number < (at - min(shift, 0)) // BYTES for number in contents.record)
        assert "are shifted" in contents.quarantined[-1].reason


def shifted(content: bytes, at: int, shift: int) -> bytes:
    """The file with bytes inserted, or with bytes missing."""
    return content[:at] + b"0" * shift + content[at - min(shift, 0) :]


@pytest.mark.parametrize(
    ("shift", "reason"), [(1, "1 byte inserted in record 8"), (-3, "3 bytes missing in record 8")]
)
def test_a_shift_is_named_and_the_records_before_it_are_kept(path, shift, reason):
    at = 8 * BYTES + 5000
    path.write_bytes(shifted(FILES[0], at, shift))
    contents = read_contents(path)
    assert contents.record.tolist() == list(range(8))
    assert {record.reason for record in contents.quarantined} == {
        f"{reason}: all records from there on are shifted"
    }
    assert "binary mode" in contents.remedy


def test_a_shift_in_a_file_that_is_also_cut_is_found(path):
    path.write_bytes(shifted(FILES[0], 8 * BYTES + 5000, 5)[:-3000])
    contents = read_contents(path)
    assert all(number < 8 for number in contents.record)
    assert "inserted or missing before record 9" in contents.quarantined[-1].reason


@pytest.mark.parametrize("lost", [512, 4096, 5000])
def test_a_lost_block_is_found(path, lost):
    path.write_bytes(shifted(FILES[0], 8 * BYTES + 1000, -lost))
    contents = read_contents(path)
    assert contents.record.tolist() in (list(range(8)), list(range(7)))
    assert "bytes inserted or missing in record" in contents.quarantined[-1].reason


def test_bytes_before_the_first_record_are_named(path):
    path.write_bytes(b"\0" * 7 + FILES[0])
    contents = read_contents(path)
    assert len(contents) == 0
    assert "7 bytes inserted before record 0" in contents.quarantined[0].reason


def test_swapped_bytes_are_named_and_no_record_is_accepted(path):
    """A third of these codes is known when its bytes are swapped."""
    path.write_bytes(whole_file(order="<"))
    contents = read_contents(path)
    assert len(contents) == 0
    assert "bytes of the JIS codes are swapped" in contents.quarantined[0].reason
    assert "big-endian" in contents.remedy
    words = np.frombuffer(FILES[0], np.uint8).reshape(-1, 2)[:, ::-1]
    path.write_bytes(words.tobytes())
    contents = read_contents(path)
    assert len(contents) == 0
    assert "bytes of the file are swapped" in contents.quarantined[0].reason


def test_a_copy_in_text_mode_is_named(path):
    path.write_bytes(FILES[0].replace(b"\xff", b"\n").replace(b"\n", b"\r\n"))
    contents = read_contents(path)
    assert contents.jis.tolist() == [TRUE[number] for number in contents.record]
    assert "text mode" in contents.quarantined[-1].reason


def test_single_unknown_codes_and_a_cut_file_are_no_such_damage(path):
    content = bytearray(FILES[0][:-3000])
    for number in (3, 12):
        content[number * BYTES + 2 : number * BYTES + 4] = b"\x7f\x7f"
    path.write_bytes(content)
    contents = read_contents(path)
    assert [record.record for record in contents.quarantined] == [3, 12, 19]
    assert [record.reason[:9] for record in contents.quarantined] == ["unknown J", "unknown J", "truncated"]
    assert contents.remedy == ""
