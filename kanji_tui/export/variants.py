"""What an export may change in a model: how it pools, the size of its pictures, the width of its numbers."""

import copy
from dataclasses import dataclass, replace

import torch
from torch import nn

from kanji_tui.errors import KanjiError, UsageError, first_line
from kanji_tui.export.options import QUANTISATIONS
from kanji_tui.export.quantisation import OPSET
from kanji_tui.export.targets import Target
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.networks.registry import build
from kanji_tui.recognition.layers import last_pooling

AVERAGE, LARGEST = nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d


class LargestOfPicture(nn.AdaptiveMaxPool2d):
    """The same numbers; torch writes it as one global node, where it would give the other a fixed window."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features.amax((2, 3), keepdim=True)


@dataclass(frozen=True)
class Pooling:
    """What the layer before the classifier takes of each cell of a grid x grid; `fixed`: windows, None: either."""

    layer: type[nn.Module]
    grid: int
    fixed: bool | None


POOLINGS = {
    "adaptive_avg": Pooling(AVERAGE, 1, False),
    "adaptive_max": Pooling(LARGEST, 1, False),
    "avg_2x2": Pooling(AVERAGE, 2, None),
    "max_2x2": Pooling(LARGEST, 2, None),
    "fixed_avg": Pooling(AVERAGE, 1, True),
    "fixed_max": Pooling(LARGEST, 1, True),
}


@dataclass(frozen=True)
class Changes:
    """`pooling_type`: one of POOLINGS; `quantize`: one of QUANTISATIONS; `image_size`: pixels a side.

    None leaves the model as it was trained.
    """

    pooling_type: str | None = None
    quantize: str | None = None
    image_size: int | None = None


@dataclass(frozen=True, eq=False)
class Changed:
    """The model to export. `what`: in words how the network differs from the one trained, empty where it does not.

    `suffix` ends the name of the file.
    """

    recogniser: Recogniser
    card: ModelCard
    target: Target
    pooling_type: str
    what: str
    suffix: str


def change(recogniser: Recogniser, card: ModelCard, target: Target, changes: Changes) -> Changed:
    """The model and target with the changes made; the recogniser given stays as it is.

    Raises UsageError for unknown names and for changes that cannot be without training again, saying why.
    """
    what: list[str] = []
    suffix: list[str] = []
    trained = trained_pooling(recogniser, card.size)
    wanted = changes.pooling_type or trained
    if changes.pooling_type:
        target = target_for(changes.pooling_type, target)
        recogniser = repool(recogniser, card, trained, wanted)
        if POOLINGS[wanted].layer is not POOLINGS[trained].layer:
            what.append(f"it pools by {wanted} where it was trained by {trained}")
        if wanted != trained:
            suffix.append(wanted)
    if changes.image_size not in (None, card.size):
        recogniser, card, before = *at_size(recogniser, card, int(changes.image_size or 0)), card
        what.append(f"it takes {card.size}-pixel pictures where it was trained on {before.size}-pixel ones")
    if changes.quantize:
        if changes.quantize not in QUANTISATIONS:
            raise UsageError(
                f"there is no quantisation '{changes.quantize}'", f"choose one of: {', '.join(QUANTISATIONS)}"
            )
        suffix.append(changes.quantize.replace("-", "_"))
        target = replace(
            target,
            opset=OPSET,
            modern=False,
            note=f"{target.note}; opset {OPSET}, as its operators ask, in place of {target.opset}",
        )
    if what or changes.quantize:
        # Figures of the model as trained would be untrue of this one.
        kept = {name: value for name, value in card.metrics.items() if name == "ink_extent"}
        said = "; ".join([*what, *([changes.quantize] if changes.quantize else [])])
        card = replace(card, metrics={**kept, "changed": said})
    return Changed(recogniser, card, target, wanted, "; ".join(what), "_".join(suffix))


def trained_pooling(recogniser: Recogniser, size: int) -> str:
    """How the network pools before its classifier, as one of POOLINGS; empty where it does otherwise."""
    name = last_pooling(recogniser.network, size)
    layer = recogniser.network.get_submodule(name) if name else None
    for kind, pooling in POOLINGS.items():
        if isinstance(layer, pooling.layer) and layer.output_size in (pooling.grid, (pooling.grid, pooling.grid)):
            return kind
    return ""


def target_for(kind: str, target: Target) -> Target:
    """The target with windows where the pooling asks for them; UsageError where the two do not go together."""
    if kind not in POOLINGS:
        raise UsageError(f"there is no pooling '{kind}'", f"choose one of: {', '.join(POOLINGS)}")
    fixed = POOLINGS[kind].fixed
    if fixed is False and target.fixed_pooling:
        raise UsageError(
            f"the target {target.name} has no global pooling, and {kind} is that",
            f"give --pooling-type {kind.replace('adaptive', 'fixed')}, which computes the same",
        )
    return replace(target, fixed_pooling=True) if fixed else target


def repool(recogniser: Recogniser, card: ModelCard, trained: str, wanted: str) -> Recogniser:
    """The recogniser with another pooling before its classifier; UsageError where that needs training again."""
    old, new = POOLINGS.get(trained), POOLINGS[wanted]
    if old is None:
        raise UsageError(
            f"the network {card.network} does not pool by a layer before its classifier, so {wanted} fits nowhere",
            "leave --pooling-type out",
        )
    if old.grid != new.grid:
        raise UsageError(
            f"{wanted} needs training again: {card.network} was trained by {trained}, so its classifier reads "
            f"{old.grid**2} number{'s' if old.grid > 1 else ''} of each channel, and {wanted} gives "
            f"{new.grid**2}; no weights for that were ever learned",
            f"choose one of: {', '.join(name for name, p in POOLINGS.items() if p.grid == old.grid)}",
        )
    if old.layer is new.layer and (new.layer is AVERAGE or new.grid > 1):
        return recogniser
    changed = copy.deepcopy(recogniser)
    layer = LargestOfPicture(1) if new.layer is LARGEST else AVERAGE(1)
    replace_layer(changed.network, last_pooling(changed.network, card.size), layer)
    return changed


def replace_layer(network: nn.Module, name: str, layer: nn.Module) -> None:
    """Put `layer` where the layer called `name` is."""
    parent, _, own = name.rpartition(".")
    setattr(network.get_submodule(parent), own, layer)


def at_size(recogniser: Recogniser, card: ModelCard, size: int) -> tuple[Recogniser, ModelCard]:
    """The same weights for pictures of another size. Raises UsageError where the network's weights depend on it."""
    network = build(card.network, len(card.classes), size)
    pooling = last_pooling(recogniser.network, card.size)
    try:
        network.load_state_dict(recogniser.network.state_dict())
        if pooling:  # whatever it pools by, also where that was changed
            replace_layer(network, pooling, recogniser.network.get_submodule(pooling))
        network.eval()
        with torch.inference_mode():
            network(torch.zeros(1, 1, size, size))
    except RuntimeError as error:
        raise UsageError(
            f"the weights of {card.network} are made for {card.size}-pixel pictures ({first_line(error)})",
            f"train it on pictures of that size: kanji-tui prepare --size {size}, then kanji-tui train",
        ) from None
    changed = Recogniser(network, recogniser.mean, recogniser.std).eval()
    return changed, replace(card, size=size)


def require_measured(changed: Changed, why: str) -> None:
    """KanjiError where a network other than the trained one would go out with nobody knowing how good it is.

    `why` its accuracy cannot be measured; empty where it can.
    """
    if changed.what and why:
        raise KanjiError(
            f"this would be another network than the one trained ({changed.what}), and its accuracy cannot be "
            f"measured: {why}",
            "name the dataset it was trained on with --data-dir",
        )
