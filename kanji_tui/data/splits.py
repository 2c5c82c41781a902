"""Splits a dataset into train, validation and test.

`writer` keeps data sets whole. In ETL9G a data set holds the characters of one writer, so no writer is in two
splits; everywhere else in this program "writer" means such a data set. `random` assigns the samples of each class
at random, as the original scripts did; its accuracy is too high for new writers. `original` keeps the test files
that a collection came with, as Kuzushiji-49 does. With a fold, k of n, the writers (or, where there are too few,
the samples of each class) are divided into n folds once, and fold k is the test.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from kanji_tui.allowed import COUNT
from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.dataset import Dataset
from kanji_tui.data.defaults import describe_source
from kanji_tui.data.folds import parse_fold
from kanji_tui.errors import UsageError
from kanji_tui.system.plain_data import read_plain

KINDS = ("writer", "random", "original")
MIN_WRITERS = 3
MAX_NAMED = 3  # classes named in a note
Random = np.random.RandomState


@dataclass(frozen=True, eq=False)
class Split:
    """Sample numbers of each split, int64, ascending, disjoint. `kind`: as used; `note`: warnings, or empty."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    kind: str
    note: str


@dataclass(frozen=True)
class StoredSplit:
    """The arguments of `split_dataset` in a model's card."""

    kind: Literal["writer", "random", "original"]
    shares: tuple[float, float, float]
    seed: Annotated[int, COUNT] = 0
    sample_limit: Annotated[int, COUNT] | None = None
    fold: str | None = None


def split_dataset(
    dataset: Dataset,
    kind: str,
    shares: tuple[float, float, float],
    seed: int,
    sample_limit: int | None = None,
    fold: str | None = None,
) -> Split:
    """Divide `dataset` into train, validation and test by the ratio of `shares`: 70/15/15 or 0.7/0.15/0.15.

    A share of 0 leaves that split empty. With `fold`, like 2/5, the test is that fold whatever its share, and the
    rest is divided by the shares of train and validation. `sample_limit` keeps that many samples in all, in
    proportion to splits and classes. Where the dataset does not allow `kind`, another is used and `note` says so.
    The same dataset and arguments give the same split on any machine. Raises UsageError for an unknown kind, and
    for shares, limits and folds that make no sense.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no split '{kind}'", f"choose --split {' or '.join(KINDS[:2])}")
    if sample_limit is not None and sample_limit < 1:
        raise UsageError(f"a sample limit of {sample_limit} leaves nothing", "give --sample-limit 1 or more")
    fractions = _fractions(shares)
    one_of = parse_fold(fold) if fold else None
    # RandomState, because numpy guarantees its stream: a test sample must stay one in later versions.
    random = np.random.RandomState(seed % 2**32)
    kind, note = _available_kind(dataset, kind, one_of)
    if kind == "writer":
        writers = dataset.writers()
        part = _assign_writers(int(writers.max()) + 1, fractions, one_of, random)[writers]
    elif kind == "original":
        part = _keep_test(dataset, fractions, random)
    else:
        part = _assign_samples(dataset.labels, fractions, one_of, random)
    parts = [np.flatnonzero(part == number) for number in range(3)]
    if sample_limit is not None and sample_limit < len(dataset):
        quotas = _quotas([len(numbers) for numbers in parts], sample_limit)
        parts = [_sample(n, dataset.labels, quota, random) for n, quota in zip(parts, quotas, strict=True)]
    train, validation, test = (numbers.astype(np.int64) for numbers in parts)
    notes = [note, _note_small_classes(dataset, kind, fractions, one_of), _note_missing_classes(dataset, train)]
    return Split(train, validation, test, kind, "; ".join(text for text in notes if text))


def split_as_stored(dataset: Dataset, stored: dict[str, Any]) -> Split:
    """The split in a model's metadata; KanjiError where it is none."""
    split = read_plain(StoredSplit, stored, "the split of the model's card")
    return split_dataset(dataset, split.kind, split.shares, split.seed, split.sample_limit, split.fold)


def require_writers(dataset: Dataset) -> None:
    """UsageError where the writers are unknown, for users who ask for a split by writer."""
    if not dataset.writers_known:
        source = describe_source(dataset.source)
        raise UsageError(
            f"the writers of {dataset.path} are unknown ({source}), so no split keeps them apart",
            "leave --split out to use the best possible split, or give --split random",
        )


def _fractions(shares: tuple[float, float, float]) -> np.ndarray:
    values = np.array(shares, dtype=np.float64)
    if values.shape != (3,) or not np.isfinite(values).all() or (values < 0).any() or values[0] <= 0:
        raise UsageError(
            f"the shares {'/'.join(f'{share:g}' for share in shares)} make no split",
            "give three numbers for train, validation and test, like --split-shares 70/15/15 or 85/15/0",
        )
    fractions: np.ndarray = values / values.sum()
    return fractions


def _available_kind(dataset: Dataset, kind: str, fold: tuple[int, int] | None) -> tuple[str, str]:
    """The kind that this dataset allows, and a note where it is not the requested one."""
    has_test = bool(dataset.test_samples().any())
    if kind == "original" and not has_test:
        raise UsageError(f"the dataset in {dataset.path} has no test set of its own", "choose another split")
    if kind != "writer":
        return kind, ""
    if has_test and not fold:
        return "original", "the test split is the collection's own; validation is taken from the rest"
    caution = "and its accuracy says nothing about new writers"
    if not dataset.writers_known:
        return "random", f"the writers of these images are unknown, so the split is random {caution}"
    count = int(dataset.writers().max(initial=-1)) + 1
    needed = max(MIN_WRITERS, fold[1] if fold else 0)
    if count < needed:
        purpose = f"for {fold[1]} folds" if fold else "for a split by writer"
        return "random", f"writers: {count}; {needed} are needed {purpose}, so the split is random {caution}"
    return "writer", ""


def _assign_writers(count: int, fractions: np.ndarray, fold: tuple[int, int] | None, random: Random) -> np.ndarray:
    """The split of each writer (0 train, 1 validation, 2 test): rounded shares, at least one per share above 0."""
    part = np.empty(count, np.int64)
    order = random.permutation(count)
    if fold:
        in_test = np.arange(count) % fold[1] == fold[0] - 1
        part[order[in_test]] = 2
        counts = _quotas([float(fraction) for fraction in fractions[:2]], int((~in_test).sum()))
        part[order[~in_test]] = np.repeat([0, 1], counts)
    else:
        counts = _quotas([float(fraction) for fraction in fractions], count)
        part[order] = np.repeat([0, 1, 2], counts)
    return part


def _assign_samples(
    labels: np.ndarray, fractions: np.ndarray, fold: tuple[int, int] | None, random: Random
) -> np.ndarray:
    """The split of each sample (0 train, 1 validation, 2 test): shares of each class, at least one to train on."""
    if fold:
        in_test = _folds(labels, fold[1], random) == fold[0] - 1
        return _validate_from_rest(labels, in_test, fractions, random)
    rank, total = _ranks_in_class(labels, random)
    first_end = np.maximum(1, np.floor(total * fractions[0] + 0.5))
    second_end = np.floor(total * (fractions[0] + fractions[1]) + 0.5)
    if fractions[2] == 0:
        second_end = total
    part: np.ndarray = np.where(rank < first_end, 0, np.where(rank < second_end, 1, 2))
    return part


def _folds(labels: np.ndarray, count: int, random: Random) -> np.ndarray:
    """The fold, from 0, of each sample: folds differ by at most one sample, in total and in each class."""
    shuffled = random.permutation(len(labels))
    fold = np.empty(len(labels), np.int64)
    fold[shuffled[np.argsort(labels[shuffled], kind="stable")]] = np.arange(len(labels)) % count
    return fold


def _keep_test(dataset: Dataset, fractions: np.ndarray, random: Random) -> np.ndarray:
    return _validate_from_rest(dataset.labels, dataset.test_samples(), fractions, random)


def _validate_from_rest(
    labels: np.ndarray, in_test: np.ndarray, fractions: np.ndarray, random: Random
) -> np.ndarray:
    """2 for test samples; the rest of each class is 0 or 1 by the shares of train and validation."""
    part = np.full(len(labels), 2, np.int64)
    two = np.array([fractions[0], fractions[1], 0]) / fractions[:2].sum()
    part[~in_test] = _assign_samples(labels[~in_test], two, None, random)
    return part


def _note_small_classes(dataset: Dataset, kind: str, fractions: np.ndarray, fold: tuple[int, int] | None) -> str:
    """A note on classes with too few samples to be in every split, or in every fold; else empty."""
    if kind == "writer":
        return ""
    parts = fold[1] if fold else int((fractions > 0).sum())
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    few = np.flatnonzero(counts < parts)
    if not len(few):
        return ""
    what = "folds" if fold else "splits"
    names = _names(dataset, few, [f" has {counts[label]}" for label in few[:MAX_NAMED]])
    return f"classes with too few samples to be in all {parts} {what}: {len(few):,} ({names})"


def _note_missing_classes(dataset: Dataset, train: np.ndarray) -> str:
    """A note on classes without a sample in the train split; else empty."""
    lacking = np.setdiff1d(np.arange(len(dataset.classes)), dataset.labels[train])
    if not len(lacking):
        return ""
    names = _names(dataset, lacking, [""] * MAX_NAMED)
    return f"classes without a sample in train: {len(lacking):,} of {len(dataset.classes):,} ({names})"


def _names(dataset: Dataset, labels: np.ndarray, tails: list[str]) -> str:
    codes = [dataset.classes[label] for label in labels[:MAX_NAMED].tolist()]
    named = [f"{character_of(c)} {name_jis(c)}{tail}" for c, tail in zip(codes, tails, strict=False)]
    return ", ".join(named) + (" ..." if len(labels) > MAX_NAMED else "")


def _quotas(weights: list[float], total: int) -> list[int]:
    """`total` divided by weights: rounded, at least one for each weight above 0 as far as `total` allows."""
    weight = np.array(weights, dtype=np.float64)
    exact = weight / weight.sum() * total
    quotas = np.where(weight > 0, np.maximum(1, np.floor(exact + 0.5)), 0).astype(int)
    while quotas.sum() > total:
        above = np.where(quotas > 1, quotas - exact, -np.inf)
        # Where one each is already too much, the last gets none: train comes first.
        quotas[np.argmax(above) if quotas.max() > 1 else np.flatnonzero(quotas)[-1]] -= 1
    while quotas.sum() < total:
        quotas[np.argmax(np.where(weight > 0, exact - quotas, -np.inf))] += 1
    return [int(quota) for quota in quotas]


def _sample(numbers: np.ndarray, labels: np.ndarray, quota: int, random: Random) -> np.ndarray:
    """`quota` of the sample numbers, ascending, in proportion to the classes."""
    rank, total = _ranks_in_class(labels[numbers], random)
    # Sorted by (rank + 0.5) / total, every prefix holds each class in proportion; ties are broken at random.
    order = np.lexsort((random.permutation(len(numbers)), (rank + 0.5) / total))
    return np.sort(numbers[order[:quota]])


def _ranks_in_class(labels: np.ndarray, random: Random) -> tuple[np.ndarray, np.ndarray]:
    """For each sample a random rank from 0 within its class, and the number of samples of the class."""
    shuffled = random.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    counts = np.bincount(labels) if len(labels) else np.zeros(1, np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.empty(len(labels), np.int64)
    rank[by_class] = np.arange(len(labels)) - np.repeat(starts, counts)
    return rank, counts[labels]
