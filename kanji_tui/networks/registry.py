"""The networks by name. Importing this module loads no torch; `build` does."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kanji_tui.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

SIZES = (32, 128)  # smallest and largest image side that the networks take


@dataclass(frozen=True)
class NetworkEntry:
    """One network.

    `factory`: `module:Class` in this package; `key`: a state-dict key by which `identify_by_keys` tells it from the
    entries after it; `expects_blur`: files made by the original scripts were trained on blurred images;
    `needs`: the package it needs; `extra`: the pip extra that installs that package; `fast_in_bfloat16`: training
    is faster in it on CPUs with instructions for it (measured: vit 2.0 times as fast, hybrid 1.8, kanjinet 1.6,
    kuzushiji 0.75; v2.1 1.03, whose head alone computes in it: see benchmarks/RESULTS.md).
    """

    factory: str
    description: str
    key: str
    expects_blur: bool = False
    fast_in_bfloat16: bool = False
    needs: str = ""
    extra: str = ""

    @property
    def missing(self) -> bool:
        """Whether the package it needs is not installed; finds out without importing it."""
        return bool(self.needs) and find_spec(self.needs) is None

    @property
    def remedy(self) -> str:
        """How to install the missing package."""
        return f"pip install 'kanji-tui[{self.extra}]'"


def _zoo(function: str, description: str, key: str) -> NetworkEntry:
    return NetworkEntry(f"zoo:{function}", description, key, needs="transformers", extra="zoo")


# The order matters: `identify_by_keys` tries the entries from the top.
NETWORKS: dict[str, NetworkEntry] = {
    "kanjinet-2x2": NetworkEntry(
        "kanjinet:KanjiNet2x2",
        "kanjinet with 2x2 pooling: each quarter of the image on its own",
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
        "the original scripts': five depthwise-separable blocks, SE after the last three, two-layer head",
        "attention3.fc.0.weight",
        expects_blur=True,
        fast_in_bfloat16=True,
    ),
    "v2": NetworkEntry(
        "legacy:OriginalV2",
        "the original scripts': v2.1 without SE",
        "conv5.0.weight",
        expects_blur=True,
        fast_in_bfloat16=True,
    ),
    "v1": NetworkEntry(
        "legacy:OriginalV1",
        "the original scripts' first: four depthwise-separable blocks, a smaller head",
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
        "convolutions, then a Transformer encoder over their features",
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
    """The entry of a network; UsageError listing the known ones for an unknown name."""
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
    module, _, factory = available(name).factory.partition(":")
    if classes < 2:
        raise UsageError(f"a network needs at least 2 classes, not {classes}")
    if not SIZES[0] <= size <= SIZES[1]:
        raise UsageError(
            f"the networks take images of {SIZES[0]}x{SIZES[0]} to {SIZES[1]}x{SIZES[1]} pixels, not {size}x{size}",
            "prepare the dataset at a size in that range: kanji-tui prepare --size 64",
        )
    network: nn.Module = getattr(import_module(f"kanji_tui.networks.{module}"), factory)(classes, size)
    return network


def identify_by_keys(keys: Iterable[str]) -> str | None:
    """The name of the network whose state dict has these keys, or None if there is none."""
    known = set(keys)
    return next((name for name, found in NETWORKS.items() if found.key in known), None)
