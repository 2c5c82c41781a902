"""What the Browser shows, read from the dataset, the published model's metadata and its kept predictions.

Only the worker thread asks a library; what it returns is frozen, and lists make their rows when they are drawn.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kanji_tui.characters.classes import strokes
from kanji_tui.characters.jis import character_of, name_jis
from kanji_tui.errors import KanjiError
from kanji_tui.jobs.evaluate import predictions_folder
from kanji_tui.paths import MODEL_INFO, MODELS_DIR, WEIGHTS
from kanji_tui.recognition.results import Candidate, Confusion
from kanji_tui.system.files import read_json, sha256
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.sample_list import PARTS, PredictionIndex, Query, SampleList
from kanji_tui.workspace.snapshot import time_written
from kanji_tui.workspace.thumbnails import Thumbnail

if TYPE_CHECKING:
    import numpy as np

    from kanji_tui.data.dataset import Dataset

CONFUSIONS = 200
MODEL = MODELS_DIR / WEIGHTS
SUSPECTS_FILE = MODELS_DIR / "suspects.tsv"


@dataclass(frozen=True)
class ClassLine:
    """A class of the dataset; `accuracy` is the correct share of its predicted samples, None without any."""

    jis: int
    character: str
    reading: str
    strokes: int | None
    count: int
    accuracy: float | None


@dataclass(frozen=True)
class Catalogue:
    """All classes, and which are confused, most frequent first.

    `predicted` is the split that the published model has predicted: all, test, val, train, or empty for none.
    """

    classes: tuple[ClassLine, ...]
    confusions: tuple[Confusion, ...]
    accuracy: float | None
    predicted: str
    parts_known: bool


@dataclass(frozen=True)
class Sample:
    """One sample: its image as `size` x `size` bytes, where it comes from, what the model predicts.

    `label_probability` is what the model gives the sample's own label, None where it was not predicted. `other`,
    for a wrong prediction: of the predicted class the sample that the model predicts best.
    """

    number: int
    jis: int
    character: str
    reading: str
    strokes: int | None
    pixels: bytes
    size: int
    file: str
    record: int
    set: int
    part: str
    candidates: tuple[Candidate, ...]
    label_probability: float | None
    other: Thumbnail | None


class SampleBrowser:
    """The dataset of a shelf with what the published model says of it."""

    def __init__(self, shelf: OpenedDataset) -> None:
        self._shelf = shelf
        self._index: PredictionIndex | None = None
        self._part: np.ndarray | None = None
        self._readings: dict[int, str] = {}
        self._key: tuple[Any, ...] = ()
        self._catalogue: Catalogue | None = None

    def catalogue(self) -> Catalogue:
        """All classes; the same object again while dataset, model and predictions are the same files."""
        data = self._shelf.dataset()
        files = [kept for _, kept in _kept_files()]
        key = (data.digest, *map(time_written, (MODEL, MODELS_DIR / MODEL_INFO, *files)))
        if key != self._key or self._catalogue is None:
            self._index = _read_index(data)
            self._part = _read_parts(data)
            self._readings = data.readings()
            self._catalogue = self._make_catalogue(data)
            self._key = key
        return self._catalogue

    def _make_catalogue(self, data: "Dataset") -> Catalogue:
        import numpy as np

        from kanji_tui.recognition.confusions import count_by_class, most_confused

        index, size = self._index, len(data.classes)
        counts = np.bincount(data.labels, minlength=size)
        seen, right = np.zeros(size, np.int64), np.zeros(size, np.int64)
        confusions: tuple[Confusion, ...] = ()
        if index is not None:
            places, first = index.predictions.index, index.predictions.jis[:, 0]
            seen, right = count_by_class(data.labels[places], first == data.jis[places], size)
            confusions = most_confused(data.jis[places], first, CONFUSIONS)
        classes = tuple(
            ClassLine(
                jis,
                character_of(jis),
                self._readings.get(jis, ""),
                strokes(jis),
                int(counts[label]),
                float(right[label] / seen[label]) if seen[label] else None,
            )
            for label, jis in enumerate(data.classes)
        )
        total = int(seen.sum())
        return Catalogue(
            classes=classes,
            confusions=confusions,
            accuracy=float(right.sum() / total) if total else None,
            predicted=index.predictions.split if index is not None else "",
            parts_known=self._part is not None,
        )

    def samples(self, query: Query) -> SampleList:
        """The samples that fit `query`, in its order."""
        import numpy as np

        data, index = self._shelf.dataset(), self._index
        fits = np.ones(len(data), bool) if query.jis is None else data.jis == query.jis
        if query.part and self._part is not None:
            fits &= self._part == PARTS.index(query.part) - 1
        if query.suspects:
            order = self._suspects()
            return SampleList(query, order[fits[order]], data, index, self._part)
        if index is not None and (query.errors or query.predicted is not None):
            first = np.where(index.place >= 0, index.predictions.jis[index.place, 0], data.jis)
            fits &= first != data.jis if query.predicted is None else first == query.predicted
        order = np.flatnonzero(fits)
        if query.order == "confidence" and index is not None:
            places = index.place[order]
            confidence = np.where(places >= 0, index.predictions.probability[places, 0], 2.0)
            order = order[np.argsort(confidence, kind="stable")]
        return SampleList(query, order, data, index, self._part)

    def opened(self, query: Query) -> tuple[SampleList, Sample | None]:
        """The samples that fit `query`, and the first of them: what a screen shows at once."""
        found = self.samples(query)
        return found, self.sample(found.numbers(0, 1)[0]) if len(found) else None

    def _suspects(self) -> "np.ndarray":
        """The numbers of the samples with suspected label errors, most suspect first."""
        import numpy as np

        from kanji_tui.recognition.suspects import rank_suspects

        if self._index is None:
            return np.empty(0, np.int64)
        found = self._index.predictions
        places, _ = rank_suspects(found, self._shelf.dataset().jis[found.index])
        numbers: np.ndarray = found.index[places]
        return numbers

    def write_suspects(self) -> tuple[Path, int]:
        """Write all suspected label errors as a table; the file, and how many it holds."""
        from kanji_tui.recognition.suspects import find_suspects, write_tsv

        if self._index is None:
            raise KanjiError("no sample was predicted yet", "p predicts all samples")
        found = find_suspects(self._shelf.dataset(), self._index.predictions, self._part, MODEL)
        write_tsv(SUSPECTS_FILE, found.suspects)
        return SUSPECTS_FILE, len(found.suspects)

    def sample(self, number: int) -> Sample:
        """Everything about one sample."""
        import numpy as np

        data, index = self._shelf.dataset(), self._index
        jis = int(data.jis[number])
        candidates: tuple[Candidate, ...] = ()
        own: float | None = None
        if index is not None and index.place[number] >= 0:
            row, found = index.place[number], index.predictions
            own = float(np.exp(-found.loss[row]))
            candidates = tuple(
                Candidate(character_of(int(code)), name_jis(int(code)), float(share))
                for code, share in zip(found.jis[row], found.probability[row], strict=True)
                if code  # a model of fewer than five classes
            )
        wrong = bool(candidates) and candidates[0].jis != name_jis(jis)
        return Sample(
            number=number,
            jis=jis,
            character=character_of(jis),
            reading=self._readings.get(jis, ""),
            strokes=strokes(jis),
            pixels=data.images([number])[0].tobytes(),
            size=data.size,
            file=data.files[int(data.file[number])],
            record=int(data.record[number]),
            set=int(data.set[number]),
            part=PARTS[int(self._part[number]) + 1] if self._part is not None else "",
            candidates=candidates,
            label_probability=own if own == own else None,  # not a number: a class that the model lacks
            other=self._best_of(int(candidates[0].jis, 16)) if wrong else None,
        )

    def _best_of(self, jis: int) -> Thumbnail | None:
        """The sample of a class that the model predicts best; None for a class without samples."""
        import numpy as np

        data, index = self._shelf.dataset(), self._index
        members = np.flatnonzero(data.jis == jis)
        if not len(members):
            return None
        best = int(members[0])
        if index is not None:
            places = index.place[members]
            likelihood = np.where(places >= 0, -index.predictions.loss[places], -np.inf)
            best = int(members[np.nan_to_num(likelihood, nan=-np.inf).argmax()])
        return Thumbnail(character_of(jis), data.images([best])[0].tobytes(), data.size)


def _read_index(data: "Dataset") -> PredictionIndex | None:
    """The published model's predictions on this dataset; of several splits those of the largest."""
    import numpy as np

    from kanji_tui.recognition.predictions import load_predictions

    there = [(split, path) for split, path in _kept_files() if path.is_file()]
    if not there or not MODEL.is_file():
        return None
    digest = sha256(MODEL)
    for _, path in there:
        found = load_predictions(path, digest, data.digest)
        if found is not None and len(found) and int(found.index[-1]) < len(data):
            place = np.full(len(data), -1, np.int64)
            place[found.index] = np.arange(len(found))
            return PredictionIndex(found, place)
    return None


def _kept_files() -> list[tuple[str, Path]]:
    """Where the published model's predictions may be: (split, file)."""
    from kanji_tui.recognition.predictions import predictions_file

    folder = predictions_folder(MODEL)
    return [(split, predictions_file(folder, MODEL, split)) for split in ("all", "test", "val", "train")]


def _read_parts(data: "Dataset") -> "np.ndarray | None":
    """The part of each sample by the published model's split, as `split_of_samples` gives it."""
    from kanji_tui.recognition.predictions import split_of_samples

    try:
        split = read_json(MODELS_DIR / MODEL_INFO)["split"]
    except (KanjiError, KeyError):
        return None
    return split_of_samples(data, split) if isinstance(split, dict) else None
