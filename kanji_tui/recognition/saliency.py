"""Which parts of a picture speak for a character: an array, and a picture of it.

Three ways, the first that a network allows:

- It has a method `attention(pictures) -> (N, h, w)`, float32 >= 0, of the normalised pictures its forward takes:
  where it looks is shown as it says, whatever the character.
- It averages its last features and classifies by linear layers alone: its logit is the mean of one map, and that
  map is shown, the class activation map (Zhou et al. 2016), from the forward pass alone.
- For all others the features before the last pooling (the last features that still have places, where nothing
  pools) are weighed by the mean of their gradients: Grad-CAM (Selvaraju et al. 2017).

Each is as coarse as the features are, 4x4 for 64 pixels in kanjinet, and is interpolated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from kanji_tui.characters.jis import character_of, character_to_jis, name_jis
from kanji_tui.data.dataset import open_dataset
from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.networks.card import ModelCard
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.ink import USUAL_EXTENT, place
from kanji_tui.recognition.layers import last_pooling, last_with_places, layers_run
from kanji_tui.recognition.models import load_recogniser
from kanji_tui.recognition.predictor import read_ink
from kanji_tui.recognition.results import Explained, Explanations
from kanji_tui.system.files import replacing

ACTIVATION, GRADIENT, ATTENTION = "class activation map", "Grad-CAM", "attention"
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


def explain(
    model_path: Path,
    data_dir: Path,
    samples: tuple[int, ...],
    image: Path | None,
    character: str | None,
    output_path: Path | None,
    report: Report,
) -> Explanations:
    """What in samples of the dataset, or in an image file, speaks for `character` (None: the one predicted).

    For one picture `output_path` may name a PNG to draw; the array goes beside it as .npy. Raises UsageError for a
    sample or character that there is not, KanjiError for a model or picture that cannot be used.
    """
    if bool(samples) == (image is not None):
        raise UsageError("there is nothing to explain, or too much", "give sample numbers or one image file")
    if output_path is not None and len(samples) > 1:
        raise UsageError("one picture can be drawn at a time", "give one sample, or no file to draw to")
    if output_path is not None and output_path.suffix.lower() != ".png":
        raise UsageError(f"{output_path} does not end in .png, as the file it would hold")
    recogniser, card = load_recogniser(model_path)
    output = None if character is None else output_of(card, character)
    pictures, truths = read_pictures(card, data_dir, samples, image)
    found = []
    for number, picture in enumerate(pictures, start=1):
        raise_if_stopped(report)
        found.append(saliency(recogniser, picture, output))
        report(Progress("saliency", number, len(pictures), "pictures"))
    array_path, picture_path = _write(pictures[0], found[0], output_path) if output_path else ("", "")
    numbers = samples or (None,)
    explained = [_explained(*one, card) for one in zip(numbers, found, truths, strict=True)]
    return Explanations(tuple(explained), str(model_path), array_path, picture_path)


def _explained(sample: int | None, found: Saliency, truth: str, card: ModelCard) -> Explained:
    jis = card.classes[found.output]
    return Explained(
        sample=sample,
        character=character_of(jis),
        jis=name_jis(jis),
        probability=found.probability,
        truth=truth,
        method=found.method,
        size=card.size,
        map=tuple(tuple(round(float(value), 3) for value in row) for row in found.map),
    )


def _write(picture: np.ndarray, found: Saliency, picture_path: Path) -> tuple[str, str]:
    """Write array and picture; their paths."""
    array_path = picture_path.with_suffix(".npy")
    with replacing(picture_path) as beside:
        draw(picture, found.map).save(beside, format="PNG")
    with replacing(array_path) as beside, open(beside, "wb") as file:
        np.save(file, found.map)
    return str(array_path), str(picture_path)


def read_pictures(
    card: ModelCard, data_dir: Path, samples: tuple[int, ...], image: Path | None
) -> tuple[np.ndarray, list[str]]:
    """The pictures as the model takes them, uint8 (n, S, S), and the characters they are known to show, or ""."""
    if image is not None:
        extent = float(card.metrics.get("ink_extent", USUAL_EXTENT))
        return place(read_ink(image), card.size, extent)[None], [""]
    dataset = open_dataset(data_dir)
    if dataset.size != card.size:
        raise KanjiError(
            f"the dataset in {data_dir} has {dataset.size}-pixel pictures and the model takes {card.size}",
            f"prepare it at that size: kanji-tui prepare --size {card.size}",
        )
    for sample in samples:
        if not 0 <= sample < len(dataset):
            raise UsageError(f"there is no sample {sample}", f"choose one from 0 to {len(dataset) - 1}")
    numbers = list(samples)
    return dataset.images(numbers), [character_of(int(jis)) for jis in dataset.jis[numbers]]


def output_of(card: ModelCard, character: str) -> int:
    """The output number of a character; UsageError where the model does not know it."""
    jis = character_to_jis(character)
    if jis not in card.classes:
        raise UsageError(f"the model does not know '{character}'", "name a character it was trained on")
    return card.classes.index(jis)


def saliency(recogniser: Recogniser, picture: np.ndarray, output: int | None = None) -> Saliency:
    """What in `picture`, uint8 (S, S), ink high, speaks for output number `output`; None: the one it predicts.

    Raises KanjiError for a network none of whose layers keeps places apart.
    """
    device = next(recogniser.parameters()).device
    inputs = torch.from_numpy(picture.astype(np.float32) / 255)[None, None].to(device)
    if callable(getattr(type(recogniser.network), "attention", None)):
        coarse, logits, chosen = attend(recogniser, inputs, output)
        method = ATTENTION
    else:
        coarse, logits, chosen, method = activate(recogniser, inputs, output)
    with torch.no_grad():
        fine = nn.functional.interpolate(
            coarse[None, None], inputs.shape[2:], mode="bilinear", align_corners=False
        )[0, 0]
        fine = fine / fine.max() if fine.max() > 0 else fine
        probability = float(logits.softmax(dim=1)[0, chosen])
    return Saliency(fine.clamp(0, 1).cpu().numpy(), method, chosen, probability)


def attend(recogniser: Recogniser, inputs: Tensor, output: int | None) -> tuple[Tensor, Tensor, int]:
    """Where a network with attention says it looks in `inputs` (1, 1, S, S), 0-1: (h, w), logits (1, C), output."""
    attention = cast(Callable[[Tensor], Tensor], recogniser.network.attention)
    with torch.no_grad():
        logits = recogniser(inputs)
        map = attention((inputs - recogniser.mean) / recogniser.std).float()
    if map.dim() != 3 or len(map) != 1 or not bool((map >= 0).all()):
        raise KanjiError(f"this network's attention is no map of weights: its shape is {tuple(map.shape)}")
    return map[0], logits, int(logits.argmax()) if output is None else output


def activate(recogniser: Recogniser, inputs: Tensor, output: int | None) -> tuple[Tensor, Tensor, int, str]:
    """The features of `inputs` (1, 1, S, S) weighed for the output: (h, w), logits (1, C), output, method."""
    size = inputs.shape[-1]
    pooling = last_pooling(recogniser.network, size)
    layer = pooling or last_with_places(recogniser.network, size)
    if not layer:
        raise KanjiError("no layer of this network keeps the places of a picture apart: nothing could be shown")
    features, logits = run_to(recogniser, layer, inputs.requires_grad_(), before=bool(pooling))
    chosen = int(logits.argmax()) if output is None else output
    weights = linear_weights(recogniser.network, pooling, size, chosen, features, logits) if pooling else None
    method = ACTIVATION
    if weights is None:
        method = GRADIENT
        (gradient,) = torch.autograd.grad(logits[0, chosen], features)
        weights = gradient[0].mean(dim=(1, 2))
    with torch.no_grad():
        return torch.einsum("k,khw->hw", weights, features[0]).clamp(min=0), logits, chosen, method


def run_to(recogniser: Recogniser, layer: str, inputs: Tensor, before: bool = True) -> tuple[Tensor, Tensor]:
    """The features (1, K, h, w) that come into `layer` (`before`) or out of it, and the logits (1, C)."""
    seen: list[Tensor] = []
    module = recogniser.network.get_submodule(layer)
    if before:
        hook = module.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    else:
        hook = module.register_forward_hook(lambda _, arguments, result: seen.append(result))
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
