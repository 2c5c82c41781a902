"""The pictures an export is tested on: real ones of the model's test split, else drawn ones, and it says which."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kanji_tui.data.dataset import Dataset, open_dataset
from kanji_tui.data.preparation import prepare
from kanji_tui.data.sample import draw_sample
from kanji_tui.data.splits import split_dataset
from kanji_tui.errors import KanjiError
from kanji_tui.events import Notice, Report
from kanji_tui.networks.card import ModelCard

PARITY_SAMPLES = 1000
DRAWN_SETS = 8
SEED = 0


@dataclass(frozen=True)
class Samples:
    """Pictures of a dataset by sample number, or held in memory; `source` says in words what they are."""

    source: str
    indices: np.ndarray
    dataset: Dataset | None = None
    drawn: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def batches(self, size: int) -> Iterator[np.ndarray]:
        """The pictures as float32 (n, 1, S, S) in 0-1, ink high, at most `size` at a time."""
        for start in range(0, len(self), size):
            some = self.indices[start : start + size]
            pictures = self.dataset.images(some) if self.dataset is not None else self.drawn[some]  # type: ignore[index]
            yield pictures[:, None].astype(np.float32) / 255


def gather_samples(card: ModelCard, data_dir: Path, full: bool, report: Report) -> Samples:
    """1,000 samples of the model's own test split (all with `full`), the same ones each time.

    On another dataset than the model's they come from all of it. Without a dataset of the model's picture size they
    are drawn from a font, and a notice says so. Raises KanjiError where neither is possible: nothing else would do.
    """
    if not (Path(data_dir) / "metadata.json").is_file():
        return draw(card, f"there is no dataset in {data_dir}", report)
    dataset = open_dataset(data_dir)
    if dataset.size != card.size:
        why = f"the dataset in {data_dir} has {dataset.size}-pixel pictures and the model takes {card.size}"
        return draw(card, why, report)
    chosen, split = test_indices(card, dataset)
    if not full and len(chosen) > PARITY_SAMPLES:
        chosen = np.sort(np.random.default_rng(SEED).choice(chosen, PARITY_SAMPLES, replace=False))
    return Samples(f"{dataset.source}, {split} of {data_dir}", chosen, dataset=dataset)


def test_indices(card: ModelCard, dataset: Dataset) -> tuple[np.ndarray, str]:
    """The sample numbers of the model's test split and its name; of the whole dataset where it is another's."""
    kept = card.split
    if kept.get("dataset_digest") != dataset.digest or "kind" not in kept or "shares" not in kept:
        return np.arange(len(dataset)), "all samples"
    first, second, third = (float(share) for share in kept["shares"])
    split = split_dataset(
        dataset, str(kept["kind"]), (first, second, third), int(kept.get("seed", 0)), kept.get("sample_limit")
    )
    for indices, name in ((split.test, "test split"), (split.validation, "validation split")):
        if len(indices):
            return indices, name
    return np.arange(len(dataset)), "all samples"


def draw(card: ModelCard, why: str, report: Report) -> Samples:
    """Draw pictures from a font, as `kanji-tui sample` does, and prepare them at the model's size."""
    source = f"drawn samples from a font, because {why}"
    report(Notice(f"parity is tested on {source}"))
    with tempfile.TemporaryDirectory(prefix="kanji-parity-") as folder:
        records, prepared = Path(folder) / "ETL9G", Path(folder) / "dataset"
        try:
            draw_sample(records, PARITY_SAMPLES // DRAWN_SETS, DRAWN_SETS, SEED, report)
        except KanjiError as error:
            raise KanjiError(
                f"the export cannot be tested: {why}, and no samples can be drawn ({error.message})",
                error.remedy or "name a dataset with --data-dir",
            ) from None
        prepare(records, prepared, card.size, 1, None, report)
        dataset = open_dataset(prepared)
        everything = np.arange(len(dataset))
        return Samples(source, everything, drawn=dataset.images(everything))
