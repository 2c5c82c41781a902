"""The pictures models are tested on: real ones of the model's test split, else drawn ones, and it says which."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.data.resize import resize_grey
from kanji_tui.data.sample import generate_sample
from kanji_tui.data.splits import split_as_stored
from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Report
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import METADATA
from kanji_tui.system.files import read_json

PARITY_SAMPLES = 1000
DRAWN_SETS = 8
SEED = 0


@dataclass(frozen=True)
class Samples:
    """Pictures of a dataset by sample number, or held in memory; `source` says in words what they are.

    `jis` uint16 (M,) are their characters; `drawn`: uint8 (M, S, S), not handwriting and no test split of anything.
    `side`: pixels the pictures are resized to when they are handed out; None leaves them as they are.
    """

    source: str
    indices: np.ndarray
    jis: np.ndarray
    dataset: Dataset | None = None
    drawn: np.ndarray | None = None
    side: int | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def first(self, count: int) -> np.ndarray:
        """The first `count` pictures as float32 (count, 1, S, S), repeated where there are fewer."""
        known = next(self.batches(count))
        return known[np.arange(count) % len(known)]

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """The pictures as float32 (n, 1, S, S) in 0-1, ink high, at most `size` at a time."""
        for start in range(0, len(self), size):
            some = self.indices[start : start + size]
            pictures = self.dataset.images(some) if self.dataset is not None else self.drawn[some]  # type: ignore[index]
            if self.side is not None:
                pictures = resize_grey(pictures, self.side)
            yield pictures[:, None].astype(np.float32) / 255

    def some(self, count: int) -> "Samples":
        """At most `count` of them, taken by chance, always the same."""
        if len(self) <= count:
            return self
        chosen = np.sort(np.random.default_rng(SEED).choice(len(self), count, replace=False))
        return replace(self, indices=self.indices[chosen], jis=self.jis[chosen])

    @property
    def side_of_pictures(self) -> int:
        """Pixels a side of what is handed out."""
        return int(self.first(1).shape[-1])

    def resized(self, side: int) -> "Samples":
        """The same samples at another size; `source` says so."""
        return replace(self, side=side, source=f"{self.source}, resized to {side} pixels")


def gather_samples(card: ModelCard, data_dir: Path, report: Report, count: int | None) -> Samples:
    """`count` samples of the model's own test split (None: all of it), the same ones each time.

    On another dataset than the model's they come from all of it. Without a dataset of the model's picture size they
    are drawn from a font, and a notice says so. Raises KanjiError where neither is possible: nothing else would do.
    """
    why = unusable(card, data_dir)
    if why:
        return draw(card, why, report)
    dataset = open_dataset(data_dir)
    chosen, part = part_of(card, dataset, ("test", "validation"))
    return some_of(dataset, chosen, f"{dataset.source}, {part} of {data_dir}", count)


def training_samples(card: ModelCard, data_dir: Path, count: int) -> Samples:
    """`count` samples of the model's training split, to calibrate on. KanjiError without a dataset of its size."""
    why = unusable(card, data_dir)
    if why:
        raise KanjiError(
            f"there is nothing to calibrate on: {why}", "name the dataset the model was trained on with --data-dir"
        )
    dataset = open_dataset(data_dir)
    chosen, part = part_of(card, dataset, ("train",))
    return some_of(dataset, chosen, f"{dataset.source}, {part} of {data_dir}", count)


def unusable(card: ModelCard, data_dir: Path) -> str:
    """Why the pictures in `data_dir` are none for this model; empty where they are."""
    if not (Path(data_dir) / METADATA).is_file():
        return f"there is no dataset in {data_dir}"
    # Only looked up: a dataset that fits is opened next, and what is wrong with it is said there.
    size = read_json(Path(data_dir) / METADATA).get("target_size", card.size)
    if size != card.size:
        return f"the dataset in {data_dir} has {size}-pixel pictures and the model takes {card.size}"
    return ""


def some_of(dataset: Dataset, chosen: np.ndarray, source: str, count: int | None) -> Samples:
    """At most `count` of the chosen samples of a dataset."""
    found = Samples(source, chosen, dataset.jis[chosen], dataset=dataset)
    return found if count is None else found.some(count)


def part_of(card: ModelCard, dataset: Dataset, names: tuple[str, ...]) -> tuple[np.ndarray, str]:
    """The sample numbers of the first of these parts of the model's split that is not empty, and its name.

    All samples where the dataset is not the model's or none of the parts has any.
    """
    kept = card.split
    if kept.get("dataset_digest") == dataset.digest and "kind" in kept and "shares" in kept:
        split = split_as_stored(dataset, kept)
        for name in names:
            indices: np.ndarray = getattr(split, name)
            if len(indices):
                return indices, f"{name} split"
    return np.arange(len(dataset)), "all samples"


def draw(card: ModelCard, why: str, report: Report) -> Samples:
    """Draw pictures from a font, as `kanji-tui sample` does, and prepare them at the model's size."""
    source = f"drawn samples from a font, because {why}"
    report(Notice(f"the test is on {source}"))
    with tempfile.TemporaryDirectory(prefix="kanji-parity-") as folder:
        records, prepared = Path(folder) / "ETL9G", Path(folder) / "dataset"
        try:
            generate_sample(records, PARITY_SAMPLES // DRAWN_SETS, DRAWN_SETS, SEED, report)
        except KanjiError as error:
            raise KanjiError(
                f"nothing can be tested: {why}, and no samples can be drawn ({error.message})",
                error.remedy or "name a dataset with --data-dir",
            ) from None
        prepare(records, prepared, card.size, 1, None, report)
        dataset = open_dataset(prepared)
        everything = np.arange(len(dataset))
        return Samples(source, everything, dataset.jis[everything], drawn=dataset.images(everything))
