"""Makes a variant of a model for an export: another pooling type, image size or precision."""

import copy
from dataclasses import dataclass, replace

import torch
from torch import nn

from kanji_tui.errors import KanjiError, UsageError, first_line
from kanji_tui.export.options import POOLING_TYPES, QUANTISATIONS
from kanji_tui.export.quantisation import OPSET
from kanji_tui.export.targets import Target
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.networks.registry import build
from kanji_tui.recognition.layers import last_pooling

LAYERS = {"mean": nn.AdaptiveAvgPool2d, "maximum": nn.AdaptiveMaxPool2d}


class GlobalMaximum(nn.AdaptiveMaxPool2d):
    """The maximum of each channel. Exported as one global node; the layer itself would get a fixed window."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features.amax((2, 3), keepdim=True)


@dataclass(frozen=True)
class Variant:
    """`pooling_type`: one of POOLING_TYPES; `quantize`: one of QUANTISATIONS; `image_size`: pixels a side.

    None leaves the model as it was trained.
    """

    pooling_type: str | None = None
    quantize: str | None = None
    image_size: int | None = None


AS_TRAINED = Variant()


@dataclass(frozen=True, eq=False)
class VariantModel:
    """The model to export. `difference`: how the network differs from the one trained, in words; "" if it does not.

    `suffix`: the end of the file name.
    """

    recogniser: Recogniser
    card: ModelCard
    target: Target
    pooling_type: str
    difference: str
    suffix: str


def make_variant(recogniser: Recogniser, card: ModelCard, target: Target, variant: Variant) -> VariantModel:
    """The model, card and target of the variant; `recogniser` itself is not modified.

    Raises UsageError for unknown names, and for a variant that needs retraining, saying why.
    """
    differences: list[str] = []
    suffix: list[str] = []
    trained = trained_pooling(recogniser, card.size)
    wanted = variant.pooling_type or trained
    if variant.pooling_type:
        target = target_for(variant.pooling_type, target)
        recogniser = repool(recogniser, card, trained, wanted)
        if POOLING_TYPES[wanted].function != POOLING_TYPES[trained].function:
            differences.append(f"it pools by {wanted}, but was trained with {trained}")
        if wanted != trained:
            suffix.append(wanted)
    if variant.image_size not in (None, card.size):
        recogniser, card, before = *at_size(recogniser, card, int(variant.image_size or 0)), card
        differences.append(
            f"it takes {card.size}x{card.size} images, but was trained on {before.size}x{before.size}"
        )
    if variant.quantize:
        if variant.quantize not in QUANTISATIONS:
            raise UsageError(
                f"there is no quantisation '{variant.quantize}'", f"choose one of: {', '.join(QUANTISATIONS)}"
            )
        suffix.append(variant.quantize.replace("-", "_"))
        if variant.quantize != "fp16":
            note = f"{target.note}; opset {OPSET} instead of {target.opset}, because its operators need that"
            target = replace(target, opset=OPSET, note=note)
    if differences or variant.quantize:
        # The metrics of the trained model do not hold for the variant.
        metrics = {name: value for name, value in card.metrics.items() if name == "ink_extent"}
        changed = "; ".join([*differences, *([variant.quantize] if variant.quantize else [])])
        card = replace(card, metrics={**metrics, "changed": changed})
    return VariantModel(recogniser, card, target, wanted, "; ".join(differences), "_".join(suffix))


def trained_pooling(recogniser: Recogniser, size: int) -> str:
    """The pooling type before the network's classifier, one of POOLING_TYPES; "" if it is none of them."""
    name = last_pooling(recogniser.network, size)
    layer = recogniser.network.get_submodule(name) if name else None
    for kind, pooling in POOLING_TYPES.items():
        sizes = (pooling.grid, (pooling.grid, pooling.grid))
        if isinstance(layer, LAYERS[pooling.function]) and layer.output_size in sizes:
            return kind
    return ""


def target_for(kind: str, target: Target) -> Target:
    """The target, with fixed windows if the pooling type has them. Raises UsageError if the two contradict."""
    if kind not in POOLING_TYPES:
        raise UsageError(f"there is no pooling type '{kind}'", f"choose one of: {', '.join(POOLING_TYPES)}")
    fixed = POOLING_TYPES[kind].fixed
    if fixed is False and target.fixed_pooling:
        raise UsageError(
            f"{kind} is global pooling, which the target {target.name} does not have",
            f"give --pooling-type {kind.replace('adaptive', 'fixed')}, which computes the same",
        )
    return replace(target, fixed_pooling=True) if fixed else target


def repool(recogniser: Recogniser, card: ModelCard, trained: str, wanted: str) -> Recogniser:
    """The recogniser with another pooling before its classifier. Raises UsageError if that needs retraining."""
    old, new = POOLING_TYPES.get(trained), POOLING_TYPES[wanted]
    if old is None:
        raise UsageError(
            f"the network {card.network} has no pooling layer before its classifier that {wanted} could replace",
            "leave --pooling-type out",
        )
    if old.grid != new.grid:
        raise UsageError(
            f"{wanted} needs retraining: {card.network} was trained with {trained}, so its classifier takes "
            f"{old.grid**2} value{'s' if old.grid > 1 else ''} of each channel, and {wanted} gives {new.grid**2}",
            f"choose one of: {', '.join(name for name, p in POOLING_TYPES.items() if p.grid == old.grid)}",
        )
    if old.function == new.function and (new.function == "mean" or new.grid > 1):
        return recogniser
    copied = copy.deepcopy(recogniser)
    layer = GlobalMaximum(1) if new.function == "maximum" else LAYERS["mean"](1)
    replace_layer(copied.network, last_pooling(copied.network, card.size), layer)
    return copied


def replace_layer(network: nn.Module, name: str, layer: nn.Module) -> None:
    """Replace the layer called `name`."""
    parent, _, own = name.rpartition(".")
    setattr(network.get_submodule(parent), own, layer)


def at_size(recogniser: Recogniser, card: ModelCard, size: int) -> tuple[Recogniser, ModelCard]:
    """The same weights for another image size. Raises UsageError if the network's weights depend on the size."""
    network = build(card.network, len(card.classes), size)
    pooling = last_pooling(recogniser.network, card.size)
    try:
        network.load_state_dict(recogniser.network.state_dict())
        if pooling:  # keep the pooling layer, which the variant may have replaced
            replace_layer(network, pooling, recogniser.network.get_submodule(pooling))
        network.eval()
        with torch.inference_mode():
            network(torch.zeros(1, 1, size, size))
    except RuntimeError as error:
        raise UsageError(
            f"the weights of {card.network} only fit {card.size}x{card.size} images ({first_line(error)})",
            f"train it on images of that size: kanji-tui prepare --size {size}, then kanji-tui train",
        ) from None
    resized = Recogniser(network, recogniser.mean, recogniser.std).eval()
    return resized, replace(card, size=size)


def require_measurable(made: VariantModel, reason: str) -> None:
    """Raise KanjiError if the variant is another network than the one trained, and its accuracy cannot be measured.

    `reason`: why the accuracy cannot be measured; "" if it can.
    """
    if made.difference and reason:
        raise KanjiError(
            f"this would be another network than the one trained ({made.difference}), and its accuracy cannot be "
            f"measured: {reason}",
            "name the dataset it was trained on with --data-dir",
        )
