"""Legacy datasets: files as the code of the original scripts writes them, from the description of their fields."""

import json

import numpy as np
import pytest

from kanji_tui.data.checks import verify
from kanji_tui.data.dataset import open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.data.splits import require_writers, split_dataset
from kanji_tui.errors import KanjiError, UsageError
from tests.data.making import I_, TA, A, U, write_records

CLASSES = {A: 0, I_: 1, U: 2, TA: 3}
SIZE = 32


def write_original(folder, samples=40, chunk_size=16, single=False, seed=0):
    """Write chunks of float32 images in 0-1 as the original scripts do; returns the exact uint8 images."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    bytes_ = np.zeros((samples, SIZE, SIZE), np.uint8)
    bytes_[:, 8:24, 8:24] = random.integers(40, 256, (samples, 16, 16))
    x = (bytes_.astype(np.float32) / 255.0).reshape(samples, -1)
    y = (np.arange(samples) % len(CLASSES)).astype(np.int32)
    if single:
        np.savez_compressed(folder / "etl9g_dataset.npz", X=x, y=y)
    else:
        starts = range(0, samples, chunk_size)
        for number, start in enumerate(starts):
            part = slice(start, start + chunk_size)
            np.savez_compressed(folder / f"etl9g_dataset_chunk_{number:02d}.npz", X=x[part], y=y[part])
        info = {"total_samples": samples, "chunk_size": chunk_size, "num_chunks": len(starts)}
        (folder / "chunk_info.json").write_text(json.dumps(info))
    metadata = {
        "num_classes": len(CLASSES),
        "total_samples": samples,
        "target_size": SIZE,
        "jis_to_class": {f"{jis:04X}": index for jis, index in CLASSES.items()},
        "class_to_jis": {str(index): f"{jis:04X}" for jis, index in CLASSES.items()},
        "samples_per_class": {str(index): int((y == index).sum()) for index in CLASSES.values()},
        "dataset_info": {"source": "ETL9G", "description": "", "files_processed": 3, "avg_samples_per_class": 10.0},
    }
    (folder / "metadata.json").write_text(json.dumps(metadata))
    mapping = {f"{A:04X}": {"class_idx": 0, "ascii_reading": "A", "sample_count": 10}}
    (folder / "character_mapping.json").write_text(json.dumps(mapping))
    return bytes_, y


@pytest.mark.parametrize("single", [False, True])
def test_images_classes_and_labels_are_those_of_the_scripts(tmp_path, single):
    bytes_, y = write_original(tmp_path / "ds", single=single)
    dataset = open_dataset(tmp_path / "ds")
    assert dataset.classes == tuple(CLASSES)
    assert dataset.labels.tolist() == y.tolist()
    assert dataset.jis.tolist() == [dataset.classes[label] for label in y]
    assert not (tmp_path / "ds" / ".uint8").exists()  # opening reads no image
    assert np.array_equal(dataset.images(range(40)), bytes_)
    assert np.array_equal(dataset.images([39, 3, 17]), bytes_[[39, 3, 17]])
    assert len(dataset.files) == (1 if single else 3)
    assert (dataset.record[-1], dataset.file[-1]) == ((39, 0) if single else (7, 2))
    assert (dataset.name, dataset.source) == ("etl9g", "ETL9G, prepared by the original scripts")
    assert dataset.readings() == {A: "A"}


def test_levels_between_bytes_are_rounded(tmp_path):
    write_original(tmp_path / "ds", single=True)
    with np.load(tmp_path / "ds" / "etl9g_dataset.npz") as archive:
        x, y = archive["X"], archive["y"]
    x[0, :4] = np.array([100.4, 100.6, 254.7, 0.4]) / 255
    np.savez_compressed(tmp_path / "ds" / "etl9g_dataset.npz", X=x, y=y)
    assert open_dataset(tmp_path / "ds").images([0])[0, 0, :4].tolist() == [100, 101, 255, 0]


def test_images_are_converted_once(tmp_path):
    bytes_, _ = write_original(tmp_path / "ds")
    open_dataset(tmp_path / "ds").images(range(40))
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "ds" / ".uint8").iterdir()}
    assert len(kept) == 3
    dataset = open_dataset(tmp_path / "ds")
    assert np.array_equal(dataset.images(range(40)), bytes_)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_other_images_give_another_digest_and_are_converted_again(tmp_path):
    write_original(tmp_path / "ds")
    before = open_dataset(tmp_path / "ds")
    before.images(range(40))
    bytes_, _ = write_original(tmp_path / "ds", seed=1)
    after = open_dataset(tmp_path / "ds")
    assert after.digest != before.digest
    assert np.array_equal(after.images(range(40)), bytes_)
    assert open_dataset(tmp_path / "ds").digest == after.digest


def test_classes_are_ordered_by_their_numbers(tmp_path):
    write_original(tmp_path / "ds")
    metadata = json.loads((tmp_path / "ds" / "metadata.json").read_text())
    metadata["jis_to_class"] = {"4544": 0, "2422": 3, "2424": 2, "2426": 1}
    (tmp_path / "ds" / "metadata.json").write_text(json.dumps(metadata))
    assert open_dataset(tmp_path / "ds").classes == (TA, U, I_, A)


def test_the_writers_are_unknown(tmp_path):
    write_original(tmp_path / "ds")
    dataset = open_dataset(tmp_path / "ds")
    with pytest.raises(UsageError, match="prepared by the original scripts"):
        require_writers(dataset)
    split = split_dataset(dataset, "writer", (70, 15, 15), 0)
    assert split.kind == "random"
    assert "unknown" in split.note


def test_verify_passes(tmp_path, report):
    write_original(tmp_path / "ds")
    verified = verify(tmp_path / "ds", tmp_path / "sheet.png", report)
    assert (verified.samples, verified.classes) == (40, 4)
    assert {check.verdict for check in verified.checks} == {"ok"}


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda d: (d / "etl9g_dataset_chunk_02.npz").unlink(), "hold 32 samples, metadata.json lists 40"),
        (lambda d: (d / "etl9g_dataset_chunk_01.npz").write_bytes(b"no zip"), "chunk_01.npz cannot be read"),
        (lambda d: np.savez(d / "etl9g_dataset_chunk_01.npz", X=np.zeros((16, 9))), "chunk_01.npz cannot be read"),
        (lambda d: _edit(d, jis_to_class={"2422": 0, "2424": 2}), "not numbered from 0"),
        (lambda d: _edit(d, jis_to_class={"2422": 0}), "labels .* without a class"),
        (lambda d: _edit(d, target_size="?"), "metadata.json: target_size cannot be"),
        (lambda d: _edit(d, target_size=64), "X has shape"),
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, damage, sentence):
    write_original(tmp_path / "ds")
    damage(tmp_path / "ds")
    with pytest.raises(KanjiError, match=sentence):
        open_dataset(tmp_path / "ds")


def test_a_damaged_image_in_the_archive_is_an_error_when_it_is_read(tmp_path):
    write_original(tmp_path / "ds", single=True)
    path = tmp_path / "ds" / "etl9g_dataset.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(KanjiError, match=r"etl9g_dataset\.npz cannot be read"):
        open_dataset(tmp_path / "ds").images([0])
    assert not list((tmp_path / "ds" / ".uint8").glob("*.npz"))


def test_a_preparation_replaces_a_legacy_dataset(tmp_path, report):
    write_original(tmp_path / "ds")
    open_dataset(tmp_path / "ds").images([0])
    write_records(tmp_path / "etl" / "ETL9G_01", [A, TA])
    prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    assert open_dataset(tmp_path / "ds").format == "etl9g"
    assert not (tmp_path / "ds" / ".uint8").exists()


def _edit(folder, **fields):
    metadata = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps(metadata | fields))
