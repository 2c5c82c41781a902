"""How good a model is on a dataset, and what it says of each sample.

Model and dataset are matched by JIS code. A sample whose character the model does not know is an error, and said.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.characters.jis import jis_to_character, name_jis
from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.splits import split_as_stored
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.recognition.models import Model, open_model
from kanji_tui.system.files import replacing

SPLITS = {"train": "train", "val": "validation", "test": "test", "all": ""}
PREDICTIONS = "predictions.npz"
KEPT = 5  # predictions a sample
CONFUSIONS = 100  # pairs listed at most
BATCH = 512
REPORT_SECONDS = 0.5


@dataclass(frozen=True)
class Confusion:
    """`count` samples of the character `truth` were taken for `predicted`."""

    truth: str
    predicted: str
    count: int
    truth_jis: str
    predicted_jis: str


@dataclass(frozen=True)
class Evaluation:
    """Fractions of all `samples`; `balanced` is the mean recall of the classes; `confusions` most frequent first.

    `loss`: mean cross-entropy of the samples whose class the model knows. `unknown_samples` are of
    `unknown_classes` (JIS codes) that it lacks, and count as errors.
    """

    samples: int
    top1: float
    top3: float
    top5: float
    balanced: float
    loss: float
    confusions: tuple[Confusion, ...]
    split: str
    model_path: str
    model_digest: str
    dataset_digest: str
    network: str
    source: str
    unknown_samples: int
    unknown_classes: tuple[str, ...]
    seconds: float


def evaluate(
    model_path: Path, data_dir: Path, split: str, run_directory: Path | None, report: Report
) -> Evaluation:
    """Score the model on `split` (test, val, train or all) of the dataset; in a run directory keep predictions.npz.

    predictions.npz: `index` int64 (M,) sample numbers, `jis` uint16 (M, 5) predicted codes, best first (0 where the
    model has fewer classes), `probability` float32 (M, 5), `truth` uint16 (M,). Raises UsageError for a split that
    this dataset does not have, KanjiError for a model or dataset that cannot be used or do not fit.
    """
    began = time.monotonic()
    if split not in SPLITS:
        raise UsageError(f"there is no split '{split}'", f"choose one of: {', '.join(SPLITS)}")
    model, dataset = open_model(model_path), open_dataset(data_dir)
    if dataset.size != model.card.size:
        raise KanjiError(
            f"the model {model_path} takes pictures of {model.card.size} pixels a side, those of the dataset in "
            f"{data_dir} have {dataset.size}",
            f"prepare the dataset at the model's size: kanji-tui prepare --size {model.card.size}",
        )
    indices = _samples_of(split, model, dataset)
    if model.warning:
        report(Notice(model.warning))
    truth = dataset.jis[indices]
    unknown = ~np.isin(truth, model.card.classes)
    if unknown.all():
        raise KanjiError(
            f"the model {model_path} knows none of the characters in {data_dir}",
            "evaluate it on a dataset of the characters it was trained on",
        )
    if unknown.any():
        report(Notice(f"{int(unknown.sum()):,} samples are of classes the model does not know; they are errors"))
    parts = list(_predict(model, dataset, indices, report))
    jis, probability, losses = (np.concatenate(column) for column in zip(*parts, strict=True))
    if run_directory is not None:
        with replacing(run_directory / PREDICTIONS) as beside, open(beside, "wb") as file:
            np.savez(file, index=indices, jis=jis, probability=probability, truth=truth)
    right = jis == truth[:, None]
    return Evaluation(
        samples=len(indices),
        top1=float(right[:, :1].any(1).mean()),
        top3=float(right[:, :3].any(1).mean()),
        top5=float(right.any(1).mean()),
        balanced=_balanced(truth, right[:, 0]),
        loss=float(losses[~unknown].mean()),
        confusions=_confusions(truth, jis[:, 0]),
        split=split,
        model_path=str(model_path),
        model_digest=model.digest,
        dataset_digest=dataset.digest,
        network=model.card.network,
        source=dataset.source,
        unknown_samples=int(unknown.sum()),
        unknown_classes=tuple(name_jis(int(code)) for code in np.unique(truth[unknown])),
        seconds=time.monotonic() - began,
    )


def _samples_of(split: str, model: Model, dataset: Dataset) -> np.ndarray:
    """The sample numbers of the split that was stored with the model, int64, ascending."""
    if split == "all":
        return np.arange(len(dataset), dtype=np.int64)
    stored: dict[str, Any] = model.card.split
    if stored.get("dataset_digest") != dataset.digest:
        raise UsageError(
            f"the model {model.path} was not trained on the dataset in {dataset.path}: no {split} split of it",
            "evaluate it on the whole dataset: --split all",
        )
    parts = split_as_stored(dataset, stored)
    indices: np.ndarray = getattr(parts, SPLITS[split])
    if not len(indices):
        raise UsageError(
            f"the model {model.path} was trained without a {split} split",
            f"evaluate it on another one: --split {' | '.join(name for name in SPLITS if name != split)}",
        )
    return indices


def _predict(
    model: Model, dataset: Dataset, indices: np.ndarray, report: Report
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Batch by batch: JIS codes uint16 (n, 5) best first, their probabilities float32 (n, 5), losses (n,)."""
    codes = np.array(model.card.classes, dtype=np.uint16)
    position = np.full(65536, -1, dtype=np.int64)
    position[codes] = np.arange(len(codes))
    kept = min(KEPT, len(codes))
    began = reported = time.monotonic()
    for start in range(0, len(indices), BATCH):
        raise_if_stopped(report)
        batch = indices[start : start + BATCH]
        logarithms = log_softmax(model.logits(dataset.images(batch)))
        best = np.argsort(-logarithms, axis=1, kind="stable")[:, :kept]
        jis = np.zeros((len(batch), KEPT), np.uint16)
        probability = np.zeros((len(batch), KEPT), np.float32)
        jis[:, :kept] = codes[best]
        probability[:, :kept] = np.exp(np.take_along_axis(logarithms, best, axis=1))
        truth = position[dataset.jis[batch]]  # -1 takes some other class's loss; such samples' losses are not used
        yield jis, probability, -logarithms[np.arange(len(batch)), truth]
        now, done = time.monotonic(), start + len(batch)
        if now - reported >= REPORT_SECONDS or done == len(indices):
            reported, rate = now, done / (now - began)
            remaining = (len(indices) - done) / rate
            report(Progress("evaluating", done, len(indices), "samples", rate=rate, remaining=remaining))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the probabilities, float32 (N, C)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _balanced(truth: np.ndarray, right: np.ndarray) -> float:
    _, classes, samples = np.unique(truth, return_inverse=True, return_counts=True)
    return float((np.bincount(classes, weights=right) / samples).mean())


def _confusions(truth: np.ndarray, predicted: np.ndarray) -> tuple[Confusion, ...]:
    wrong = truth != predicted
    pairs, counts = np.unique(np.stack([truth[wrong], predicted[wrong]]), axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:CONFUSIONS]
    return tuple(
        Confusion(
            truth=jis_to_character(a) or "?",
            predicted=jis_to_character(b) or "?",
            count=int(counts[pair]),
            truth_jis=name_jis(a),
            predicted_jis=name_jis(b),
        )
        for pair in order
        for a, b in [(int(pairs[0, pair]), int(pairs[1, pair]))]
    )
