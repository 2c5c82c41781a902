"""The dataset as the screens read it: opened once, then read a few images at a time.

Only the worker thread uses it. numpy is imported with the first question.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kanji_tui.characters.jis import character_of
from kanji_tui.data.defaults import SYNTHETIC_SOURCE
from kanji_tui.data.moving import finish_move
from kanji_tui.errors import KanjiError
from kanji_tui.paths import DATA_DIR, METADATA
from kanji_tui.workspace.snapshot import time_written
from kanji_tui.workspace.thumbnails import Thumbnail

if TYPE_CHECKING:
    from kanji_tui.data.dataset import Dataset

THUMBNAILS = 24
OTHERS = 5


@dataclass(frozen=True)
class Overview:
    """A summary of a dataset. `files` are (name, samples), `counts` (JIS code, samples) of each class,
    `split_sizes` (name, samples) of the default split. `sets` 0: the writers are unknown.
    """

    name: str
    source: str
    digest: str
    size: int
    samples: int
    classes: int
    sets: int
    quarantined: int
    files: tuple[tuple[str, int], ...]
    counts: tuple[tuple[int, int], ...]
    split: str
    split_sizes: tuple[tuple[str, int], ...]
    note: str
    thumbnails: tuple[Thumbnail, ...]

    @property
    def synthetic(self) -> bool:
        return self.source == SYNTHETIC_SOURCE


class OpenedDataset:
    """Keeps the dataset open; opens it again when metadata.json has changed."""

    def __init__(self, path: Path = DATA_DIR) -> None:
        self.path = path
        self._dataset: Dataset | None = None
        self._written = 0

    def dataset(self) -> "Dataset":
        """The dataset, opened; KanjiError where there is none."""
        from kanji_tui.data.dataset import open_dataset

        finish_move(self.path)
        written = time_written(self.path / METADATA)
        if self._dataset is None or written != self._written:
            self._dataset = open_dataset(self.path)
            self._written = written
        return self._dataset

    def overview(self) -> Overview:
        """The summary for the Dataset screen."""
        import numpy as np

        dataset = self.dataset()
        counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
        per_file = np.bincount(dataset.file, minlength=len(dataset.files))
        kind, split_sizes, note = default_split(dataset)
        return Overview(
            name=dataset.name,
            source=dataset.source,
            digest=dataset.digest,
            size=dataset.size,
            samples=len(dataset),
            classes=len(dataset.classes),
            sets=int(dataset.writers().max(initial=-1)) + 1 if dataset.writers_known else 0,
            quarantined=len(dataset.quarantined),
            files=tuple(zip(dataset.files, per_file.tolist(), strict=True)),
            counts=tuple(zip(dataset.classes, counts.tolist(), strict=True)),
            split=kind,
            split_sizes=split_sizes,
            note=note,
            thumbnails=_thumbnails(dataset, _spread_samples(dataset)),
        )

    def with_others(self, sample: int) -> tuple[Thumbnail, ...]:
        """A sample and, for comparison, some others of its class."""
        import numpy as np

        dataset = self.dataset()
        others = np.setdiff1d(np.flatnonzero(dataset.labels == dataset.labels[sample]), [sample])
        indices = np.unique(np.linspace(0, max(0, len(others) - 1), OTHERS).round().astype(int))
        first, *rest = _thumbnails(dataset, [sample, *others[indices[: len(others)]].tolist()])
        named = [replace(thumbnail, caption=f"another {thumbnail.caption}") for thumbnail in rest]
        return replace(first, caption=f"this {first.caption}"), *named


def _spread_samples(dataset: "Dataset") -> list[int]:
    """One sample each of evenly spaced classes, at a different position in each class."""
    import numpy as np

    classes = np.unique(np.linspace(0, len(dataset.classes) - 1, THUMBNAILS).round().astype(int))
    members = [np.flatnonzero(dataset.labels == label) for label in classes]
    return [int(samples[number * 7 % len(samples)]) for number, samples in enumerate(members) if len(samples)]


def _thumbnails(dataset: "Dataset", samples: list[int]) -> tuple[Thumbnail, ...]:
    return tuple(
        Thumbnail(character_of(int(dataset.jis[sample])), image.tobytes(), dataset.size)
        for sample, image in zip(samples, dataset.images(samples), strict=True)
    )


def default_split(dataset: "Dataset") -> tuple[str, tuple[tuple[str, int], ...], str]:
    """Kind, sizes and notice of the split that a training uses by default."""
    from kanji_tui.data.splits import split_dataset
    from kanji_tui.training.config import TrainConfig

    try:
        split = split_dataset(dataset, TrainConfig.split, TrainConfig.split_shares, TrainConfig.seed)
    except KanjiError as error:
        return TrainConfig.split, (), error.message
    parts = (("train", split.train), ("validation", split.validation), ("test", split.test))
    return split.kind, tuple((name, len(part)) for name, part in parts), split.note
