"""The networks by name. Importing this module loads no torch; `build` does."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kanji_tui.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

SIZES = (32, 128)  # the smallest and the largest picture side the networks are made for


@dataclass(frozen=True)
class NetworkEntry:
    """`place` is `module:Class` below this package; `mark` a state-dict key that tells the network from those after
    it; `expects_blur`: files made by the original scripts were trained on blurred pictures; `fast_in_bfloat16`: it
    trains faster so on CPUs with instructions for it (measured: vit 2.0 times as fast, hybrid 1.8, kanjinet 1.6,
    v2.1 1.03, for only its head computes so: benchmarks/RESULTS.md; kuzushiji 0.75); `needs`: the package it needs;
    `extra`: the pip extra that installs that package.
    """

    place: str
    description: str
    mark: str
    expects_blur: bool = False
    fast_in_bfloat16: bool = False
    needs: str = ""
    extra: str = ""

    @property
    def missing(self) -> bool:
        """Whether what it needs is not installed. Looks, and imports nothing."""
        return bool(self.needs) and find_spec(self.needs) is None

    @property
    def remedy(self) -> str:
        """How to install what is missing."""
        return f"pip install 'kanji-tui[{self.extra}]'"


def _zoo(kind: str, description: str, mark: str) -> NetworkEntry:
    return NetworkEntry(f"zoo:{kind}", description, mark, needs="transformers", extra="zoo")


# The order matters to `recognise_keys`: what tells a network apart is looked for from the top.
NETWORKS: dict[str, NetworkEntry] = {
    "kanjinet-2x2": NetworkEntry(
        "kanjinet:KanjiNet2x2",
        "kanjinet that pools each quarter of the picture by itself",
        "pool.0.weight",
        fast_in_bfloat16=True,
    ),
    "kanjinet": NetworkEntry(
        "kanjinet:KanjiNet",
        "the default: 5x5 stem, dense and depthwise residual blocks with SE, one linear layer",
        "stem.0.weight",
        fast_in_bfloat16=True,
    ),
    "v2.1": NetworkEntry(
        "legacy:OriginalV21",
        "the original's: five depthwise-separable blocks, SE after the last three, two-layer head",
        "attention3.fc.0.weight",
        expects_blur=True,
        fast_in_bfloat16=True,
    ),
    "v2": NetworkEntry(
        "legacy:OriginalV2",
        "the original's: v2.1 without SE",
        "conv5.0.weight",
        expects_blur=True,
        fast_in_bfloat16=True,
    ),
    "v1": NetworkEntry(
        "legacy:OriginalV1",
        "the original's first: four depthwise-separable blocks, a smaller head",
        "conv4.0.weight",
        expects_blur=True,
        fast_in_bfloat16=True,
    ),
    "kuzushiji": NetworkEntry(
        "kuzushiji:KuzushijiNet",
        "for cursive characters: 3x3 and 5x5 depthwise-separable branches, CBAM, two-layer head",
        "blocks.0.branches.0.0.weight",
    ),
    "hybrid": NetworkEntry(
        "hybrid:HybridNet",
        "convolutions, then a Transformer encoder over what they find",
        "body.0.weight",
        fast_in_bfloat16=True,
    ),
    "vit": NetworkEntry(
        "vit:VisionTransformer",
        "a small Vision Transformer: patches of 8x8 pixels, six encoder blocks",
        "patches.weight",
        fast_in_bfloat16=True,
    ),
    "zoo-resnet": _zoo(
        "resnet",
        "transformers' ResNet, small, for comparison",
        "network.resnet.embedder.embedder.convolution.weight",
    ),
    "zoo-efficientnet": _zoo(
        "efficientnet",
        "transformers' EfficientNet, small, for comparison",
        "network.efficientnet.embeddings.convolution.weight",
    ),
    "zoo-vit": _zoo("vit", "transformers' ViT, small, for comparison", "network.vit.embeddings.cls_token"),
    "zoo-swin": _zoo(
        "swin",
        "transformers' Swin, small, for comparison",
        "network.swin.embeddings.patch_embeddings.projection.weight",
    ),
}


def entry(name: str) -> NetworkEntry:
    """The entry of a network; UsageError for an unknown name, listing the known."""
    if name not in NETWORKS:
        raise UsageError(f"there is no network '{name}'", f"choose one of: {', '.join(NETWORKS)}")
    return NETWORKS[name]


def available(name: str) -> NetworkEntry:
    """The entry of a network that can be built; UsageError for an unknown name or one whose extra is missing."""
    known = entry(name)
    if known.missing:
        raise UsageError(
            f"the network {name} needs {known.needs}, which is not installed",
            f"{known.remedy}, or choose another: kanji-tui networks",
        )
    return known


def build(name: str, classes: int, size: int) -> "nn.Module":
    """A freshly initialised network: float32 (N, 1, size, size) to logits (N, classes).

    Raises UsageError for an unknown name, one whose extra is missing, fewer than two classes, or a size outside
    `SIZES`.
    """
    module, _, kind = available(name).place.partition(":")
    if classes < 2:
        raise UsageError(f"a network needs at least 2 classes to tell apart, not {classes}")
    if not SIZES[0] <= size <= SIZES[1]:
        raise UsageError(
            f"the networks take pictures of {SIZES[0]} to {SIZES[1]} pixels a side, not {size}",
            "prepare the dataset at such a size: kanji-tui prepare --size 64",
        )
    network: nn.Module = getattr(import_module(f"kanji_tui.networks.{module}"), kind)(classes, size)
    return network


def recognise_keys(keys: Iterable[str]) -> str | None:
    """The name of the network whose state dict has these keys, or None."""
    known = set(keys)
    return next((name for name, found in NETWORKS.items() if found.mark in known), None)
