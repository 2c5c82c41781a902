"""The files a dataset was prepared from: kept in its metadata, and compared with what lies there later."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from kanji_tui.data import input_files
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.input_files import Inputs, changed_files
from kanji_tui.data.preparation import prepare
from kanji_tui.events import SilentReport
from tests.data.making import CODES, write_records


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "ETL9G"
    for number in (1, 2):
        write_records(folder / f"ETL9G_0{number}", CODES, seed=number)
    return folder


@pytest.fixture
def inputs(records: Path, tmp_path: Path) -> Inputs:
    prepare(records, tmp_path / "ds", 32, 1, None, SilentReport())
    return open_dataset(tmp_path / "ds").inputs


def test_the_metadata_name_each_file_with_its_sha256(inputs: Inputs, records: Path) -> None:
    paths = [records / "ETL9G_01", records / "ETL9G_02"]
    assert [(file.name, file.bytes, file.digest) for file in inputs.files] == [
        (path.name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths
    ]
    assert changed_files(inputs, records.parent / "ds", records, [path.name for path in paths]) == ()
    assert Inputs().digest == ""
    assert len(inputs.digest) == 64


def test_other_files_than_those_prepared_are_named(inputs: Inputs, records: Path, tmp_path: Path) -> None:
    first, second = records / "ETL9G_01", records / "ETL9G_02"
    content = bytearray(first.read_bytes())
    content[5000] ^= 1
    first.write_bytes(content)  # of the same size
    second.unlink()
    write_records(records / "ETL9G_03", CODES, seed=3)
    found = changed_files(inputs, records.parent / "ds", records, ["ETL9G_01", "ETL9G_03"])
    assert found == ("ETL9G_01", "ETL9G_02 (missing)", "ETL9G_03 (new)")
    assert changed_files(inputs, tmp_path / "ds", tmp_path / "elsewhere") == ()  # the dataset is not from there
    prepare(records, tmp_path / "ds", 32, 1, None, SilentReport())
    again = open_dataset(tmp_path / "ds").inputs
    assert changed_files(again, records.parent / "ds", records, ["ETL9G_01", "ETL9G_03"]) == ()
    assert again.digest != inputs.digest


def test_files_that_were_put_away_are_not_missed(inputs: Inputs, records: Path, tmp_path: Path) -> None:
    shutil.rmtree(records)
    assert changed_files(inputs, tmp_path / "ds", records) == ()


def test_a_copy_with_another_time_is_the_same_file_where_it_is_soon_read(
    inputs: Inputs, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(records / "ETL9G_01", (1, 1))
    assert changed_files(inputs, records.parent / "ds", records) == ()
    monkeypatch.setattr(input_files, "QUICK_BYTES", 100)
    assert changed_files(inputs, records.parent / "ds", records) == ("ETL9G_01",)


def test_the_digest_does_not_depend_on_time_and_place(inputs: Inputs, records: Path, tmp_path: Path) -> None:
    shutil.copytree(records, tmp_path / "copy", copy_function=shutil.copy)
    prepare(tmp_path / "copy", tmp_path / "other", 32, 2, None, SilentReport())
    other = open_dataset(tmp_path / "other").inputs
    assert other.folder != inputs.folder
    assert other.digest == inputs.digest
