"""Chooses the samples for verification: the model's test split, or synthetic samples if there is no dataset."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.defaults import describe_source
from kanji_tui.data.moving import has_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.data.resize import resize_grey
from kanji_tui.data.sample import generate_sample
from kanji_tui.data.splits import split_as_stored
from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Report
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import METADATA
from kanji_tui.system.files import read_json
from kanji_tui.system.folders import temporary_folder

PARITY_SAMPLES = 1000
SYNTHETIC_SETS = 8
SEED = 0


@dataclass(frozen=True)
class Samples:
    """Samples of a dataset, or synthetic ones in memory; `source` describes them in words.

    `indices` are sample numbers in `dataset`, or in `synthetic`, uint8 (M, S, S), which is not handwriting. `jis`,
    uint16 (M,), are their labels. `side`: images are resized to this side when read; None: not resized.
    """

    source: str
    indices: np.ndarray
    jis: np.ndarray
    dataset: Dataset | None = None
    synthetic: np.ndarray | None = None
    side: int | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def first(self, count: int) -> np.ndarray:
        """The first `count` images as float32 (count, 1, S, S), repeated if there are fewer."""
        images = next(self.batches(count))
        return images[np.arange(count) % len(images)]

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """The images as float32 (n, 1, S, S) in 0-1, ink high, at most `size` at a time."""
        for start in range(0, len(self), size):
            numbers = self.indices[start : start + size]
            images = self.dataset.images(numbers) if self.dataset is not None else self.synthetic[numbers]  # type: ignore[index]
            if self.side is not None:
                images = resize_grey(images, self.side)
            yield images[:, None].astype(np.float32) / 255

    def subset(self, count: int) -> "Samples":
        """At most `count` of them, drawn at random with a fixed seed."""
        if len(self) <= count:
            return self
        chosen = np.sort(np.random.default_rng(SEED).choice(len(self), count, replace=False))
        return replace(self, indices=self.indices[chosen], jis=self.jis[chosen])

    @property
    def image_side(self) -> int:
        """The side of the images in pixels, after resizing."""
        return int(self.first(1).shape[-1])

    def resized(self, side: int) -> "Samples":
        """The same samples at another image size, which `source` mentions."""
        return replace(self, side=side, source=f"{self.source}, resized to {side} pixels")


def gather_samples(card: ModelCard, data_dir: Path, report: Report, count: int | None) -> Samples:
    """`count` samples of the model's own test split (None: all of it), the same ones each time.

    If the dataset is not the one the model was trained on, they come from all of it. Without a dataset of the
    model's image size they are synthetic, and a notice says so. Raises KanjiError if there is neither.
    """
    reason = why_unusable(card, data_dir)
    if reason:
        return make_synthetic(card, reason, report)
    dataset = open_dataset(data_dir)
    chosen, split = split_indices(card, dataset, ("test", "validation"))
    return take(dataset, chosen, f"{describe_source(dataset.source)}, {split} of {data_dir}", count)


def training_samples(card: ModelCard, data_dir: Path, count: int) -> Samples:
    """`count` samples of the model's training split. Raises KanjiError if no dataset has the model's image size."""
    reason = why_unusable(card, data_dir)
    if reason:
        raise KanjiError(
            f"calibration needs a dataset: {reason}", "name the dataset the model was trained on with --data-dir"
        )
    dataset = open_dataset(data_dir)
    chosen, split = split_indices(card, dataset, ("train",))
    return take(dataset, chosen, f"{describe_source(dataset.source)}, {split} of {data_dir}", count)


def why_unusable(card: ModelCard, data_dir: Path) -> str:
    """Why this model cannot use the dataset in `data_dir`; "" if it can."""
    if not has_dataset(Path(data_dir)):
        return f"there is no dataset in {data_dir}"
    # Metadata only: a dataset of the right size is opened next, and opening it reports any damage.
    size = read_json(Path(data_dir) / METADATA).get("target_size", card.size)
    if size != card.size:
        return f"the dataset in {data_dir} has {size}x{size} images, the model takes {card.size}x{card.size}"
    return ""


def take(dataset: Dataset, chosen: np.ndarray, source: str, count: int | None) -> Samples:
    """At most `count` of the samples with the numbers `chosen` (None: all of them)."""
    samples = Samples(source, chosen, dataset.jis[chosen], dataset=dataset)
    return samples if count is None else samples.subset(count)


def split_indices(card: ModelCard, dataset: Dataset, names: tuple[str, ...]) -> tuple[np.ndarray, str]:
    """The sample numbers and name of the first of the splits `names` that is not empty.

    All samples if the model was not trained on this dataset, or all these splits are empty.
    """
    stored = card.split
    if stored.get("dataset_digest") == dataset.digest and "kind" in stored and "shares" in stored:
        split = split_as_stored(dataset, stored)
        for name in names:
            indices: np.ndarray = getattr(split, name)
            if len(indices):
                return indices, f"{name} split"
    return np.arange(len(dataset)), "all samples"


def make_synthetic(card: ModelCard, reason: str, report: Report) -> Samples:
    """Make synthetic samples, as `kanji-tui sample` does, and prepare them at the model's image size."""
    source = f"synthetic samples, because {reason}"
    report(Notice(f"verification uses {source}"))
    with temporary_folder() as folder:
        records, prepared = folder / "ETL9G", folder / "dataset"
        try:
            generate_sample(records, PARITY_SAMPLES // SYNTHETIC_SETS, SYNTHETIC_SETS, SEED, report)
        except KanjiError as error:
            raise KanjiError(
                f"the model cannot be tested: {reason}, and no synthetic samples can be made ({error.message})",
                error.remedy or "name a dataset with --data-dir",
            ) from None
        prepare(records, prepared, card.size, 1, None, report)
        dataset = open_dataset(prepared)
        everything = np.arange(len(dataset))
        return Samples(source, everything, dataset.jis[everything], synthetic=dataset.images(everything))
