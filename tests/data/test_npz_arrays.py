"""Npz files in the layouts in which people save them give the same dataset, or are refused with what is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

from kanji_tui.data.formats import list_inputs
from kanji_tui.data.npz_arrays import find_images, read_labels
from kanji_tui.data.preparation import prepare
from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice
from kanji_tui.paths import METADATA
from tests.data.making import bytes_of, write_kuzushiji

COUNT = 150  # more than two blocks
IMAGES = "k49-train-imgs.npz"
LABELS = "k49-train-labels.npz"


def content_of(folder: Path) -> dict[str, object]:
    """Every file of a dataset, its metadata without the files that it was prepared from."""
    metadata = json.loads((folder / METADATA).read_bytes())
    return {**bytes_of(folder), METADATA: {**metadata, "inputs": None}}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return write_kuzushiji(tmp_path_factory.mktemp("plain"), train=COUNT, test=0)


@pytest.fixture(scope="module")
def prepared(plain, tmp_path_factory):
    """The dataset of the plain layout, which must not change either."""
    from tests.conftest import Remembered

    folder = tmp_path_factory.mktemp("prepared") / "ds"
    prepare(plain, folder, 32, 1, None, Remembered())
    return content_of(folder)


def rewritten(plain, folder, images=None, labels=None):
    """A copy of the plain collection with its arrays changed; a dict is saved under its names."""
    folder.mkdir()
    (folder / "k49_classmap.csv").write_bytes((plain / "k49_classmap.csv").read_bytes())
    for name, change in ((IMAGES, images), (LABELS, labels)):
        array = np.load(plain / name)["arr_0"]
        changed = array if change is None else change(array)
        np.savez(folder / name, **(changed if isinstance(changed, dict) else {"arr_0": changed}))
    return folder


SAME_IMAGES = {
    "float 0-1": lambda a: a / 255,
    "float32 0-1": lambda a: (a / 255).astype(np.float32),
    "float16 0-255": lambda a: a.astype(np.float16),
    "float 0-255": lambda a: a.astype(float),
    "int64": lambda a: a.astype(np.int64),
    "ink low": lambda a: 255 - a,
    "ink low, 0-1": lambda a: 1 - a / 255,
    "big-endian": lambda a: a.astype(">i4"),
    "channel last": lambda a: a[..., None],
    "channel first": lambda a: a[:, None],
    "flattened": lambda a: a.reshape(COUNT, -1),
    "column order": np.asfortranarray,
    "all of these": lambda a: np.asfortranarray(a.reshape(COUNT, -1) / 255),
    "another name": lambda a: {"pixels": a},
    "a usual name among others": lambda a: {"X": a, "y": np.zeros(COUNT), "about": np.array("text")},
}
SAME_LABELS = {
    "int64": lambda a: a.astype(np.int64),
    "float": lambda a: a.astype(float),
    "a column": lambda a: a[:, None],
    "one-hot": lambda a: np.eye(4, dtype=np.float32)[a],
    "another name": lambda a: {"classes": a},
    "a usual name among others": lambda a: {"Labels": a, "names": np.array(["a", "b"])},
}


@pytest.mark.parametrize("layout", SAME_IMAGES)
def test_images_in_another_layout_give_the_same_dataset(plain, prepared, tmp_path, report, layout):
    folder = rewritten(plain, tmp_path / "in", images=SAME_IMAGES[layout])
    assert list_inputs(folder).samples == COUNT
    prepare(folder, tmp_path / "ds", 32, 2, None, report)
    assert content_of(tmp_path / "ds") == prepared


@pytest.mark.parametrize("layout", SAME_LABELS)
def test_labels_in_another_layout_are_the_same(plain, tmp_path, layout):
    folder = rewritten(plain, tmp_path / "in", labels=SAME_LABELS[layout])
    assert read_labels(folder / LABELS).tolist() == [number % 4 for number in range(COUNT)]


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int16, np.float32])
def test_ink_of_0_and_1_becomes_0_and_255(plain, tmp_path, kind):
    folder = rewritten(plain, tmp_path / "in", images=lambda a: (a > 100).astype(kind))
    levels = np.concatenate(list(find_images(folder / IMAGES).blocks()))
    assert np.array_equal(levels, 255 * (np.load(plain / IMAGES)["arr_0"] > 100))


def test_floats_are_rounded_to_the_nearest_level(plain, tmp_path):
    folder = rewritten(plain, tmp_path / "in", images=lambda a: np.full(a.shape, 99.6))
    (first, *_) = find_images(folder / IMAGES).blocks()
    assert np.unique(first).tolist() == [100]


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (lambda a: a / 127.5 - 1, None, "imgs.npz cannot be read: its values go from -1 to 1"),
        (lambda a: a.astype(np.uint16) * 256, None, "its values go from 0 to 65280, not from 0 to 255 or to 1"),
        (lambda a: np.where(a > 250, np.nan, a), None, r"some of its values are no numbers \(NaN\)"),
        (lambda a: np.repeat(a[..., None], 3, 3), None, r"its array has the shape \(150, 28, 28, 3\)"),
        (lambda a: a.reshape(COUNT, -1)[:, :783], None, r"its array has the shape \(150, 783\)"),
        (lambda a: a[:0], None, r"its array has the shape \(0, 28, 28\)"),
        (lambda a: a.astype(object), None, "its array holds Python objects"),
        (lambda a: a.astype(str), None, "its array holds text"),
        (lambda a: a.astype(complex), None, "its array holds complex numbers"),
        (lambda a: {"one": a, "two": a}, None, "it holds one, two; name one array arr_0"),
        (lambda a: {"x": a, "images": a}, None, "it holds x, images; name one array arr_0"),
        (None, lambda a: a + 0.5, "labels.npz cannot be read: its values are not whole numbers"),
        (None, lambda a: np.where(a > 2, np.nan, a), "its values are not whole numbers"),
        (None, lambda a: a.astype(str), "its array holds text"),
        (None, lambda a: np.eye(4)[a] + np.eye(4)[0], r"its array has the shape \(150, 4\)"),
        (None, lambda a: {"one": a, "two": a}, "it holds one, two"),
    ],
)
def test_what_has_no_plain_meaning_is_refused_with_what_is_wrong(plain, tmp_path, report, images, labels, sentence):
    folder = rewritten(plain, tmp_path / "in", images, labels)
    with pytest.raises(KanjiError, match=sentence) as refused:
        prepare(folder, tmp_path / "ds", 32, 1, None, report)
    assert "numpy.savez" in refused.value.remedy
    assert "copy" not in refused.value.remedy
    assert not (tmp_path / "ds").exists()


def test_inverted_images_are_announced(plain, tmp_path, report):
    folder = rewritten(plain, tmp_path / "in", images=lambda a: 255 - a)
    prepare(folder, tmp_path / "ds", 32, 1, None, report)
    assert f"{IMAGES} has dark ink on light paper: its images are inverted" in [
        notice.message for notice in report.of(Notice)
    ]


@pytest.mark.parametrize("shift", [1, -1])
def test_labels_that_count_from_another_number_are_refused(plain, tmp_path, report, shift):
    """Nearly all of them would name another class."""
    folder = rewritten(plain, tmp_path / "in", labels=lambda a: a.astype(np.int64) + shift)
    with pytest.raises(KanjiError, match=f"counts its classes from {shift}, k49_classmap.csv from 0") as refused:
        prepare(folder, tmp_path / "ds", 32, 1, None, report)
    assert f"labels - {shift}" in refused.value.remedy
    assert not (tmp_path / "ds").exists()


def test_one_label_that_is_no_class_does_not_refuse_the_others(plain, tmp_path, report):
    folder = rewritten(plain, tmp_path / "in", labels=lambda a: np.where(np.arange(COUNT) == 7, 9, a))
    prepare(folder, tmp_path / "ds", 32, 1, None, report)
    assert (tmp_path / "ds").exists()
