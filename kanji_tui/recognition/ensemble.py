"""Evaluates an ensemble: the mean of several models' probabilities, classes matched by JIS code."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kanji_tui.errors import UsageError
from kanji_tui.events import Notice, Report
from kanji_tui.networks.devices import move_to_gpu
from kanji_tui.recognition.evaluation import evaluate_model, log_softmax
from kanji_tui.recognition.models import Model, open_model
from kanji_tui.recognition.results import Evaluation

SMALLEST = np.finfo(np.float32).tiny  # its logarithm is still finite


def evaluate_ensemble(
    paths: Sequence[Path], data_dir: Path, split: str, report: Report, characters: str | None = None
) -> Evaluation:
    """Evaluate the models in the files `paths` as an ensemble on a split of the dataset; predictions are not saved.

    Raises UsageError if the models have different image sizes or splits: with different splits, the test samples of
    one model may be training samples of another.
    """
    models = [open_model(path) for path in paths]
    if split != "all" and any(model.card.split != models[0].card.split for model in models):
        raise UsageError(
            f"these {len(models)} models were trained on different splits, so they have no common {split} split",
            "evaluate them on a dataset that none was trained on: --data-dir DIR --split all",
        )
    for model in models:
        if model.warning:
            report(Notice(model.warning))
        if model.recogniser is not None:
            move_to_gpu(model.recogniser, model.card.size, report)
    found = evaluate_model(combine(models), data_dir, split, None, report, characters)
    return replace(found, models=tuple(str(path) for path in paths))


def combine(models: Sequence[Model]) -> Model:
    """The ensemble as one model with the classes of all; a class that a model lacks has probability 0 in it."""
    sizes = sorted({model.card.size for model in models})
    if len(sizes) > 1:
        raise UsageError(
            f"models of different image sizes ({' and '.join(map(str, sizes))} pixels) cannot be an ensemble",
            "give models of one image size",
        )
    classes = tuple(sorted({code for model in models for code in model.card.classes}))
    column = {code: number for number, code in enumerate(classes)}
    columns = [np.array([column[code] for code in model.card.classes]) for model in models]

    def run(inputs: np.ndarray) -> np.ndarray:
        total = np.zeros((len(inputs), len(classes)), np.float32)
        for model, own in zip(models, columns, strict=True):
            total[:, own] += np.exp(log_softmax(model.run(inputs)))
        logarithms: np.ndarray = np.log(np.maximum(total / len(models), SMALLEST))
        return logarithms

    first = models[0]
    digest = hashlib.sha256("".join(model.digest for model in models).encode()).hexdigest()
    networks = " + ".join(model.card.network for model in models)
    same = all(model.card.lookalikes == first.card.lookalikes for model in models)
    lookalikes = first.card.lookalikes if same else ()
    card = replace(first.card, classes=classes, network=networks, metrics={}, lookalikes=lookalikes)
    name = Path(" + ".join(str(model.path) for model in models))
    return Model(name, card, digest, True, run)
