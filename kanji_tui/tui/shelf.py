"""The dataset as the screens read it: opened once, then pages of it, a few pictures at a time.

Only the worker thread touches a shelf. numpy is imported with the first question.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kanji_tui.characters.jis import jis_to_character
from kanji_tui.errors import KanjiError
from kanji_tui.tui.place import DATA_DIR
from kanji_tui.tui.widgets.glyphs import Glyph

if TYPE_CHECKING:
    from kanji_tui.data.dataset import Dataset

GLYPHS = 24


@dataclass(frozen=True)
class Overview:
    """A dataset in a few facts. `files` are (name, samples); `parts` (name, samples) of the default split."""

    name: str
    source: str
    digest: str
    size: int
    samples: int
    classes: int
    sets: int
    quarantined: int
    fewest: int
    most: int
    files: tuple[tuple[str, int], ...]
    split: str
    parts: tuple[tuple[str, int], ...]
    note: str
    glyphs: tuple[Glyph, ...]

    @property
    def drawn(self) -> bool:
        return self.source == "drawn sample"


class Shelf:
    """Keeps the last opened dataset; opens it again when metadata.json is another."""

    def __init__(self, path: Path = DATA_DIR) -> None:
        self.path = path
        self._dataset: Dataset | None = None
        self._written = 0

    def dataset(self) -> "Dataset":
        """The dataset, opened; KanjiError where there is none."""
        from kanji_tui.data.dataset import open_dataset

        try:
            written = (self.path / "metadata.json").stat().st_mtime_ns
        except OSError:
            written = 0
        if self._dataset is None or written != self._written:
            self._dataset = open_dataset(self.path)
            self._written = written
        return self._dataset

    def overview(self) -> Overview:
        """The facts of the Dataset screen."""
        import numpy as np

        dataset = self.dataset()
        counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
        per_file = np.bincount(dataset.file, minlength=len(dataset.files))
        kind, parts, note = default_split(dataset)
        return Overview(
            name=dataset.name,
            source=dataset.source,
            digest=dataset.digest,
            size=dataset.size,
            samples=len(dataset),
            classes=len(dataset.classes),
            sets=int(dataset.writers().max()) + 1 if len(dataset) else 0,
            quarantined=int(dataset.metadata.get("quarantined", 0)),
            fewest=int(counts.min()),
            most=int(counts.max()),
            files=tuple(zip(dataset.files, per_file.tolist(), strict=True)),
            split=kind,
            parts=parts,
            note=note,
            glyphs=self._glyphs(dataset, np),
        )

    @staticmethod
    def _glyphs(dataset: "Dataset", np: Any) -> tuple[Glyph, ...]:
        """Samples from all over the dataset, each of another class as far as there are enough."""
        classes = np.unique(np.linspace(0, len(dataset.classes) - 1, GLYPHS).round().astype(int))
        chosen = []
        for number, label in enumerate(classes):
            members = np.flatnonzero(dataset.labels == label)
            if len(members):
                chosen.append(int(members[number * 7 % len(members)]))
        images = dataset.images(chosen)
        return tuple(
            Glyph(jis_to_character(int(dataset.jis[place])) or "?", image.tobytes(), dataset.size)
            for place, image in zip(chosen, images, strict=True)
        )


def default_split(dataset: "Dataset") -> tuple[str, tuple[tuple[str, int], ...], str]:
    """Kind, sizes and announcement of the split a training takes unless told otherwise."""
    from kanji_tui.data.splits import split_dataset
    from kanji_tui.training.config import TrainConfig

    config = TrainConfig()
    try:
        split = split_dataset(dataset, config.split, config.split_shares, config.seed)
    except KanjiError as error:
        return config.split, (), error.message
    parts = (("train", split.train), ("validation", split.validation), ("test", split.test))
    return split.kind, tuple((name, len(part)) for name, part in parts), split.note
