"""What a training leaves in its run directory for others: the model, its metadata, its history.

best_kanji_model.pth     the bare state dict of the best epoch
best_model_info.json     the original's fields (per cent), the model's card, the digest of the weights
training_progress.json   the original's parallel lists (accuracies in per cent), and more of them
validation_by_class.json samples and recall of every class in the best epoch's validation (fractions)
"""

import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.epoch_metrics import to_epoch, to_history
from kanji_tui.networks.card import Lineage, ModelCard
from kanji_tui.paths import CHECKPOINT, HISTORY, MODEL_INFO, WEIGHTS
from kanji_tui.recognition.confusions import count_by_class, most_confused
from kanji_tui.recognition.ink import measure_extent
from kanji_tui.system.files import replacing, sha256, write_json
from kanji_tui.training.checkpoint import write
from kanji_tui.training.config import TrainConfig
from kanji_tui.training.data import TrainingData
from kanji_tui.training.results import ByClass, ClassRecall, Metrics, Trained
from kanji_tui.training.state import TrainState

BY_CLASS = "validation_by_class.json"
LISTED = 20  # weakest classes and confused pairs in the result


def result(
    run: str, state: TrainState, card: ModelCard, test: Metrics | None, by_class: ByClass, seconds: float
) -> Trained:
    """The result of a training that has ended."""
    assert state.best is not None
    steps = [entry["samples_per_second"] for entry in state.history]
    return Trained(
        run=run,
        network=card.network,
        parameters=sum(parameter.numel() for parameter in state.network.parameters()),
        classes=len(card.classes),
        epochs=len(state.history),
        best_epoch=state.best["epoch"],
        validation=Metrics(**state.best["validation"]),
        test=test,
        seconds=seconds,
        samples_per_second=len(steps) / sum(1 / max(1e-9, speed) for speed in steps),
        device=torch.cuda.get_device_name(state.device) if state.device.type == "cuda" else "cpu",
        source=card.source,
        recipe=state.config.recipe,
        precision=str(state.precision).removeprefix("torch."),
        weakest_classes=by_class.weakest,
        confusions=by_class.confusions,
        license=card.license,
    )


def copy_artifacts(earlier: Path, directory: Path) -> None:
    """Copy a run's best model, its metadata, history and checkpoint into the directory of the run that resumes it.

    However soon that one ends, it too can then be resumed.
    """
    for name in (WEIGHTS, MODEL_INFO, HISTORY, CHECKPOINT):
        if (earlier / name).is_file() and earlier.resolve() != directory.resolve():
            with replacing(directory / name) as beside:
                shutil.copyfile(earlier / name, beside)


def card_of(config: TrainConfig, data: TrainingData, license: str) -> ModelCard:
    """The card of the model that this training makes; its split finds the same samples again.

    `license`: that of the weights it began from, or empty.

    Images go in as they are, 0-1: each network begins with a convolution and BatchNorm, which measure what a mean
    and a deviation would say (no difference in accuracy was measured), and paper stays the 0 of the padding. So a
    bare state dict holds all the network needs.
    """
    train = data.train(0)
    return ModelCard(
        network=config.network,
        classes=data.classes,
        size=data.size,
        dataset=data.name,
        source=data.source,
        split=data.split,
        metrics={"ink_extent": measure_extent(train.images(_some(len(train))))},
        lookalikes=data.lookalikes,
        license=license or data.license,
        lineage=Lineage(writers=data.digest) if config.synthetic else Lineage("", "", data.records, data.digest),
    )


def _some(samples: int, count: int = 1000) -> np.ndarray:
    """At most about `count` of so many positions, evenly apart."""
    return np.arange(0, samples, max(1, samples // count))


def write_epoch(directory: Path, state: TrainState, card: ModelCard, is_best: bool) -> None:
    """Write the history, and where the newest epoch is the best, its model and metadata."""
    if is_best:
        weights = {name: tensor.cpu() for name, tensor in state.eval_model.state_dict().items()}
        write(weights, directory / WEIGHTS)
        write_info(directory, state, card)
    epochs = [to_epoch(entry, state.config.epochs, best=False) for entry in state.history]
    write_json(directory / HISTORY, to_history(epochs))


def write_info(directory: Path, state: TrainState, card: ModelCard, test: Metrics | None = None) -> None:
    """Write best_model_info.json for the weights that lie there, with the test's result once it is known."""
    assert state.best is not None
    digest = sha256(directory / WEIGHTS)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    made = replace(card.lineage, run=directory.name, trained=now, weights=digest)
    measured = replace(card, lineage=made).with_metrics(
        epoch=state.best["epoch"], validation=state.best["validation"]
    )
    if test is not None:
        measured = measured.with_metrics(test=asdict(test))
    best = state.best
    write_json(
        directory / MODEL_INFO,
        {
            "epoch": best["epoch"],
            "val_accuracy": 100 * best["validation"]["top1"],
            "val_loss": best["validation"]["loss"],
            "train_accuracy": 100 * best["train_top1"],
            "learning_rate": best["learning_rate"],
            "weights_sha256": digest,
            **measured.to_json(),
        },
    )


def write_by_class(directory: Path, card: ModelCard, truth: np.ndarray, predicted: np.ndarray) -> ByClass:
    """Write validation_by_class.json from class indices, int64 (N,) each; returns what stands in the result."""
    samples, correct = count_by_class(truth, truth == predicted, len(card.classes))
    classes = [
        ClassRecall(*_named(card, number), int(samples[number]), float(correct[number] / samples[number]))
        for number in np.flatnonzero(samples).tolist()
    ]
    write_json(directory / BY_CLASS, {"classes": [asdict(recall) for recall in classes]})
    weakest = sorted((recall for recall in classes if recall.top1 < 1), key=lambda recall: recall.top1)[:LISTED]
    codes = np.array(card.classes)
    return ByClass(tuple(weakest), most_confused(codes[truth], codes[predicted], LISTED))


def _named(card: ModelCard, number: int) -> tuple[str, str]:
    """Character and JIS code of an output."""
    jis = card.classes[number]
    return character_of(jis), name_jis(jis)
