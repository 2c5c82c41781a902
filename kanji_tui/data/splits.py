"""Which samples a model learns from, which choose its best epoch, and which judge it.

`writer` keeps whole data sets together: in ETL9G a data set is one writer's characters, so no writer is on both
sides. `random` deals out each class by chance, as the original scripts did; it flatters a model.
"""

from dataclasses import dataclass

import numpy as np

from kanji_tui.data.dataset import Dataset
from kanji_tui.errors import UsageError

KINDS = ("writer", "random")
FEWEST_WRITERS = 3


@dataclass(frozen=True, eq=False)
class Split:
    """Sample numbers, int64, ascending, no two alike. `kind` as truly done; `note`: why, if not as asked."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    kind: str
    note: str


def split_dataset(
    dataset: Dataset, kind: str, shares: tuple[float, float, float], seed: int, sample_limit: int | None = None
) -> Split:
    """Divide `dataset` into train, validation and test by `shares` (their ratio counts: 70/15/15 or 0.7/0.15/0.15).

    A share of 0 leaves that part empty. `sample_limit` keeps that many samples in all, of each part and class its
    share. The same dataset and arguments give the same split, on any machine. Raises UsageError for an unknown kind
    or shares and limits that make no sense.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no split '{kind}'", f"choose --split {' or '.join(KINDS)}")
    if sample_limit is not None and sample_limit < 1:
        raise UsageError(f"a sample limit of {sample_limit} leaves nothing", "give --sample-limit 1 or more")
    fractions = _fractions(shares)
    # RandomState, because its stream is promised never to change: a test set must stay one.
    random = np.random.RandomState(seed % 2**32)
    writers = dataset.writers()
    count = int(writers.max()) + 1 if len(writers) else 0
    note = ""
    if kind == "writer" and count < FEWEST_WRITERS:
        kind = "random"
        note = (
            f"data sets here: {count}; {FEWEST_WRITERS} are needed to keep writers apart, so the split is random "
            "and its accuracy says nothing about new writers"
        )
    if kind == "writer":
        part = _deal_writers(count, fractions, random)[writers]
    else:
        part = _deal_samples(dataset.labels, fractions, random)
    parts = [np.flatnonzero(part == number) for number in range(3)]
    if sample_limit is not None and sample_limit < len(dataset):
        quotas = _quotas([len(numbers) for numbers in parts], sample_limit)
        parts = [_sample(n, dataset.labels, quota, random) for n, quota in zip(parts, quotas, strict=True)]
    train, validation, test = (numbers.astype(np.int64) for numbers in parts)
    return Split(train, validation, test, kind, note)


def _fractions(shares: tuple[float, float, float]) -> np.ndarray:
    values = np.array(shares, dtype=np.float64)
    if values.shape != (3,) or not np.isfinite(values).all() or (values < 0).any() or values[0] <= 0:
        raise UsageError(
            f"the shares {'/'.join(f'{share:g}' for share in shares)} make no split",
            "give three numbers for training, validation and test, like --split-shares 70/15/15 or 85/15/0",
        )
    fractions: np.ndarray = values / values.sum()
    return fractions


def _deal_writers(count: int, fractions: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """The part, 0-2, of each writer: shares rounded, at least one writer where a share is asked for."""
    counts = _quotas([float(fraction) for fraction in fractions], count)
    part = np.empty(count, np.int64)
    part[random.permutation(count)] = np.repeat([0, 1, 2], counts)
    return part


def _deal_samples(labels: np.ndarray, fractions: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """The part, 0-2, of each sample: of each class its share, at least one to learn from."""
    rank, total = _ranks_in_class(labels, random)
    first_end = np.maximum(1, np.floor(total * fractions[0] + 0.5))
    second_end = np.floor(total * (fractions[0] + fractions[1]) + 0.5)
    if fractions[2] == 0:
        second_end = total
    part: np.ndarray = np.where(rank < first_end, 0, np.where(rank < second_end, 1, 2))
    return part


def _quotas(weights: list[float], total: int) -> list[int]:
    """`total` things dealt out by weights: rounded, one at least where the weight is not 0 and things last."""
    weight = np.array(weights, dtype=np.float64)
    exact = weight / weight.sum() * total
    quotas = np.where(weight > 0, np.maximum(1, np.floor(exact + 0.5)), 0).astype(int)
    while quotas.sum() > total:
        above = np.where(quotas > 1, quotas - exact, -np.inf)
        # With one each and still too many the last goes without: training comes first.
        quotas[np.argmax(above) if quotas.max() > 1 else np.flatnonzero(quotas)[-1]] -= 1
    while quotas.sum() < total:
        quotas[np.argmax(np.where(weight > 0, exact - quotas, -np.inf))] += 1
    return [int(quota) for quota in quotas]


def _sample(numbers: np.ndarray, labels: np.ndarray, quota: int, random: np.random.RandomState) -> np.ndarray:
    """`quota` of the sample numbers, of each class its share, ascending."""
    rank, total = _ranks_in_class(labels[numbers], random)
    # In the order of (rank + 0.5) / total every beginning holds each class by its share; chance decides ties.
    order = np.lexsort((random.permutation(len(numbers)), (rank + 0.5) / total))
    return np.sort(numbers[order[:quota]])


def _ranks_in_class(labels: np.ndarray, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """For each sample a random rank from 0 among those of its class, and how many these are."""
    shuffled = random.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    counts = np.bincount(labels) if len(labels) else np.zeros(1, np.int64)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.empty(len(labels), np.int64)
    rank[by_class] = np.arange(len(labels)) - np.repeat(starts, counts)
    return rank, counts[labels]
