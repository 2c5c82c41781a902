"""Feature maps: the layers of a model, and what the channels of one gave for an image."""

from collections.abc import Callable, Sequence
from typing import Any

from kanji_tui.presentation.document import Column, Document, Row, Table, quiet
from kanji_tui.presentation.recognition import shades
from kanji_tui.recognition.results import FeatureMap, FeatureMaps, ImageMaps, Layer, LayerMaps
from kanji_tui.system import numbers

SIDE = 8  # values across a map, each two cells wide
ACROSS = 4  # maps beside each other

LAYER_COLUMNS = (
    Column("layer", tail=True),
    Column("kind", 9),
    Column("channels", 8, right=True),
    Column("map", 7, right=True),
)


def layer_table(layers: Sequence[Layer], title: str = "") -> Table:
    """Layers in the order in which they run, with the shapes of their outputs."""
    return Table(LAYER_COLUMNS, list(map(_layer_row, layers)), title)


def _layer_row(layer: Layer) -> Row:
    cells = (layer.name, quiet(layer.kind), numbers.count(layer.channels), f"{layer.height}x{layer.width}")
    return Row(layer.name, cells)


def choice_of_channels(shown: int, layer: Layer) -> str:
    """`256 x 4x4, the 6 that vary most`: the shape of a layer's output, and which channels are shown."""
    which = "all, most varied first" if shown == layer.channels else f"the {shown} that vary most"
    return f"{numbers.count(layer.channels)} x {layer.height}x{layer.width}, {which}"


def feature_maps_document(result: FeatureMaps) -> Document:
    """The layers of a model; with an image the maps of each in shade characters."""
    if not result.images:
        title = f"{result.network}: {len(result.layers)} layers with feature maps, in the order in which they run"
        return (layer_table(result.layers, title),)
    layers = {layer.name: layer for layer in result.layers}
    written = (f"{result.image_path}, {result.array_path}",) if result.image_path else ()
    blocks = (block for image in result.images for one in image.layers for block in _maps(image, one, layers))
    return (*blocks, *written)


def _maps(image: ImageMaps, found: LayerMaps, layers: dict[str, Layer]) -> Document:
    what = f"sample {image.sample}, label {image.truth}" if image.sample is not None else "image"
    layer = layers[found.layer]
    about = f"{what}: {layer.name}, {choice_of_channels(len(found.maps), layer)}, each on its own scale"
    rows = [found.maps[start : start + ACROSS] for start in range(0, len(found.maps), ACROSS)]
    return (about, *(line for row in rows for line in _beside(row, layer)))


def _beside(maps: Sequence[FeatureMap], layer: Layer) -> list[str]:
    """Maps side by side below their numbers and ranges."""
    drawn = [shades(_shares(one, layer), SIDE) for one in maps]
    captions = [f"{one.channel}: {one.lowest:.2g} to {one.highest:.2g}" for one in maps]
    width = max(2 * SIDE, *(len(lines[0]) for lines in drawn), *map(len, captions))
    lines = (captions, *zip(*drawn, strict=True))
    return [f"  {'  '.join(text.ljust(width) for text in line)}".rstrip() for line in lines]


def _shares(one: FeatureMap, layer: Layer) -> list[list[float]]:
    levels = bytes.fromhex(one.levels)
    return [
        [level / 255 for level in levels[row * layer.width : (row + 1) * layer.width]]
        for row in range(layer.height)
    ]


PRESENTERS: dict[type, Callable[[Any], Document]] = {FeatureMaps: feature_maps_document}
