"""Evaluates a model on a dataset, and predicts every sample.

Model and dataset are matched by JIS code. A sample whose class the model does not know counts as an error, which is
reported. Evaluation uses the GPU if there is one; single images (predictor.py, saliency.py) use the CPU, which is
done before a GPU is initialised.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kanji_tui.characters.character_sets import codes_of
from kanji_tui.characters.jis import name_jis
from kanji_tui.characters.lookalikes import shown_first
from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.splits import split_as_stored
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Notice, Progress, Report, raise_if_stopped
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.devices import move_to_gpu
from kanji_tui.recognition.confusions import count_by_class, most_confused
from kanji_tui.recognition.models import Model, open_model
from kanji_tui.recognition.predictions import (
    SPLITS,
    TOP,
    Predictions,
    load_predictions,
    predictions_file,
    save_predictions,
)
from kanji_tui.recognition.results import Evaluation

CONFUSIONS = 100  # pairs listed at most
BATCH = 512
REPORT_SECONDS = 0.5


def evaluate(
    model_path: Path,
    data_dir: Path,
    split: str,
    folder: Path | None,
    report: Report,
    characters: str | None = None,
) -> Evaluation:
    """Evaluate the model on `split` (test, val, train or all) of the dataset; save its predictions in `folder`.

    `characters`: the character set that decides between look-alikes, which only `top1_strict` depends on. Saved
    predictions of this model on this dataset are reused. Raises UsageError for a split that this dataset does not
    have, KanjiError for a model or dataset that cannot be used or do not fit each other.
    """
    return evaluate_model(open_model(model_path), data_dir, split, folder, report, characters)


def evaluate_model(
    model: Model,
    data_dir: Path,
    split: str,
    folder: Path | None,
    report: Report,
    characters: str | None = None,
) -> Evaluation:
    """`evaluate` for an opened model."""
    began = time.monotonic()
    dataset = open_dataset(data_dir)
    predicted = predict_split(model, dataset, split, folder, report)
    found = predicted.predictions
    truth = dataset.jis[found.index]
    unknown = ~np.isin(truth, list(model.card.output_of))
    correct = found.jis == truth[:, None]
    return Evaluation(
        samples=len(found),
        top1=float(correct[:, :1].any(1).mean()),
        top1_strict=float((correct[:, 0] & is_shown_first(truth, model.card, characters)).mean()),
        top3=float(correct[:, :3].any(1).mean()),
        top5=float(correct.any(1).mean()),
        balanced=_balanced(truth, correct[:, 0]),
        loss=float(found.loss[~unknown].mean()),
        confusions=most_confused(truth, found.jis[:, 0], CONFUSIONS),
        split=split,
        model_path=str(model.path),
        model_digest=model.digest,
        dataset_digest=dataset.digest,
        network=model.card.network,
        source=dataset.source,
        unknown_samples=int(unknown.sum()),
        unknown_classes=tuple(name_jis(int(code)) for code in np.unique(truth[unknown])),
        classes=len(np.unique(truth)),
        top1_known=float(correct[~unknown, 0].mean()),
        learned_from=split == "all" and model.card.split.get("dataset_digest") == dataset.digest,
        predictions_path=predicted.path,
        reused=predicted.reused,
        seconds=time.monotonic() - began,
    )


@dataclass(frozen=True, eq=False)
class SplitPredictions:
    """The predictions of a split; `path`: the file they are saved in, or ""; `reused`: they were loaded from it."""

    predictions: Predictions
    path: str
    reused: bool


def predict_split(
    model: Model, dataset: Dataset, split: str, folder: Path | None, report: Report
) -> SplitPredictions:
    """The predictions of every sample of a split: loaded from `folder` if they are saved there, else computed."""
    if split not in SPLITS:
        raise UsageError(f"there is no split '{split}'", f"choose one of: {', '.join(SPLITS)}")
    if dataset.size != model.card.size:
        raise KanjiError(
            f"the model {model.path} takes {model.card.size}x{model.card.size} images, the dataset in "
            f"{dataset.path} has {dataset.size}x{dataset.size} images",
            f"prepare the dataset at the model's size: kanji-tui prepare --size {model.card.size}",
        )
    indices = sample_numbers(split, model, dataset)
    if model.warning:
        report(Notice(model.warning))
    unknown = ~np.isin(dataset.jis[indices], list(model.card.output_of))
    if unknown.all():
        raise KanjiError(
            f"the model {model.path} knows no class of the dataset in {dataset.path}",
            "evaluate it on a dataset with classes that it was trained on",
        )
    if unknown.any():
        report(
            Notice(
                f"{int(unknown.sum()):,} samples are of classes that the model does not know; they count as errors"
            )
        )
    for path in [predictions_file(folder, model.path, name) for name in (split, "all")] if folder else []:
        saved = load_predictions(path, model.digest, dataset.digest)
        if saved is not None and (of_split := saved.subset(indices, split)) is not None:
            report(Notice(f"reusing the model's predictions saved in {path}"))
            return SplitPredictions(of_split, str(path), True)
    if model.recogniser is not None:
        move_to_gpu(model.recogniser, model.card.size, report)
    columns = predict_samples(
        lambda images: log_softmax(model.logits(images)), model.card, dataset, indices, report
    )
    predictions = Predictions(model.digest, dataset.digest, split, indices, *columns)
    return SplitPredictions(predictions, _save(folder, model, predictions, report), False)


def _save(folder: Path | None, model: Model, predictions: Predictions, report: Report) -> str:
    """Save the predictions and return the file, or ""; if they cannot be saved, only report why."""
    if folder is None:
        return ""
    path = predictions_file(folder, model.path, predictions.split)
    try:
        save_predictions(path, predictions)
    except KanjiError as error:
        report(Notice(f"the predictions are not saved: {error.message}"))
        return ""
    return str(path)


def sample_numbers(split: str, model: Model, dataset: Dataset) -> np.ndarray:
    """The sample numbers of a split, as it was stored with the model: int64, ascending."""
    if split == "all":
        return np.arange(len(dataset), dtype=np.int64)
    stored: dict[str, Any] = model.card.split
    if stored.get("dataset_digest") != dataset.digest:
        raise UsageError(
            f"the model {model.path} was not trained on the dataset in {dataset.path}, so it has no {split} split",
            "evaluate it on the whole dataset: --split all",
        )
    splits = split_as_stored(dataset, stored)
    indices = np.sort(getattr(splits, SPLITS[split]))
    if not len(indices):
        raise UsageError(
            f"the model {model.path} was trained without a {split} split",
            f"evaluate it on another split: --split {' | '.join(name for name in SPLITS if name != split)}",
        )
    return indices


def predict_samples(
    log_probabilities: Callable[[np.ndarray], np.ndarray],
    card: ModelCard,
    dataset: Dataset,
    indices: np.ndarray,
    report: Report,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`jis` (M, 5), `probability` (M, 5) and `loss` (M,) of `Predictions` for the samples `indices`.

    `log_probabilities` maps images uint8 (n, S, S) to float32 (n, C), in the order of the card's outputs. Where the
    label is one of an output's look-alikes, that output is taken to mean it.
    """
    codes = np.array(card.classes, dtype=np.uint16)
    position = np.full(65536, -1, dtype=np.int64)
    position[list(card.output_of)] = list(card.output_of.values())
    top = min(TOP, len(codes))
    jis = np.zeros((len(indices), TOP), np.uint16)
    probability = np.zeros((len(indices), TOP), np.float32)
    loss = np.full(len(indices), np.nan, np.float32)
    began = reported = time.monotonic()
    for start in range(0, len(indices), BATCH):
        raise_if_stopped(report)
        done = min(start + BATCH, len(indices))
        batch = indices[start:done]
        logarithms = log_probabilities(dataset.images(batch))
        best = _highest(logarithms, top)
        probability[start:done, :top] = np.exp(np.take_along_axis(logarithms, best, axis=1))
        truth = position[dataset.jis[batch]]
        jis[start:done, :top] = np.where(best == truth[:, None], dataset.jis[batch][:, None], codes[best])
        known = np.flatnonzero(truth >= 0)
        loss[start + known] = -logarithms[known, truth[known]]
        now = time.monotonic()
        if now - reported >= REPORT_SECONDS or done == len(indices):
            reported, rate = now, done / (now - began)
            remaining = (len(indices) - done) / rate
            report(Progress("evaluating", done, len(indices), "samples", rate=rate, remaining=remaining))
    return jis, probability, loss


def _highest(rows: np.ndarray, count: int) -> np.ndarray:
    """The columns of each row's `count` highest values, highest first; 20 times as fast as sorting 3,036."""
    columns = np.sort(np.argpartition(-rows, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(rows, columns, axis=1), axis=1, kind="stable")
    found: np.ndarray = np.take_along_axis(columns, order, axis=1)
    return found


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """The logarithms of the probabilities, float32 (N, C)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def is_shown_first(jis: np.ndarray, card: ModelCard, characters: str | None) -> np.ndarray:
    """Whether each character, by JIS code, is the one that stands for its look-alikes; bool (N,)."""
    asked = codes_of(characters) if characters else ()
    shown = np.arange(65536)
    for group in card.lookalikes:
        shown[list(group)] = shown_first(group, asked)
    return np.asarray(shown[jis] == jis)


def _balanced(truth: np.ndarray, correct: np.ndarray) -> float:
    """The mean of the classes' recalls."""
    samples, hits = count_by_class(truth, correct, 65536)
    return float((hits[samples > 0] / samples[samples > 0]).mean())
