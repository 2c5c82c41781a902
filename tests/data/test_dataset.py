import json
import shutil

import numpy as np
import pytest

from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.errors import KanjiError
from tests.data.making import CODES, write_records


@pytest.fixture
def prepared(tmp_path, report):
    for number in (1, 2, 3):
        write_records(tmp_path / "etl" / f"ETL9G_0{number}", CODES * 2, seed=number)
    prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    return tmp_path / "ds"


def test_images_in_any_order_with_repeats(prepared):
    dataset = open_dataset(prepared)
    every = np.concatenate([np.load(path)["X"] for path in sorted(prepared.glob("*.npz"))])
    assert np.array_equal(dataset.images(range(30)), every)
    wanted = np.random.default_rng(0).integers(0, 30, 100)
    assert np.array_equal(dataset.images(wanted), every[wanted])
    assert dataset.images([]).shape == (0, 32, 32)
    assert dataset.images(np.int64(7)).shape == (1, 32, 32)
    for outside in (-1, 30):
        with pytest.raises(IndexError):
            dataset.images([outside])


def test_each_file_and_data_set_is_one_writer(prepared):
    dataset = open_dataset(prepared)
    assert dataset.writers().dtype == np.int64
    assert dataset.writers().tolist() == [position // 5 for position in range(30)]


def test_dtypes_are_as_documented(prepared):
    dataset = open_dataset(prepared)
    kinds = [dataset.labels.dtype, dataset.jis.dtype, dataset.file.dtype, dataset.record.dtype, dataset.set.dtype]
    assert kinds == [np.int32, np.uint16, np.uint8, np.uint32, np.uint16]
    assert dataset.images([0]).dtype == np.uint8
    assert dataset.readings()[CODES[0]] == "R0"


def test_an_open_dataset_stays_readable_when_its_folder_is_removed(prepared, tmp_path):
    dataset = open_dataset(prepared)
    first = dataset.images([0])
    shutil.rmtree(prepared)
    assert np.array_equal(dataset.images([0]), first)


def test_a_folder_without_a_dataset_names_the_command(tmp_path):
    with pytest.raises(KanjiError, match="no dataset in") as failed:
        open_dataset(tmp_path)
    assert "kanji-tui prepare" in failed.value.remedy


def test_a_missing_or_truncated_chunk_is_named(prepared):
    chunk = prepared / "etl9g_dataset_chunk_01.npz"
    whole = chunk.read_bytes()
    for damaged in (whole[:4000], b""):
        chunk.write_bytes(damaged)
        with pytest.raises(KanjiError, match=r"etl9g_dataset_chunk_01\.npz cannot be read"):
            open_dataset(prepared)
    chunk.unlink()
    with pytest.raises(KanjiError, match=r"etl9g_dataset_chunk_01\.npz cannot be read"):
        open_dataset(prepared)


@pytest.mark.parametrize(
    "field", ["target_size", "jis_to_class", "digest", "files", "total_samples", "quarantine", "format"]
)
def test_damaged_metadata_is_an_error_message(prepared, field):
    metadata = json.loads((prepared / "metadata.json").read_text())
    del metadata[field]
    (prepared / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(KanjiError, match="damaged"):
        open_dataset(prepared)


def test_chunks_of_another_size_are_refused(prepared):
    metadata = json.loads((prepared / "metadata.json").read_text())
    (prepared / "metadata.json").write_text(json.dumps(metadata | {"target_size": 64}))
    with pytest.raises(KanjiError, match="do not match"):
        open_dataset(prepared)


def test_metadata_of_another_program_is_refused(tmp_path):
    (tmp_path / "metadata.json").write_text(json.dumps({"num_classes": 2, "total_samples": 2, "target_size": 64}))
    with pytest.raises(KanjiError, match="not made by this program"):
        open_dataset(tmp_path)
