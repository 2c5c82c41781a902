from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.etl import data_sets
from kanji_tui.data.preparation import prepare
from kanji_tui.data.splits import require_writers, split_as_stored, split_dataset
from kanji_tui.errors import UsageError
from tests.data.making import CODES, write_records

SHARES = (70.0, 15.0, 15.0)


def dataset_of(files: list[list[int]]) -> Dataset:
    """A dataset without images, of files with these codes; data sets are found as in a preparation."""
    jis = [np.array(codes, np.uint16) for codes in files]
    sets = [data_sets(codes, np.ones(len(codes), bool)) for codes in jis]
    every = np.concatenate(jis)
    classes = np.unique(every)
    return Dataset(
        path=Path("nowhere"),
        size=32,
        classes=tuple(classes.tolist()),
        labels=np.searchsorted(classes, every).astype(np.int32),
        jis=every,
        file=np.concatenate([np.full(len(codes), n, np.uint8) for n, codes in enumerate(jis)]),
        record=np.concatenate([np.arange(len(codes), dtype=np.uint32) for codes in jis]),
        set=np.concatenate(sets),
        files=tuple(f"ETL9G_{n + 1:02d}" for n in range(len(files))),
        digest="",
        source="",
        name="etl9g",
        chunk_digests=(),
        quarantined=(),
        format="etl9g",
        _images=(),
        _starts=np.zeros(1, np.int64),
    )


def regular(files: int = 5, sets: int = 4, classes: int = 20) -> Dataset:
    return dataset_of([list(range(100, 100 + classes)) * sets] * files)


@st.composite
def some_files(draw):
    """Complete files, truncated files, and files in random order."""
    files = []
    for _ in range(draw(st.integers(1, 6))):
        order = list(range(1, draw(st.integers(2, 9))))
        codes = order * draw(st.integers(1, 5))
        if draw(st.booleans()):
            codes = codes[: draw(st.integers(1, len(codes)))]
        if draw(st.booleans()):
            codes = draw(st.permutations(codes))
        files.append(codes)
    return dataset_of(files)


shares = st.tuples(st.integers(1, 90), st.integers(0, 50), st.integers(0, 50))


@given(some_files(), shares, st.integers(0, 1000))
def test_no_writer_is_in_two_splits_and_every_sample_is_in_one(dataset, shares, seed):
    split = split_dataset(dataset, "writer", shares, seed)
    parts = [split.train, split.validation, split.test]
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(dataset)))
    assert all(part.dtype == np.int64 for part in parts)
    assert len(split.train)
    writers = dataset.writers()
    if writers.max() + 1 >= 3:
        assert split.kind == "writer"
        assert "the split is random" not in split.note
        sides = [set(writers[part].tolist()) for part in parts]
        assert len(sides[0] | sides[1] | sides[2]) == sum(map(len, sides))
        assert [bool(side) for side in sides] == [bool(share) for share in shares]
    else:
        assert split.kind == "random"
        assert "needed for a split by writer" in split.note


@given(some_files(), shares, st.integers(0, 1000))
def test_a_random_split_holds_every_sample_once(dataset, shares, seed):
    split = split_dataset(dataset, "random", shares, seed)
    every = np.concatenate([split.train, split.validation, split.test])
    assert sorted(every.tolist()) == list(range(len(dataset)))
    assert set(dataset.labels[split.train]) == set(dataset.labels)  # every class is in train
    if shares[2] == 0:
        assert len(split.test) == 0


@given(some_files(), shares, st.integers(0, 100), st.integers(1, 80), st.sampled_from(["writer", "random"]))
def test_a_sample_limit_keeps_that_many_samples_of_the_same_split(dataset, shares, seed, limit, kind):
    whole = split_dataset(dataset, kind, shares, seed)
    limited = split_dataset(dataset, kind, shares, seed, limit)
    parts = ("train", "validation", "test")
    assert sum(len(getattr(limited, part)) for part in parts) == min(limit, len(dataset))
    for part in parts:
        assert set(getattr(limited, part)) <= set(getattr(whole, part))
    assert len(limited.train)


def test_shares_are_rounded_to_writers():
    split = split_dataset(regular(), "writer", SHARES, 0)
    assert [len(part) // 20 for part in (split.train, split.validation, split.test)] == [14, 3, 3]
    split = split_dataset(regular(), "writer", (85, 15, 0), 0)
    assert [len(part) // 20 for part in (split.train, split.validation, split.test)] == [17, 3, 0]
    split = split_dataset(regular(1, 3), "writer", SHARES, 0)
    assert [len(part) // 20 for part in (split.train, split.validation, split.test)] == [1, 1, 1]


def test_a_random_split_is_stratified():
    dataset = regular()
    split = split_dataset(dataset, "random", SHARES, 0)
    assert set(np.bincount(dataset.labels[split.train])) == {14}
    assert set(np.bincount(dataset.labels[split.validation])) == {3}
    assert set(np.bincount(dataset.labels[split.test])) == {3}


def test_a_sample_limit_is_stratified():
    dataset = regular()
    split = split_dataset(dataset, "writer", SHARES, 0, 100)
    assert [len(part) for part in (split.train, split.validation, split.test)] == [70, 15, 15]
    counts = np.bincount(dataset.labels[split.train], minlength=20)
    assert counts.min() >= 3
    assert counts.max() <= 4


def test_only_the_seed_changes_the_result():
    one, same, other = (split_dataset(regular(), "writer", SHARES, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.test, same.test)
    assert not np.array_equal(one.test, other.test)
    # Fixed: a later version must not move a test writer into train.
    assert sorted(set((one.test // 20).tolist())) == WRITERS_OF_SEED_3


WRITERS_OF_SEED_3 = [3, 8, 10]


def test_fewer_than_three_writers_give_a_random_split_and_a_note():
    split = split_dataset(regular(1, 2), "writer", SHARES, 0)
    assert split.kind == "random"
    assert split.note.startswith("writers: 2; 3 are needed")


def test_partial_real_record_files_keep_writers_apart(tmp_path, report):
    for number, records in ((1, 15), (2, 13), (3, 3)):
        write_records(tmp_path / "etl" / f"ETL9G_0{number}", (CODES * 3)[:records], seed=number)
    prepare(tmp_path / "etl", tmp_path / "ds", 32, 1, None, report)
    dataset = open_dataset(tmp_path / "ds")
    assert dataset.writers().max() + 1 == 7
    split = split_dataset(dataset, "writer", SHARES, 1)
    sides = [
        {(int(dataset.file[n]), int(dataset.record[n]) // 5) for n in part}
        for part in (split.train, split.validation, split.test)
    ]
    assert [len(side) for side in sides] == [5, 1, 1]
    assert len(sides[0] | sides[1] | sides[2]) == 7


@pytest.mark.parametrize(
    ("kind", "shares", "limit", "sentence"),
    [
        ("author", SHARES, None, "no split 'author'"),
        ("writer", (0, 50, 50), None, "0/50/50 make no split"),
        ("writer", (70, -15, 45), None, "make no split"),
        ("writer", (70, 30), None, "70/30 make no split"),
        ("writer", SHARES, 0, "limit of 0"),
    ],
)
def test_invalid_arguments_are_refused(kind, shares, limit, sentence):
    with pytest.raises(UsageError, match=sentence):
        split_dataset(regular(), kind, shares, 0, limit)


# Folds


@given(some_files(), shares, st.integers(0, 1000), st.integers(2, 7), st.sampled_from(["writer", "random"]))
def test_the_test_splits_of_all_folds_hold_every_sample_once(dataset, shares, seed, count, kind):
    folds = [split_dataset(dataset, kind, shares, seed, fold=f"{k}/{count}") for k in range(1, count + 1)]
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(len(dataset)))
    assert len({fold.kind for fold in folds}) == 1
    writers = dataset.writers()
    for fold in folds:
        every = np.concatenate([fold.train, fold.validation, fold.test])
        assert sorted(every.tolist()) == list(range(len(dataset)))
        if shares[1] == 0:
            assert not len(fold.validation)
        if fold.kind == "writer":
            sides = [set(writers[part].tolist()) for part in (fold.train, fold.validation, fold.test)]
            assert len(sides[0] | sides[1] | sides[2]) == sum(map(len, sides))
    sizes = [len(fold.test) for fold in folds]
    if folds[0].kind == "random":
        assert max(sizes) - min(sizes) <= 1
        of_class = np.array([np.bincount(dataset.labels[f.test], minlength=len(dataset.classes)) for f in folds])
        assert (np.ptp(of_class, axis=0) <= 1).all()
    else:
        dealt = [len(set(writers[fold.test].tolist())) for fold in folds]
        assert max(dealt) - min(dealt) <= 1
        assert kind == "writer"


def test_with_a_fold_validation_is_taken_from_the_rest_by_its_share():
    split = split_dataset(regular(), "writer", SHARES, 0, fold="2/5")
    assert [len(part) // 20 for part in (split.train, split.validation, split.test)] == [13, 3, 4]
    assert (split.kind, split.note) == ("writer", "")
    split = split_dataset(regular(), "random", SHARES, 0, fold="2/5")
    assert set(np.bincount(dataset_labels(split.test))) == {4}
    assert set(np.bincount(dataset_labels(split.validation))) == {3}


def dataset_labels(numbers: np.ndarray) -> np.ndarray:
    return regular().labels[numbers]


def test_more_folds_than_writers_give_a_random_split_and_a_note():
    split = split_dataset(regular(1, 4), "writer", SHARES, 0, fold="1/5")
    assert split.kind == "random"
    assert split.note.startswith("writers: 4; 5 are needed for 5 folds")
    assert "too few samples to be in all 5 folds: 20 (" in split.note


@pytest.mark.parametrize("fold", ["0/5", "6/5", "1/1", "1", "a/b", "1/5/2", "-1/5", ""])
def test_an_invalid_fold_is_refused(fold):
    if fold:
        with pytest.raises(UsageError, match="is not a fold"):
            split_dataset(regular(), "writer", SHARES, 0, fold=fold)


def test_a_stored_split_is_restored():
    for kind in ("writer", "random"):
        stored = {"kind": kind, "shares": [70, 15, 15], "seed": 3, "fold": "2/3", "sample_limit": 60}
        one, again = split_dataset(regular(), kind, SHARES, 3, 60, "2/3"), split_as_stored(regular(), stored)
        assert np.array_equal(one.test, again.test)
        assert np.array_equal(one.train, again.train)


# Notes


def test_classes_too_small_for_every_split_are_noted():
    codes = [CODES[0]] * 9 + [CODES[1]] * 2 + [CODES[2]]
    split = split_dataset(dataset_of([codes]), "random", SHARES, 0)
    assert "too few samples to be in all 3 splits: 2 (い 2424 has 1, あ 2422 has 2)" in split.note or (
        "2 (あ 2422 has 2, い 2424 has 1)" in split.note
    )
    assert {0, 1, 2} == set(dataset_of([codes]).labels[split.train])


def test_classes_missing_in_train_are_noted():
    dataset = dataset_of([[*CODES], [*CODES], [*CODES], [CODES[0], 0x3022]])
    split = next(
        split
        for seed in range(50)
        if 0x3022 in dataset.jis[(split := split_dataset(dataset, "writer", (50, 25, 25), seed)).test]
    )
    assert split.kind == "writer"
    assert "classes without a sample in train: 1 of 6 (唖 3022)" in split.note
    limited = split_dataset(regular(classes=40), "random", SHARES, 0, 20)
    assert "classes without a sample in train" in limited.note


# Collections with unknown writers, or with a test set of their own


def collection(test_files: tuple[str, ...] = ()) -> Dataset:
    return replace(regular(2), writers_known=False, test_files=test_files)


def test_unknown_writers_give_a_random_split_and_a_note():
    split = split_dataset(collection(), "writer", SHARES, 0)
    assert split.kind == "random"
    assert "writers of these images are unknown" in split.note
    with pytest.raises(UsageError, match="writers of nowhere are unknown"):
        require_writers(collection())
    require_writers(regular())


def test_the_collections_test_set_is_kept_and_validation_is_taken_from_the_rest():
    dataset = collection(("ETL9G_02",))
    split = split_dataset(dataset, "writer", SHARES, 0)
    assert split.kind == "original"
    assert "the collection's own" in split.note
    assert split.test.tolist() == list(range(80, 160))
    assert set(np.bincount(dataset.labels[split.validation])) == {1}
    assert set(np.bincount(dataset.labels[split.train])) == {3}
    again = split_as_stored(dataset, {"kind": "original", "shares": [70, 15, 15], "seed": 0, "dataset_digest": ""})
    assert np.array_equal(again.validation, split.validation)
    assert split_dataset(dataset, "random", SHARES, 0).kind == "random"
    assert split_dataset(dataset, "writer", SHARES, 0, fold="1/4").kind == "random"
    with pytest.raises(UsageError, match="has no test set of its own"):
        split_dataset(collection(), "original", SHARES, 0)
