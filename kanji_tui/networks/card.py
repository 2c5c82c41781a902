"""The model card: the metadata that is needed, beside the weights, to use a model.

It is stored in best_model_info.json next to a .pth file, in the metadata of .safetensors and .onnx files, and in
checkpoints. Two models, or a model and a dataset, are matched by JIS code, never by position.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from kanji_tui.allowed import NAME, TEXT, Allowed, at_most, between
from kanji_tui.characters.classes import etl9g_classes
from kanji_tui.characters.jis import JIS, character_of, name_jis
from kanji_tui.system.files import parse_json_value, strict_json
from kanji_tui.system.plain_data import read_plain

CARD_VERSION = 1
KANJIVG_LICENSE = (
    "the weights: CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0; they were learned from writing "
    "drawn from the strokes of KanjiVG, copyright Ulrich Apel, CC BY-SA 3.0, https://kanjivg.tagaini.net"
)
RESTORE = "export or train the model again, or restore the file beside it"
MOST_CLASSES = 94 * 94  # the codes of JIS X 0208
MOST_PIXELS = 1024  # a side
GROUP = Allowed("two codes or more", lambda codes: len(codes) > 1)


@dataclass(frozen=True)
class _Normalisation:
    mean: Annotated[float, between(-1e6, 1e6)]
    std: Annotated[float, Allowed("more than 0", lambda value: 0 < value < 1e6)]


@dataclass(frozen=True)
class _Metrics:
    """Those of the metrics that are computed with."""

    ink_extent: Annotated[float, between(0.01, 1)] | None = None


@dataclass(frozen=True)
class Lineage:
    """What a model was made from: the run's name, the UTC time of its best epoch, and SHA-256 digests of record
    files, dataset and weights. `writers`: the digest of the synthetic writers that it learned from instead of a
    dataset. Empty where it is not known.
    """

    run: Annotated[str, TEXT, at_most(200)] = ""
    trained: Annotated[str, TEXT, at_most(40)] = ""
    records: Annotated[str, TEXT, at_most(64)] = ""
    dataset: Annotated[str, TEXT, at_most(64)] = ""
    weights: Annotated[str, TEXT, at_most(64)] = ""
    writers: Annotated[str, TEXT, at_most(64)] = ""


@dataclass(frozen=True)
class _Stored:
    """A card as it stands in a file. Names become parts of file names."""

    network: Annotated[str, NAME]
    classes: Annotated[tuple[Annotated[str, JIS], ...], at_most(MOST_CLASSES)]
    image_size: Annotated[int, between(1, MOST_PIXELS)]
    normalisation: _Normalisation
    dataset: Annotated[str, NAME] = "etl9g"
    source: Annotated[str, TEXT] = ""
    split: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    lookalikes: tuple[Annotated[tuple[Annotated[str, JIS], ...], GROUP], ...] = ()
    license: Annotated[str, TEXT] = ""
    lineage: Lineage = field(default_factory=Lineage)


@dataclass(frozen=True)
class ModelCard:
    """`classes` are JIS codes in output order; `size` is pixels a side; input 0-1, ink high, then (x - mean) / std.

    `dataset` is the name used in export file names (etl9g, etl9g-sample, kmnist ...); `source` describes the images
    in words. `split` is {kind, seed, shares, fold, dataset_digest}; `metrics` holds fractions by split.
    `lookalikes`: the groups of JIS codes that share an output; the first of each stands in `classes`. `license`:
    that of the weights, where they were learned from another's work, or empty. `lineage`: what it was made from.
    """

    network: str
    classes: tuple[int, ...]
    size: int
    mean: float = 0.0
    std: float = 1.0
    dataset: str = "etl9g"
    source: str = ""
    split: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    lookalikes: tuple[tuple[int, ...], ...] = ()
    license: str = ""
    lineage: Lineage = field(default_factory=Lineage)

    def to_json(self) -> dict[str, Any]:
        """The card as a JSON object; JIS codes as four hexadecimal digits."""
        groups = [[name_jis(jis) for jis in group] for group in self.lookalikes]
        return {
            "version": CARD_VERSION,
            "network": self.network,
            "classes": [name_jis(jis) for jis in self.classes],
            "image_size": self.size,
            "normalisation": {"mean": self.mean, "std": self.std},
            "dataset": self.dataset,
            "source": self.source,
            "split": self.split,
            "metrics": self.metrics,
            **({"lookalikes": groups} if groups else {}),
            **({"license": self.license} if self.license else {}),
            **({"lineage": asdict(self.lineage)} if self.lineage != Lineage() else {}),
        }

    def to_text(self) -> str:
        """The JSON object as the text in a file's metadata; NaN is null, and the characters are whole."""
        return strict_json(self.to_json()).encode("utf-8", "backslashreplace").decode("utf-8")

    @classmethod
    def from_json(cls, value: dict[str, Any], where: str) -> "ModelCard":
        """The card that `to_json` wrote. Raises KanjiError naming `where` if a field is missing or wrong."""
        card = read_plain(_Stored, value, where, RESTORE)
        read_plain(_Metrics, card.metrics, f"{where}: metrics", RESTORE)
        return cls(
            network=card.network,
            classes=tuple(int(code, 16) for code in card.classes),
            size=card.image_size,
            mean=card.normalisation.mean,
            std=card.normalisation.std,
            dataset=card.dataset,
            source=card.source,
            split=card.split,
            metrics=card.metrics,
            lookalikes=tuple(tuple(int(code, 16) for code in group) for group in card.lookalikes),
            license=card.license,
            lineage=card.lineage,
        )

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], where: str) -> "ModelCard | None":
        """The card in the metadata of the file `where`, or None if it has none. Raises KanjiError if damaged."""
        if "card" not in metadata:
            return None
        value = parse_json_value(metadata["card"], f"the card in {where}", "export the model again")
        return cls.from_json(value, where) if isinstance(value, dict) and "network" in value else None

    @property
    def output_of(self) -> dict[int, int]:
        """The index of the output of each JIS code that the model knows, look-alikes among them."""
        found = {jis: index for index, jis in enumerate(self.classes)}
        groups = [group for group in self.lookalikes if group[0] in found]
        return {jis: found[group[0]] for group in groups for jis in group} | found

    @property
    def characters(self) -> tuple[str, ...]:
        """The characters in output order."""
        return tuple(character_of(jis) for jis in self.classes)

    def export_name(self, target: str = "", variant: str = "") -> str:
        """The stem of an export's file name: `kanji_model_etl9g_64x64_3036classes_tract`.

        `variant` names what differs from the target's default export: `int8_static`, `fp16`, `fixed_max`.
        """
        name = f"kanji_model_{self.dataset}_{self.size}x{self.size}_{len(self.classes)}classes"
        return "_".join(part for part in (name, target, variant) if part)

    def with_metrics(self, **metrics: Any) -> "ModelCard":
        """A copy with these metrics added."""
        return replace(self, metrics={**self.metrics, **metrics})


def all_classes_card(network: str, size: int = 64) -> ModelCard:
    """The card of a bare state dict with 3,036 outputs: all classes in order, inputs 0-1."""
    return ModelCard(network=network, classes=tuple(known.jis for known in etl9g_classes()), size=size)
