"""Begins a training from the weights of a trained model instead of random ones."""

from pathlib import Path

import torch

from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Report
from kanji_tui.paths import BUILT_IN
from kanji_tui.recognition.weights import load_recogniser
from kanji_tui.training.config import FEW_SAMPLES, TrainConfig
from kanji_tui.training.data import TrainingData
from kanji_tui.training.state import TrainState


def propose_built_in(config: TrainConfig, data: TrainingData, report: Report) -> None:
    """Say, where a dataset has few samples of characters that the built-in model knows, how to begin from it."""
    if config.synthetic or len(data.train(0)) >= FEW_SAMPLES * len(data.classes):
        return
    _, card = load_recogniser(BUILT_IN)
    outputs = card.output_of
    known = sum(jis in outputs for jis in data.classes)
    if (config.network, data.size) == (card.network, card.size) and 2 * known > len(data.classes):
        knows = f"which knows {known:,} of the {len(data.classes):,} classes"
        report(Notice(f"few samples a class: --init {BUILT_IN} begins from the built-in model, {knows}"))


@torch.no_grad()
def begin_from(path: Path, state: TrainState, classes: tuple[int, ...], report: Report) -> None:
    """Give the state's network the weights of the model in `path`, whose licence then holds for it too.

    All layers but the last are taken whole; of the last the rows of the classes that both know, by JIS code. Raises
    KanjiError for another network or image size.
    """
    recogniser, card = load_recogniser(path)
    own, given = state.network.state_dict(), recogniser.network.state_dict()
    *_, weight, bias = own
    if card.network != state.config.network or any(
        given[name].shape != tensor.shape for name, tensor in own.items() if name not in (weight, bias)
    ):
        raise KanjiError(
            f"{path} holds a {card.network} for {card.size}x{card.size} images; this training cannot begin from it",
            f"train that network on images of that size: --network {card.network}, and prepare --size {card.size}",
        )
    output_of = card.output_of
    known = [row for row, jis in enumerate(classes) if jis in output_of]
    outputs = [output_of[classes[row]] for row in known]
    for name, tensor in own.items():
        if name in (weight, bias):
            tensor[known] = given[name][outputs].to(tensor)
        else:
            tensor.copy_(given[name])
    if state.average:
        state.average.network.load_state_dict(own)
    state.license = card.license
    report(Notice(f"begins from {path}, which knows {len(known):,} of the {len(classes):,} classes"))
