"""Computes saliency maps: which parts of an image are evidence for a class.

The first of three methods that the network allows:

- The network has a method `attention(images) -> (N, h, w)`, float32 >= 0, on normalised images: that map is used,
  for every class.
- The network averages its last feature maps and classifies them by linear layers only: its logit is the mean of one
  map, the class activation map (Zhou et al. 2016), computed in the forward pass.
- All others: Grad-CAM (Selvaraju et al. 2017). The feature maps before the last pooling (or the last feature maps,
  if the network has no pooling layer) are weighted by the means of their gradients.

A map has the resolution of the features, 4x4 for 64 pixels in kanjinet, and is interpolated to the image size.
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
from kanji_tui.recognition.ink import DEFAULT_EXTENT, fit_to_frame
from kanji_tui.recognition.layers import last_feature_map, last_pooling, layers_run
from kanji_tui.recognition.predictor import read_ink
from kanji_tui.recognition.results import Explained, Explanations
from kanji_tui.recognition.weights import load_recogniser
from kanji_tui.system.files import replacing

ACTIVATION, GRADIENT, ATTENTION = "class activation map", "Grad-CAM", "attention"
TOLERANCE = 1e-3  # relative; a linear head must reproduce the logit within it
SCALE = 4  # pixels of the PNG per pixel of the image
HEAT = (255, 90, 0)


@dataclass(frozen=True, eq=False)
class Saliency:
    """`map`: float32 (S, S) in 0-1, scaled to a maximum of 1 unless it is all 0; `output`: the class it is for."""

    map: np.ndarray
    method: str
    output: int
    probability: float


def explain(
    model_path: Path,
    data_dir: Path,
    report: Report,
    *,
    samples: tuple[int, ...] = (),
    image: Path | None = None,
    character: str | None = None,
    output_path: Path | None = None,
) -> Explanations:
    """The saliency maps of samples of the dataset, or of an image file, for `character` (None: the predicted one).

    For one image `output_path` may name a PNG to write; the array is written beside it as .npy. Raises UsageError
    for an unknown sample or character, KanjiError for a model or image that cannot be used.
    """
    if bool(samples) == (image is not None):
        raise UsageError(
            "a saliency map needs either samples or an image file", "give sample numbers or one image file"
        )
    check_output_path(output_path, samples)
    recogniser, card = load_recogniser(model_path)
    output = None if character is None else output_index(card, character)
    images, labels = read_images(card, data_dir, samples, image)
    found = []
    for number, pixels in enumerate(images, start=1):
        raise_if_stopped(report)
        found.append(saliency(recogniser, pixels, output))
        report(Progress("saliency", number, len(images), "images"))
    array_path, picture_path = "", ""
    if output_path:
        drawn = overlay(images[0], found[0].map)
        array_path, picture_path = write_array_and_image(found[0].map, drawn, output_path)
    numbers = samples or (None,)
    explained = [_explained(*one, card) for one in zip(numbers, found, labels, strict=True)]
    return Explanations(tuple(explained), str(model_path), array_path, picture_path)


def _explained(sample: int | None, found: Saliency, label: str, card: ModelCard) -> Explained:
    jis = card.classes[found.output]
    return Explained(
        sample=sample,
        character=character_of(jis),
        jis=name_jis(jis),
        probability=found.probability,
        truth=label,
        method=found.method,
        size=card.size,
        map=tuple(tuple(round(float(value), 3) for value in row) for row in found.map),
    )


def write_array_and_image(array: np.ndarray, image: Image.Image, image_path: Path) -> tuple[str, str]:
    """Write the image, and the array beside it as .npy; returns the paths of array and image."""
    array_path = image_path.with_suffix(".npy")
    with replacing(image_path) as beside:
        image.save(beside, format="PNG")
    with replacing(array_path) as beside, open(beside, "wb") as file:
        np.save(file, array)
    return str(array_path), str(image_path)


def check_output_path(output_path: Path | None, samples: tuple[int, ...]) -> None:
    """Raise UsageError for a path that is no PNG file, or where there are several images to write."""
    if output_path is not None and len(samples) > 1:
        raise UsageError("only one image can be written", "give one sample, or no output file")
    if output_path is not None and output_path.suffix.lower() != ".png":
        raise UsageError(f"{output_path} does not end in .png")


def read_images(
    card: ModelCard, data_dir: Path, samples: tuple[int, ...], image: Path | None
) -> tuple[np.ndarray, list[str]]:
    """The images at the model's size, uint8 (n, S, S), and their labels ("" for an image file)."""
    if image is not None:
        extent = float(card.metrics.get("ink_extent", DEFAULT_EXTENT))
        return fit_to_frame(read_ink(image).ink, card.size, extent)[None], [""]
    dataset = open_dataset(data_dir)
    if dataset.size != card.size:
        raise KanjiError(
            f"the dataset in {data_dir} has {dataset.size}x{dataset.size} images, the model takes "
            f"{card.size}x{card.size}",
            f"prepare it at that size: kanji-tui prepare --size {card.size}",
        )
    for sample in samples:
        if not 0 <= sample < len(dataset):
            raise UsageError(f"there is no sample {sample}", f"choose one from 0 to {len(dataset) - 1}")
    numbers = list(samples)
    return dataset.images(numbers), [character_of(int(jis)) for jis in dataset.jis[numbers]]


def output_index(card: ModelCard, character: str) -> int:
    """The output index of a character. Raises UsageError if the model does not know it."""
    output = card.output_of.get(character_to_jis(character) or 0)
    if output is None:
        raise UsageError(f"the model does not know '{character}'", "name a character it was trained on")
    return output


def saliency(recogniser: Recogniser, image: np.ndarray, output: int | None = None) -> Saliency:
    """The saliency map of `image`, uint8 (S, S), ink high, for output index `output` (None: the predicted one).

    Raises KanjiError for a network without feature maps.
    """
    device = next(recogniser.parameters()).device
    inputs = torch.from_numpy(image.astype(np.float32) / 255)[None, None].to(device)
    if callable(getattr(type(recogniser.network), "attention", None)):
        coarse, logits, chosen = attention_map(recogniser, inputs, output)
        method = ATTENTION
    else:
        coarse, logits, chosen, method = activation_map(recogniser, inputs, output)
    with torch.no_grad():
        fine = nn.functional.interpolate(
            coarse[None, None], inputs.shape[2:], mode="bilinear", align_corners=False
        )[0, 0]
        fine = fine / fine.max() if fine.max() > 0 else fine
        probability = float(logits.softmax(dim=1)[0, chosen])
    return Saliency(fine.clamp(0, 1).cpu().numpy(), method, chosen, probability)


def attention_map(recogniser: Recogniser, inputs: Tensor, output: int | None) -> tuple[Tensor, Tensor, int]:
    """The attention of a network on `inputs` (1, 1, S, S), 0-1: map (h, w), logits (1, C), output index."""
    attention = cast(Callable[[Tensor], Tensor], recogniser.network.attention)
    with torch.no_grad():
        logits = recogniser(inputs)
        map = attention((inputs - recogniser.mean) / recogniser.std).float()
    if map.dim() != 3 or len(map) != 1 or not bool((map >= 0).all()):
        raise KanjiError(f"this network's attention is not a map of weights: its shape is {tuple(map.shape)}")
    return map[0], logits, int(logits.argmax()) if output is None else output


def activation_map(recogniser: Recogniser, inputs: Tensor, output: int | None) -> tuple[Tensor, Tensor, int, str]:
    """The weighted features of `inputs` (1, 1, S, S): map (h, w), logits (1, C), output index, method."""
    size = inputs.shape[-1]
    pooling = last_pooling(recogniser.network, size)
    layer = pooling or last_feature_map(recogniser.network, size)
    if not layer:
        raise KanjiError("this network has no feature maps, so there is no saliency map")
    features, logits = run_up_to(recogniser, layer, inputs.requires_grad_(), before=bool(pooling))
    chosen = int(logits.argmax()) if output is None else output
    weights = linear_weights(recogniser.network, pooling, size, chosen, features, logits) if pooling else None
    method = ACTIVATION
    if weights is None:
        method = GRADIENT
        (gradient,) = torch.autograd.grad(logits[0, chosen], features)
        weights = gradient[0].mean(dim=(1, 2))
    with torch.no_grad():
        return torch.einsum("k,khw->hw", weights, features[0]).clamp(min=0), logits, chosen, method


def run_up_to(recogniser: Recogniser, layer: str, inputs: Tensor, before: bool = True) -> tuple[Tensor, Tensor]:
    """The input (`before`) or output of `layer`, features (1, K, h, w), and the logits (1, C)."""
    features: list[Tensor] = []
    module = recogniser.network.get_submodule(layer)
    if before:
        hook = module.register_forward_pre_hook(lambda _, arguments: features.append(arguments[0]))
    else:
        hook = module.register_forward_hook(lambda _, arguments, result: features.append(result))
    try:
        with torch.enable_grad():
            logits = recogniser(inputs)
    finally:
        hook.remove()
    return features[-1], logits


def linear_weights(
    network: nn.Module, pooling: str, size: int, output: int, features: Tensor, logits: Tensor
) -> Tensor | None:
    """The weight of each feature map's mean in the logit, (K,); None if the logit is not a weighted sum of means.

    The layers after the pooling are multiplied together from the last to the first. If the product reproduces the
    logit, the network has no other operation in between.
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
        close = (weights @ means + constant - logit).abs() <= TOLERANCE * logit.abs().clamp(min=1)
    return weights if bool(close) else None


def overlay(image: np.ndarray, map: np.ndarray) -> Image.Image:
    """The image in black on white, four times enlarged, with the saliency map in orange."""
    ink = image.astype(np.float32)[..., None] / 255
    heat = map[..., None]
    paper = 255 * (1 - heat) + np.array(HEAT, np.float32) * heat
    # Ink stays dark on every colour, slightly tinted by it.
    colours = paper * (1 - 0.85 * ink)
    side = SCALE * len(image)
    return Image.fromarray(colours.round().astype(np.uint8)).resize((side, side), Image.Resampling.NEAREST)
