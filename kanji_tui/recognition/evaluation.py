"""How good a model is on a dataset, and what it says of each sample.

Model and dataset are matched by JIS code. A sample whose character the model does not know is an error, and said.
Where there is a GPU it computes; single pictures (predictor.py, saliency.py) a CPU has done before a GPU is ready.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.splits import split_as_stored
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.networks.devices import move_to_gpu
from kanji_tui.recognition.models import Model, open_model
from kanji_tui.recognition.predictions import KEPT, SPLITS, Predictions, keep, kept_path, read_kept
from kanji_tui.recognition.results import Confusion, Evaluation

CONFUSIONS = 100  # pairs listed at most
BATCH = 512
REPORT_SECONDS = 0.5


def evaluate(model_path: Path, data_dir: Path, split: str, keep_in: Path | None, report: Report) -> Evaluation:
    """Score the model on `split` (test, val, train or all) of the dataset; its predictions are kept in `keep_in`.

    Predictions that are kept there already, of this model on this dataset, are used again. Raises UsageError for a
    split that this dataset does not have, KanjiError for a model or dataset that cannot be used or do not fit.
    """
    return evaluate_model(open_model(model_path), data_dir, split, keep_in, report)


def evaluate_model(model: Model, data_dir: Path, split: str, keep_in: Path | None, report: Report) -> Evaluation:
    """`evaluate` for a model that is open."""
    began = time.monotonic()
    dataset = open_dataset(data_dir)
    judged = predict_split(model, dataset, split, keep_in, report)
    found = judged.predictions
    truth = dataset.jis[found.index]
    unknown = ~np.isin(truth, model.card.classes)
    right = found.jis == truth[:, None]
    return Evaluation(
        samples=len(found),
        top1=float(right[:, :1].any(1).mean()),
        top3=float(right[:, :3].any(1).mean()),
        top5=float(right.any(1).mean()),
        balanced=_balanced(truth, right[:, 0]),
        loss=float(found.loss[~unknown].mean()),
        confusions=_confusions(truth, found.jis[:, 0]),
        split=split,
        model_path=str(model.path),
        model_digest=model.digest,
        dataset_digest=dataset.digest,
        network=model.card.network,
        source=dataset.source,
        unknown_samples=int(unknown.sum()),
        unknown_classes=tuple(name_jis(int(code)) for code in np.unique(truth[unknown])),
        predictions_path=judged.path,
        reused=judged.reused,
        seconds=time.monotonic() - began,
    )


@dataclass(frozen=True, eq=False)
class Judged:
    """The predictions of a split; `path`: where they are kept, or ""; `reused`: they were there already."""

    predictions: Predictions
    path: str
    reused: bool


def predict_split(model: Model, dataset: Dataset, split: str, keep_in: Path | None, report: Report) -> Judged:
    """What the model says of each sample of a split: read from `keep_in` where it is kept there, else computed."""
    if split not in SPLITS:
        raise UsageError(f"there is no split '{split}'", f"choose one of: {', '.join(SPLITS)}")
    if dataset.size != model.card.size:
        raise KanjiError(
            f"the model {model.path} takes pictures of {model.card.size} pixels a side, those of the dataset in "
            f"{dataset.path} have {dataset.size}",
            f"prepare the dataset at the model's size: kanji-tui prepare --size {model.card.size}",
        )
    indices = samples_of(split, model, dataset)
    if model.warning:
        report(Notice(model.warning))
    unknown = ~np.isin(dataset.jis[indices], model.card.classes)
    if unknown.all():
        raise KanjiError(
            f"the model {model.path} knows none of the characters in {dataset.path}",
            "evaluate it on a dataset of the characters it was trained on",
        )
    if unknown.any():
        report(Notice(f"{int(unknown.sum()):,} samples are of classes the model does not know; they are errors"))
    for path in [kept_path(keep_in, model.path, name) for name in (split, "all")] if keep_in else []:
        kept = read_kept(path, model.digest, dataset.digest)
        if kept is not None and (of_split := kept.of(indices, split)) is not None:
            report(Notice(f"the model's predictions were kept in {path} and are used again"))
            return Judged(of_split, str(path), True)
    if model.recogniser is not None:
        move_to_gpu(model.recogniser, model.card.size, report)
    columns = compute(
        lambda pictures: log_softmax(model.logits(pictures)), model.card.classes, dataset, indices, report
    )
    predictions = Predictions(model.digest, dataset.digest, split, indices, *columns)
    return Judged(predictions, _keep(keep_in, model, predictions, report), False)


def _keep(keep_in: Path | None, model: Model, predictions: Predictions, report: Report) -> str:
    """Keep the predictions; where that cannot be the work goes on, and the reason is told."""
    if keep_in is None:
        return ""
    path = kept_path(keep_in, model.path, predictions.split)
    try:
        keep(path, predictions)
    except KanjiError as error:
        report(Notice(f"the predictions are not kept: {error.message}"))
        return ""
    return str(path)


def samples_of(split: str, model: Model, dataset: Dataset) -> np.ndarray:
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
    indices = np.sort(getattr(parts, SPLITS[split]))
    if not len(indices):
        raise UsageError(
            f"the model {model.path} was trained without a {split} split",
            f"evaluate it on another one: --split {' | '.join(name for name in SPLITS if name != split)}",
        )
    return indices


def compute(
    log_probabilities: Callable[[np.ndarray], np.ndarray],
    classes: tuple[int, ...],
    dataset: Dataset,
    indices: np.ndarray,
    report: Report,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`jis` (M, 5), `probability` (M, 5) and `loss` (M,) of `Predictions` for the samples `indices`.

    `log_probabilities` takes pictures uint8 (n, S, S) to float32 (n, C), in the order of the JIS codes `classes`.
    """
    codes = np.array(classes, dtype=np.uint16)
    position = np.full(65536, -1, dtype=np.int64)
    position[codes] = np.arange(len(codes))
    kept = min(KEPT, len(codes))
    jis = np.zeros((len(indices), KEPT), np.uint16)
    probability = np.zeros((len(indices), KEPT), np.float32)
    loss = np.full(len(indices), np.nan, np.float32)
    began = reported = time.monotonic()
    for start in range(0, len(indices), BATCH):
        raise_if_stopped(report)
        done = min(start + BATCH, len(indices))
        batch = indices[start:done]
        logarithms = log_probabilities(dataset.images(batch))
        best = _highest(logarithms, kept)
        jis[start:done, :kept] = codes[best]
        probability[start:done, :kept] = np.exp(np.take_along_axis(logarithms, best, axis=1))
        truth = position[dataset.jis[batch]]
        known = np.flatnonzero(truth >= 0)
        loss[start + known] = -logarithms[known, truth[known]]
        now = time.monotonic()
        if now - reported >= REPORT_SECONDS or done == len(indices):
            reported, rate = now, done / (now - began)
            remaining = (len(indices) - done) / rate
            report(Progress("evaluating", done, len(indices), "samples", rate=rate, remaining=remaining))
    return jis, probability, loss


def _highest(rows: np.ndarray, count: int) -> np.ndarray:
    """The places of each row's `count` highest values, highest first: 20 times as fast as sorting 3,036."""
    some = np.sort(np.argpartition(-rows, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(rows, some, axis=1), axis=1, kind="stable")
    found: np.ndarray = np.take_along_axis(some, order, axis=1)
    return found


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
            truth=character_of(a),
            predicted=character_of(b),
            count=int(counts[pair]),
            truth_jis=name_jis(a),
            predicted_jis=name_jis(b),
        )
        for pair in order
        for a, b in [(int(pairs[0, pair]), int(pairs[1, pair]))]
    )
