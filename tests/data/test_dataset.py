import json
import re
import shutil

import numpy as np
import pytest

from kanji_tui.data.checks import verify
from kanji_tui.data.chunks import write_chunk
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
    assert f"kanji-tui prepare --output-dir {tmp_path}" in failed.value.remedy
    assert "first: kanji-tui sample" in failed.value.remedy


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
    with pytest.raises(KanjiError, match=rf"metadata\.json: the field '{field}' is missing"):
        open_dataset(prepared)


def test_chunks_of_another_size_are_refused(prepared):
    metadata = json.loads((prepared / "metadata.json").read_text())
    (prepared / "metadata.json").write_text(json.dumps(metadata | {"target_size": 64}))
    with pytest.raises(KanjiError, match=r"chunk_00\.npz: the images do not match metadata\.json"):
        open_dataset(prepared)


def test_metadata_of_another_program_is_refused(tmp_path):
    (tmp_path / "metadata.json").write_text(json.dumps({"num_classes": 2, "total_samples": 2, "target_size": 64}))
    with pytest.raises(KanjiError, match="not made by this program"):
        open_dataset(tmp_path)


def rewrite(prepared, change, number=1):
    """Write the chunk again with its arrays changed by `change`."""
    path = prepared / f"etl9g_dataset_chunk_{number:02d}.npz"
    with np.load(path) as archive:
        arrays = {name: archive[name].copy() for name in ("X", "y", "jis", "file", "record", "set")}
    change(arrays)
    images = arrays.pop("X")
    write_chunk(path, images.shape, [images], arrays)


def put(name, place, value):
    return lambda arrays: arrays[name].__setitem__(place, value)


def cast(name, kind):
    return lambda arrays: arrays.__setitem__(name, arrays[name].astype(kind))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put("y", 3, 5), r"chunk_01\.npz has labels without a class"),
        (put("y", 3, -1), r"chunk_01\.npz has labels without a class"),
        (put("y", 3, 2**31 - 1), r"chunk_01\.npz has labels without a class"),
        (put("y", slice(0, 2), 4), r"2 labels contradict their JIS code, the first in .*chunk_01\.npz"),
    ],
)
def test_wrong_labels_are_found_when_a_training_opens_the_dataset_and_by_verify(prepared, report, change, sentence):
    rewrite(prepared, change)
    with pytest.raises(KanjiError, match=sentence):
        open_dataset(prepared)
    checks = {check.name: check for check in verify(prepared, None, report).checks}
    assert checks["samples"].verdict == "failed"
    assert re.search(sentence, checks["samples"].found)
    assert checks["chunk files"].verdict == "failed"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put("file", 0, 3), "file: there are samples of a file that metadata.json does not list"),
        (cast("y", np.int64), r"y is int64 \(10,\), not int32 \(10,\)"),
        (cast("jis", np.float32), r"jis is float32 \(10,\), not uint16"),
        (lambda arrays: arrays.update(y=arrays["y"][:9]), r"y is int32 \(9,\), not int32 \(10,\)"),
        (lambda arrays: arrays.update(y=arrays["y"][:, None]), r"y is int32 \(10, 1\)"),
        (lambda arrays: arrays.pop("set"), "set.npy"),
    ],
)
def test_a_chunk_of_other_arrays_is_one_sentence(prepared, report, change, sentence):
    rewrite(prepared, change)
    for use in (lambda: open_dataset(prepared), lambda: verify(prepared, None, report)):
        with pytest.raises(KanjiError, match=rf"etl9g_dataset_chunk_01\.npz.*{sentence}"):
            use()


@pytest.mark.parametrize(
    ("name", "fields", "sentence"),
    [
        ("chunk_info.json", {"num_chunks": 2**63}, "num_chunks cannot be '9223372036854775808': it must be from 1"),
        ("chunk_info.json", {"num_chunks": 200}, "num_chunks is 200, but 3 chunks are listed"),
        ("chunk_info.json", {"chunks": 5}, "chunks must be a list"),
        ("metadata.json", {"target_size": 10**9}, "target_size cannot be"),
        ("metadata.json", {"total_samples": 31}, "do not match"),
        ("metadata.json", {"jis_to_class": {"2422": 0, "2424": 1, "2426": 3}}, "not numbered from 0"),
        ("metadata.json", {"jis_to_class": {"あ": 0}}, "jis_to_class cannot be 'あ': it must be a JIS code"),
        ("metadata.json", {"files": [1, 2, 3]}, "files cannot be '1': str is needed"),
        ("metadata.json", {"quarantine": [{"file": "x"}]}, "quarantine: the field 'record' is missing"),
        ("character_mapping.json", {"2422": "A"}, "2422 must be fields with values"),
        ("character_mapping.json", {"x": {}}, "cannot be 'x': it must be a JIS code"),
    ],
)
def test_a_wrong_value_in_a_description_is_named_with_file_and_field(prepared, name, fields, sentence):
    path = prepared / name
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))
    with pytest.raises(KanjiError, match=sentence) as raised:
        open_dataset(prepared).readings()
    assert name in raised.value.message


def test_verify_says_so_where_a_class_is_missing(prepared, report):
    path = prepared / "metadata.json"
    metadata = json.loads(path.read_text())
    metadata["jis_to_class"].popitem()
    path.write_text(json.dumps(metadata))
    checks = {check.name: check for check in verify(prepared, None, report).checks}
    assert "labels without a class" in checks["samples"].found
