import json
import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from kanji_tui.data import moving, staging
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.etl import open_records
from kanji_tui.data.preparation import prepare
from kanji_tui.data.record_files import RecordFile
from kanji_tui.data.source import Quarantined
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Progress
from kanji_tui.system.files import unfinished
from kanji_tui.system.locks import locked
from tests.data.making import (
    A_KANJI,
    CODES,
    TA,
    U,
    area_average,
    bytes_of,
    ring,
    write_records,
)


def test_samples_are_in_order_with_labels_data_sets_and_exact_images(etl_dir, tmp_path, report):
    prepared = prepare(etl_dir, tmp_path / "ds", 32, 2, None, report)
    dataset = open_dataset(tmp_path / "ds")
    assert (prepared.records, prepared.classes, prepared.size, prepared.quarantined) == (28, 5, 32, 0)
    assert prepared.digest == dataset.digest
    assert dataset.classes == tuple(sorted(CODES))
    assert dataset.jis.tolist() == [*CODES * 4, *(CODES * 2)[:8]]
    assert dataset.labels.tolist() == [sorted(CODES).index(jis) for jis in dataset.jis]
    assert dataset.file.tolist() == [0] * 10 + [1] * 10 + [2] * 8
    assert dataset.record.tolist() == [*range(10), *range(10), *range(8)]
    assert dataset.set.tolist() == ([0] * 5 + [1] * 5) * 2 + [0] * 5 + [1] * 3
    assert dataset.files == ("ETL9G_01", "ETL9G_02", "ETL9G_03")
    levels = np.stack([ring(file * 10_000 + n) for file in (1, 2, 3) for n in range(10)])[:28]
    exact = area_average(levels, 32)
    assert np.abs(dataset.images(range(28)) - exact).max() <= 0.5 + 1e-9


def test_the_json_files_have_the_fields_of_the_original_scripts_and_ours(etl_dir, tmp_path, report):
    prepare(etl_dir, tmp_path / "ds", 32, 1, None, report)
    files = {path.name: json.loads(path.read_text()) for path in (tmp_path / "ds").glob("*.json")}
    metadata, info = files["metadata.json"], files["chunk_info.json"]
    assert metadata["num_classes"] == 5
    assert metadata["total_samples"] == info["total_samples"] == 28
    assert metadata["target_size"] == 32
    assert metadata["jis_to_class"] == {"2422": 0, "2424": 1, "2426": 2, "3021": 3, "4544": 4}
    assert metadata["class_to_jis"]["4"] == "4544"
    assert metadata["samples_per_class"] == {"0": 6, "1": 6, "2": 5, "3": 6, "4": 5}
    assert metadata["dataset_info"]["files_processed"] == 3
    assert metadata["dataset_info"]["avg_samples_per_class"] == 28 / 5
    assert metadata["source"] == "ETL9G record files"
    assert metadata["dataset"] == "etl9g"
    assert info["num_chunks"] == 3
    assert [chunk["samples"] for chunk in info["chunks"]] == [10, 10, 8]
    assert files["character_mapping.json"]["4544"] == {
        "class_idx": 4,
        "ascii_reading": "R4",
        "sample_count": 5,
        "character": "田",
        "stroke_count": 5,
    }


def test_any_number_of_workers_gives_the_same_bytes(etl_dir, tmp_path, report):
    for workers in (1, 2, 5):
        prepare(etl_dir, tmp_path / f"ds{workers}", 48, workers, None, report)
    assert bytes_of(tmp_path / "ds1") == bytes_of(tmp_path / "ds2") == bytes_of(tmp_path / "ds5")


def test_classes_are_counted_over_all_files_and_the_first_reading_is_kept(tmp_path, report):
    write_records(tmp_path / "etl" / "ETL9G_01", [U, TA])
    write_records(tmp_path / "etl" / "ETL9G_02", [A_KANJI, U, TA])
    prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    dataset = open_dataset(tmp_path / "ds")
    assert dataset.classes == (U, A_KANJI, TA)
    assert dataset.labels.tolist() == [0, 2, 1, 0, 2]
    assert dataset.readings() == {U: "R0", TA: "R1", A_KANJI: "R0"}


def test_another_size_or_image_gives_another_digest(etl_dir, tmp_path, report):
    digests = {prepare(etl_dir, tmp_path / "ds", size, 1, None, report).digest for size in (32, 48)}
    write_records(etl_dir / "ETL9G_01", CODES * 2, seed=9)
    digests.add(prepare(etl_dir, tmp_path / "ds", 48, 1, None, report).digest)
    assert len(digests) == 3


def test_bad_records_are_quarantined_and_listed(tmp_path, report):
    write_records(tmp_path / "etl" / "ETL9G_01", [A_KANJI, 0xFFFF, U, 0x2135, TA])
    with open(tmp_path / "etl" / "ETL9G_01", "ab") as file:
        file.write(b"\0" * 100)
    prepared = prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    dataset = open_dataset(tmp_path / "ds")
    assert (prepared.records, prepared.quarantined) == (3, 3)
    assert dataset.record.tolist() == [0, 2, 4]
    assert np.abs(dataset.images([1])[0] - area_average(ring(2)[None], 32)[0]).max() <= 0.5 + 1e-9
    lines = (tmp_path / "ds" / "quarantine.tsv").read_text().splitlines()
    assert lines[0] == "file\trecord\treason"
    assert lines[1:] == [
        "ETL9G_01\t1\tunknown JIS code FFFF",
        "ETL9G_01\t3\tunknown JIS code 2135",
        "ETL9G_01\t5\ttruncated: 100 of 8,199 bytes",
    ]
    assert dataset.quarantined[0] == Quarantined("ETL9G_01", 1, "unknown JIS code FFFF")
    assert "excluded records: 3" in report.of(Notice)[0].message


def test_etl8g_files_are_detected_by_name(tmp_path, report):
    write_records(tmp_path / "etl" / "ETL8G_01", CODES, image_offset=60)
    assert prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report).format == "etl8g"
    dataset = open_dataset(tmp_path / "ds")
    exact = area_average(np.stack([ring(n) for n in range(5)]), 32)
    assert np.abs(dataset.images(range(5)) - exact).max() <= 0.5 + 1e-9
    assert (dataset.name, dataset.source) == ("etl8g", "ETL8G record files")


def test_fewer_files_leave_no_chunk_of_the_older_dataset(etl_dir, tmp_path, report):
    prepare(etl_dir, tmp_path / "ds", 32, 1, None, report)
    (etl_dir / "ETL9G_03").unlink()
    (tmp_path / "ds" / "README.md").write_text("mine")
    prepare(etl_dir, tmp_path / "ds", 32, 1, None, report)
    names = sorted(path.name for path in (tmp_path / "ds").iterdir())
    assert names == [
        "README.md",
        "character_mapping.json",
        "chunk_info.json",
        "etl9g_dataset_chunk_00.npz",
        "etl9g_dataset_chunk_01.npz",
        "metadata.json",
        "quarantine.tsv",
    ]


def test_progress_counts_all_records_and_those_of_each_file(etl_dir, tmp_path, report):
    prepare(etl_dir, tmp_path / "ds", 32, 2, None, report)
    progress = report.of(Progress)
    last_of_all = [event for event in progress if event.phase == "prepare"][-1]
    assert (last_of_all.done, last_of_all.total, last_of_all.unit) == (28, 28, "records")
    assert last_of_all.rate > 0
    ends = {event.item: (event.done, event.total) for event in progress if event.phase == "file"}
    assert ends == {"ETL9G_01": (10, 10), "ETL9G_02": (10, 10), "ETL9G_03": (8, 8)}


# Refused settings


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"size": 50}, "images of 50 pixels"),
        ({"workers": 0}, "0 is not a number of workers"),
        ({"format": "etl1"}, "'etl1' is not known"),
        ({"etl_dir": Path("nowhere")}, "no directory nowhere"),
    ],
)
def test_invalid_settings_are_refused(etl_dir, tmp_path, report, changes, sentence):
    settings = {"etl_dir": etl_dir, "size": 32, "workers": 1, "format": None} | changes
    with pytest.raises(UsageError, match=sentence):
        prepare(output_dir=tmp_path / "ds", report=report, **settings)
    assert not (tmp_path / "ds").exists()


def test_files_without_a_usable_record_are_refused(tmp_path, report):
    write_records(tmp_path / "etl" / "ETL9G_01", [0, 0xFFFF])
    with pytest.raises(KanjiError, match=r"none of the records .* is usable"):
        prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    assert not (tmp_path / "ds").exists()


def test_a_full_disk_is_reported_before_work_begins(etl_dir, tmp_path, report, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(KanjiError, match="the disk is too full"):
        prepare(etl_dir, tmp_path / "ds", 32, 1, None, report)


def test_a_disk_that_fills_up_loses_nothing(etl_dir, tmp_path, report, monkeypatch):
    old = prepare(etl_dir, tmp_path / "ds", 32, 1, None, report).digest
    begin = staging.begin

    def begin_with_a_full_disk_for_the_last_chunk(output_dir, plan):
        done = begin(output_dir, plan)
        full = unfinished(moving.next_dir(output_dir) / "etl9g_dataset_chunk_02.npz")
        full.symlink_to("/dev/full")  # the kernel's own "no space left on device"
        return done

    with monkeypatch.context() as patched:
        patched.setattr(staging, "begin", begin_with_a_full_disk_for_the_last_chunk)
        with pytest.raises(KanjiError, match="the disk is full") as failed:
            prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    assert "df -h" in failed.value.remedy
    assert open_dataset(tmp_path / "ds").digest == old
    prepare(etl_dir, tmp_path / "ds", 64, 1, None, report)
    assert open_dataset(tmp_path / "ds").size == 64


def test_the_first_error_is_raised_while_an_earlier_file_is_in_progress(etl_dir, tmp_path, report, monkeypatch):
    real, failed = RecordFile.images, threading.Event()

    def images(each, record, size):
        if each.name == "ETL9G_01":
            failed.wait(10)
            time.sleep(0.3)  # still in progress when the others are halted
        elif each.name == "ETL9G_02":
            os.truncate(each.path, 3 * 8199)
            failed.set()
        return real(each, record, size)

    monkeypatch.setattr(RecordFile, "images", images)
    with pytest.raises(KanjiError, match="ETL9G_02 became shorter while it was read"):
        prepare(etl_dir, tmp_path / "ds", 32, 2, None, report)


def test_a_second_preparation_of_the_same_folder_is_refused(etl_dir, tmp_path, report):
    with (
        locked(tmp_path / "ds"),
        pytest.raises(KanjiError, match="another preparation is running"),
    ):
        prepare(etl_dir, tmp_path / "ds", 32, 1, None, report)
    prepare(etl_dir, tmp_path / "ds", 32, 1, None, report)


def test_source_files_are_never_changed(etl_dir, tmp_path, report):
    before = bytes_of(etl_dir)
    prepare(etl_dir, tmp_path / "ds", 32, 2, None, report)
    assert bytes_of(etl_dir) == before
    assert not open_records(etl_dir / "ETL9G_01").flags.writeable
