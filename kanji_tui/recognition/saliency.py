"""Which parts of a picture speak for a character: an array, and a picture of it.

Where a network averages its last features and classifies by linear layers alone, its logit is a mean of one map,
and that map is shown: the class activation map (Zhou et al. 2016), from the forward pass alone. For all other
networks the features are weighed by the mean of their gradients: Grad-CAM (Selvaraju et al. 2017). Either is as
coarse as the last features are, 4x4 for 64 pixels, and is interpolated.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from kanji_tui.characters.jis import character_to_jis, jis_to_character, name_jis
from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Progress, Report
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.ink import USUAL_EXTENT, place
from kanji_tui.recognition.layers import last_pooling, layers_run
from kanji_tui.recognition.models import load_recogniser
from kanji_tui.recognition.predictor import read_ink
from kanji_tui.system.files import replacing

ACTIVATION, GRADIENT = "class activation map", "Grad-CAM"
EXACT = 1e-3  # a linear head must give the logit back as nearly as this, relative to it
SCALE = 4  # pixels of the picture drawn for one of the character's
HEAT = (255, 90, 0)


@dataclass(frozen=True, eq=False)
class Saliency:
    """`map` float32 (S, S) in 0-1, 1 where most speaks for the output number `output`; all 0 where nothing does."""

    map: np.ndarray
    method: str
    output: int
    probability: float


@dataclass(frozen=True)
class Explained:
    """What the job `saliency` gives: whose prediction was explained, and the files with array and picture.

    The array is float32 (S, S) in 0-1, as .npy. `truth` is the sample's character, empty for an image file.
    """

    character: str
    jis: str
    probability: float
    truth: str
    method: str
    size: int
    array_path: str
    picture_path: str


def explain(
    model_path: Path,
    data_dir: Path,
    sample: int | None,
    image: Path | None,
    character: str | None,
    picture_path: Path,
    report: Report,
) -> Explained:
    """Write what in a sample of the dataset, or in an image file, speaks for `character` (None: the one predicted).

    The picture goes to `picture_path`, the array beside it as .npy. Raises UsageError for a sample or character
    that there is not, KanjiError for a model or picture that cannot be used.
    """
    if (sample is None) == (image is None):
        raise UsageError(
            "one picture can be explained at a time", "give a sample number or an image file, not both"
        )
    if picture_path.suffix.lower() != ".png":
        raise UsageError(f"{picture_path} does not end in .png, as the file it would hold")
    recogniser, card = load_recogniser(model_path)
    picture, truth = read_picture(card, data_dir, sample, image)
    found = saliency(recogniser, picture, None if character is None else output_of(card, character))
    array_path = picture_path.with_suffix(".npy")
    with replacing(picture_path) as beside:
        draw(picture, found.map).save(beside, format="PNG")
    with replacing(array_path) as beside, open(beside, "wb") as file:
        np.save(file, found.map)
    report(Progress("saliency", 1, 1, "pictures", str(picture_path)))
    jis = card.classes[found.output]
    return Explained(
        character=jis_to_character(jis) or "?",
        jis=name_jis(jis),
        probability=found.probability,
        truth=truth,
        method=found.method,
        size=card.size,
        array_path=str(array_path),
        picture_path=str(picture_path),
    )


def read_picture(card: ModelCard, data_dir: Path, sample: int | None, image: Path | None) -> tuple[np.ndarray, str]:
    """The picture as the model takes it, uint8 (S, S), and the character it is known to show or ""."""
    if image is not None:
        extent = float(card.metrics.get("ink_extent", USUAL_EXTENT))
        return place(read_ink(image), card.size, extent), ""
    dataset = open_dataset(data_dir)
    if dataset.size != card.size:
        raise KanjiError(
            f"the dataset in {data_dir} has {dataset.size}-pixel pictures and the model takes {card.size}",
            f"prepare it at that size: kanji-tui prepare --size {card.size}",
        )
    assert sample is not None, "the caller asks for one of the two"
    if not 0 <= sample < len(dataset):
        raise UsageError(f"there is no sample {sample}", f"choose one from 0 to {len(dataset) - 1}")
    return dataset.images([sample])[0], jis_to_character(int(dataset.jis[sample])) or "?"


def output_of(card: ModelCard, character: str) -> int:
    """The output number of a character; UsageError where the model does not know it."""
    jis = character_to_jis(character)
    if jis not in card.classes:
        raise UsageError(f"the model does not know '{character}'", "name a character it was trained on")
    return card.classes.index(jis)


def saliency(recogniser: Recogniser, picture: np.ndarray, output: int | None = None) -> Saliency:
    """What in `picture`, uint8 (S, S), ink high, speaks for output number `output`; None: the one it predicts.

    Raises KanjiError for a network without a pooling layer before its classifier.
    """
    size = len(picture)
    pooling = last_pooling(recogniser.network, size)
    if not pooling:
        raise KanjiError("this network has no pooling layer before its classifier, whose features could be shown")
    device = next(recogniser.parameters()).device
    inputs = torch.from_numpy(picture.astype(np.float32) / 255)[None, None].to(device).requires_grad_()
    features, logits = run_to(recogniser, pooling, inputs)
    chosen = int(logits.argmax()) if output is None else output
    weights = linear_weights(recogniser.network, pooling, size, chosen, features, logits)
    method = ACTIVATION
    if weights is None:
        method = GRADIENT
        (gradient,) = torch.autograd.grad(logits[0, chosen], features)
        weights = gradient[0].mean(dim=(1, 2))
    with torch.no_grad():
        coarse = torch.einsum("k,khw->hw", weights, features[0]).clamp(min=0)
        fine = nn.functional.interpolate(coarse[None, None], (size, size), mode="bilinear", align_corners=False)[
            0, 0
        ]
        fine = fine / fine.max() if fine.max() > 0 else fine
        probability = float(logits.softmax(dim=1)[0, chosen])
    return Saliency(fine.clamp(0, 1).cpu().numpy(), method, chosen, probability)


def run_to(recogniser: Recogniser, pooling: str, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The features that come into the layer `pooling`, (1, K, h, w), and the logits (1, C)."""
    seen: list[Tensor] = []

    def keep(module: Any, arguments: tuple[Tensor, ...]) -> None:
        seen.append(arguments[0])

    hook = recogniser.network.get_submodule(pooling).register_forward_pre_hook(keep)
    try:
        with torch.enable_grad():
            logits = recogniser(inputs)
    finally:
        hook.remove()
    return seen[-1], logits


def linear_weights(
    network: nn.Module, pooling: str, size: int, output: int, features: Tensor, logits: Tensor
) -> Tensor | None:
    """The weight of each feature's mean in the logit, (K,); None where the logit is no weighted sum of the means.

    The layers after the pooling are multiplied together from the last to the first. That their product gives the
    logit back proves that nothing else happens on the way.
    """
    order = layers_run(network, size)
    names = [name for name, _ in order]
    layers = [layer for _, layer in order[len(names) - names[::-1].index(pooling) :]]
    weights: Tensor | None = None
    with torch.no_grad():
        constant = torch.zeros((), device=logits.device)
        for layer in reversed(layers):
            if isinstance(layer, nn.Linear):
                row = torch.eye(layer.out_features, device=logits.device)[output] if weights is None else weights
                if layer.bias is not None:
                    constant = constant + row @ layer.bias
                weights = row @ layer.weight
            elif isinstance(layer, nn.BatchNorm1d) and weights is not None and layer.running_var is not None:
                assert layer.running_mean is not None
                scale = (layer.running_var + layer.eps).rsqrt()
                shift = -layer.running_mean * scale
                if layer.affine:
                    scale, shift = scale * layer.weight, shift * layer.weight + layer.bias
                constant = constant + weights @ shift
                weights = weights * scale
            elif not isinstance(layer, nn.Dropout | nn.Identity | nn.Flatten):
                return None
        means = features[0].mean(dim=(1, 2))
        if weights is None or weights.shape != means.shape:
            return None
        logit = logits[0, output]
        close = (weights @ means + constant - logit).abs() <= EXACT * logit.abs().clamp(min=1)
    return weights if bool(close) else None


def draw(picture: np.ndarray, map: np.ndarray) -> Image.Image:
    """The character in black on white, four times as large, the more orange the more it speaks for the class."""
    ink = picture.astype(np.float32)[..., None] / 255
    heat = map[..., None]
    paper = 255 * (1 - heat) + np.array(HEAT, np.float32) * heat
    # Ink stays dark on any heat, with a breath of its colour.
    colours = paper * (1 - 0.85 * ink)
    side = SCALE * len(picture)
    return Image.fromarray(colours.round().astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)
