"""Feature maps: what the channels of a layer gave for an image, those first that vary most over it.

Channels are ordered by the standard deviation of their values over the positions; one that is the same everywhere
shows nothing, however high it is.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from kanji_tui.errors import KanjiError, UsageError
from kanji_tui.events import Progress, Report, raise_if_stopped
from kanji_tui.networks.recogniser import Recogniser
from kanji_tui.recognition.results import FeatureMap, FeatureMaps, ImageMaps, Layer, LayerMaps
from kanji_tui.recognition.saliency import HEAT, check_output_path, read_images, write_array_and_image
from kanji_tui.recognition.shown_layers import LayerOutput, layer_outputs
from kanji_tui.recognition.weights import load_recogniser

TILE = 128  # pixels of the PNG across a map
GAP = 8
ACROSS = 4  # maps in a row of the PNG


def feature_maps(
    model_path: Path,
    data_dir: Path,
    report: Report,
    *,
    samples: tuple[int, ...] = (),
    image: Path | None = None,
    layer: str = "",
    channels: int = 16,
    output_path: Path | None = None,
) -> FeatureMaps:
    """The layers of a model and, for samples of the dataset or an image file, at most `channels` maps of each.

    `layer`: only the maps of this one, with their values. For one image `output_path` may name a PNG to write; the
    array of all channels is written beside it as .npy. Raises UsageError for an unknown sample or layer, KanjiError
    for a model or image that cannot be used, or a network without feature maps.
    """
    wanted = bool(samples) or image is not None
    if (samples and image is not None) or (layer and not wanted):
        raise UsageError(
            "feature maps need either samples or an image file", "give sample numbers or one image file"
        )
    check_output_path(output_path, samples)
    if output_path is not None and not (layer and wanted):
        raise UsageError(
            "only the maps of one layer can be written", "give an image and a layer, or no output file"
        )
    if channels < 1:
        raise UsageError(f"{channels} channels cannot be shown", "give 1 or more")
    recogniser, card = load_recogniser(model_path)
    layers = known_layers(recogniser, card.size)
    names = [known.name for known in layers]
    if layer and layer not in names:
        raise UsageError(
            f"{card.network} has no layer '{layer}' with feature maps", f"choose one of: {', '.join(names)}"
        )
    images, labels = read_images(card, data_dir, samples, image) if wanted else (np.empty((0,)), [])
    found, array_path, image_path = [], "", ""
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        raise_if_stopped(report)
        outputs = [output for output in outputs_of(recogniser, pixels) if layer in ("", output.name)]
        maps = tuple(LayerMaps(output.name, strongest(output, channels, bool(layer))) for output in outputs)
        found.append(ImageMaps(samples[number] if samples else None, label, maps))
        if output_path is not None:
            drawn = grid([one.levels for one in maps[0].maps], *outputs[0].maps.shape[1:])
            array_path, image_path = write_array_and_image(outputs[0].maps.numpy(), drawn, output_path)
        report(Progress("feature maps", number + 1, len(images), "images"))
    return FeatureMaps(card.network, layers, tuple(found), str(model_path), array_path, image_path)


def known_layers(recogniser: Recogniser, size: int) -> tuple[Layer, ...]:
    """The layers worth showing, in the order in which they run. Raises KanjiError if there is none."""
    found = outputs_of(recogniser, np.zeros((size, size), np.uint8))
    if not found:
        raise KanjiError("this network has no feature maps", "choose a model of one of: kanji-tui networks")
    return tuple(Layer(output.name, output.kind, *output.maps.shape) for output in found)


def outputs_of(recogniser: Recogniser, image: np.ndarray) -> list[LayerOutput]:
    """The outputs of the layers worth showing for `image`, uint8 (S, S), ink high."""
    device = next(recogniser.parameters()).device
    return layer_outputs(recogniser, torch.from_numpy(image.astype(np.float32) / 255)[None, None].to(device))


def strongest(output: LayerOutput, channels: int, with_values: bool) -> tuple[FeatureMap, ...]:
    """At most `channels` maps of a layer, the greatest standard deviation first; equal ones by their number."""
    maps = output.maps.cpu().numpy()
    deviations = maps.std(axis=(1, 2))
    order = np.argsort(-deviations, kind="stable")[:channels]
    return tuple(_map(int(channel), maps[channel], with_values) for channel in order)


def _map(channel: int, values: np.ndarray, with_values: bool) -> FeatureMap:
    lowest, highest = float(values.min()), float(values.max())
    varies = 0 < highest - lowest < np.inf  # not so with a value that is no number
    levels = 255 * (values - lowest) / (highest - lowest) if varies else np.zeros(values.shape)
    rows = tuple(tuple(float(f"{value:.5g}") for value in row) for row in values) if with_values else ()
    return FeatureMap(
        channel=channel,
        mean=float(values.mean()),
        deviation=float(values.std()),
        lowest=lowest,
        highest=highest,
        levels=levels.round().astype(np.uint8).tobytes().hex(),
        values=rows,
    )


def grid(levels: list[str], height: int, width: int) -> Image.Image:
    """Maps in rows of four, the first at the upper left: white where one is lowest, orange where highest."""
    rows = -(-len(levels) // ACROSS)
    step = TILE + GAP
    image = Image.new("RGB", (min(ACROSS, len(levels)) * step - GAP, rows * step - GAP), "black")
    for number, level in enumerate(levels):
        heat = np.frombuffer(bytes.fromhex(level), np.uint8).reshape(height, width, 1) / 255
        colours = 255 * (1 - heat) + np.array(HEAT) * heat
        tile = Image.fromarray(colours.round().astype(np.uint8)).resize((TILE, TILE), Image.Resampling.NEAREST)
        image.paste(tile, (number % ACROSS * step, number // ACROSS * step))
    return image
