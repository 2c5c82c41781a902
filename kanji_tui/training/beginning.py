"""Begins a training from the weights of a trained model instead of random ones."""

from pathlib import Path

import torch

from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Report
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.registry import build
from kanji_tui.paths import BUILT_IN
from kanji_tui.recognition.weights import built_in_card, load_recogniser
from kanji_tui.training.config import FEW_SAMPLES, TrainConfig
from kanji_tui.training.data import TrainingData
from kanji_tui.training.state import TrainState


def propose_built_in(config: TrainConfig, data: TrainingData, report: Report) -> None:
    """Say, where a dataset has few samples of characters that the built-in model knows, how to begin from it."""
    if config.synthetic or len(data.train(0)) >= FEW_SAMPLES * len(data.classes):
        return
    card = built_in_card()
    outputs = card.output_of
    known = sum(jis in outputs for jis in data.classes)
    if (config.network, data.size) == (card.network, card.size) and 2 * known > len(data.classes):
        knows = f"which knows {known:,} of the {len(data.classes):,} classes"
        report(Notice(f"few samples a class: --init {BUILT_IN} begins from the built-in model, {knows}"))


@torch.no_grad()
def begin_from(path: Path, state: TrainState, classes: tuple[int, ...], size: int, report: Report) -> None:
    """Give the state's network the weights of the model in `path`, whose licence then holds for it too.

    All layers but the last are taken whole; of the last the rows of the classes that both know, by JIS code. The
    images to learn from have `size` pixels a side. Raises KanjiError for another network, or one for another size.
    """
    recogniser, card = load_recogniser(path)
    own, given = state.network.state_dict(), recogniser.network.state_dict()
    *_, weight, bias = own
    require_same_network(path, card, state.config, size)
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


def require_same_network(path: Path, card: ModelCard, config: TrainConfig, size: int) -> None:
    """Raise KanjiError where the model of this card is another network, or one for images of another size.

    The same layers take images of every size in most networks; in others the last ones depend on it.
    """
    another = card.network != config.network
    resized = _shapes(card, size) != _shapes(card, card.size)
    if not another and not resized:
        return
    remedies = [f"train that network: --network {card.network}"] if another else []
    if resized and config.synthetic:
        remedies.append(f"learn from a dataset of that size instead: kanji-tui prepare --size {card.size}")
    elif resized:
        remedies.append(f"prepare the dataset at that size: kanji-tui prepare --size {card.size}")
    holds = f"{card.network} for images of {card.size}x{card.size}" if resized else card.network
    wanted = f"{config.network} for images of {size}x{size}" if resized else config.network
    raise KanjiError(
        f"{path} holds a {holds}; a training of a {wanted} cannot begin from it",
        f"{', and '.join(remedies)}; or begin from another model, or omit --init",
    )


def _shapes(card: ModelCard, size: int) -> dict[str, torch.Size]:
    """The shapes of the tensors of the card's network, for images of `size` pixels a side; takes no memory."""
    with torch.device("meta"):
        network = build(card.network, len(card.classes), size)
    return {name: tensor.shape for name, tensor in network.state_dict().items()}
