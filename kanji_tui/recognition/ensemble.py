"""Several models that judge together: the mean of their probabilities, classes matched by JIS code."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kanji_tui.errors import UsageError
from kanji_tui.events import Notice, Report
from kanji_tui.recognition.evaluation import evaluate_model, log_softmax
from kanji_tui.recognition.models import Model, open_model
from kanji_tui.recognition.results import Evaluation

LEAST = np.finfo(np.float32).tiny  # whose logarithm is still a number


def evaluate_ensemble(paths: Sequence[Path], data_dir: Path, split: str, report: Report) -> Evaluation:
    """Score the models in the files `paths` together on a split of the dataset; predictions are not kept.

    Raises UsageError for models of other picture sizes, and for a split that is not the same to all of them: what
    is a test to one may be what another has learned from.
    """
    models = [open_model(path) for path in paths]
    if split != "all" and any(model.card.split != models[0].card.split for model in models):
        raise UsageError(
            f"these {len(models)} models were trained on different splits, so none is new to all of them: "
            f"no {split} split",
            "evaluate them on a dataset none has learned from: --data-dir DIR --split all",
        )
    for model in models:
        if model.warning:
            report(Notice(model.warning))
    found = evaluate_model(joined(models), data_dir, split, None, report)
    return replace(found, models=tuple(str(path) for path in paths))


def joined(models: Sequence[Model]) -> Model:
    """One model of several; it knows every class that one of them knows, and what one lacks it gives no share."""
    sizes = sorted({model.card.size for model in models})
    if len(sizes) > 1:
        raise UsageError(
            f"models for pictures of {' and '.join(map(str, sizes))} pixels a side cannot judge together",
            "give models of one size",
        )
    classes = tuple(sorted({code for model in models for code in model.card.classes}))
    place = {code: number for number, code in enumerate(classes)}
    places = [np.array([place[code] for code in model.card.classes]) for model in models]

    def run(inputs: np.ndarray) -> np.ndarray:
        total = np.zeros((len(inputs), len(classes)), np.float32)
        for model, own in zip(models, places, strict=True):
            total[:, own] += np.exp(log_softmax(model.run(inputs)))
        logarithms: np.ndarray = np.log(np.maximum(total / len(models), LEAST))
        return logarithms

    first = models[0]
    digest = hashlib.sha256("".join(model.digest for model in models).encode()).hexdigest()
    networks = " + ".join(model.card.network for model in models)
    card = replace(first.card, classes=classes, network=networks, metrics={})
    name = Path(" + ".join(str(model.path) for model in models))
    return Model(name, card, digest, True, run)
