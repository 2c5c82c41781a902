"""What the Browser shows, read from the dataset, the published model's metadata and its saved predictions.

Only the worker thread uses it; what it returns is frozen, and lists make their rows when they are drawn.
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
from kanji_tui.system.plain_data import read_as
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.sample_list import SPLITS, PredictionIndex, Query, SampleList
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
    """A class of the dataset; `accuracy` is the correct share of its predicted samples, None without any.

    `reading`: that of its records, ASCII or empty. `known`: the published model has an output for it; else it has
    no accuracy, for it cannot be predicted.
    """

    jis: int
    character: str
    reading: str
    strokes: int | None
    count: int
    accuracy: float | None
    known: bool = True


@dataclass(frozen=True)
class Catalogue:
    """All classes, and the confused pairs, most frequent first.

    `predicted` is the split that the published model has predicted: all, test, val, train, or empty for none;
    `accuracy` is the fraction of its `samples` that are correct. Both leave aside the classes that the model does
    not know, `unknown` of them.
    """

    classes: tuple[ClassLine, ...]
    confusions: tuple[Confusion, ...]
    accuracy: float | None
    samples: int
    predicted: str
    split_known: bool
    unknown: int = 0


@dataclass(frozen=True)
class Sample:
    """One sample: its image as `size` x `size` bytes, its record, its prediction.

    `label_probability` is the model's probability for the label, None if it was not predicted. `other`, for a wrong
    prediction: the sample of the predicted class that the model predicts best.
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
    split: str
    candidates: tuple[Candidate, ...]
    label_probability: float | None
    other: Thumbnail | None


class SampleBrowser:
    """The dataset with the published model's predictions."""

    def __init__(self, opened: OpenedDataset) -> None:
        self._opened = opened
        self._index: PredictionIndex | None = None
        self._split: np.ndarray | None = None
        self._readings: dict[int, str] = {}
        self._key: tuple[Any, ...] = ()
        self._catalogue: Catalogue | None = None

    def catalogue(self) -> Catalogue:
        """All classes; the same object while dataset, model and predictions are the same files."""
        data = self._opened.dataset()
        files = [path for _, path in _prediction_files()]
        key = (data.digest, *map(time_written, (MODEL, MODELS_DIR / MODEL_INFO, *files)))
        if key != self._key or self._catalogue is None:
            self._index = _read_index(data)
            self._split = _read_splits(data)
            self._readings = data.readings()
            self._catalogue = self._make_catalogue(data)
            self._key = key
        return self._catalogue

    def _make_catalogue(self, data: "Dataset") -> Catalogue:
        import numpy as np

        from kanji_tui.recognition.confusions import count_by_class, most_confused

        index, size = self._index, len(data.classes)
        known = _known_classes(data) if index is not None else np.ones(size, bool)
        counts = np.bincount(data.labels, minlength=size)
        predicted, correct = np.zeros(size, np.int64), np.zeros(size, np.int64)
        confusions: tuple[Confusion, ...] = ()
        if index is not None:
            samples, first = index.predictions.index, index.predictions.jis[:, 0]
            predicted, correct = count_by_class(data.labels[samples], first == data.jis[samples], size)
            confusions = most_confused(data.jis[samples], first, CONFUSIONS)
        classes = tuple(
            ClassLine(
                jis,
                character_of(jis),
                self._readings.get(jis, ""),
                strokes(jis),
                int(counts[label]),
                float(correct[label] / predicted[label]) if predicted[label] and known[label] else None,
                bool(known[label]),
            )
            for label, jis in enumerate(data.classes)
        )
        total = int(predicted[known].sum())
        return Catalogue(
            classes=classes,
            confusions=confusions,
            accuracy=float(correct[known].sum() / total) if total else None,
            samples=total,
            predicted=index.predictions.split if index is not None else "",
            split_known=self._split is not None,
            unknown=int((~known).sum()),
        )

    def samples(self, query: Query) -> SampleList:
        """The samples that fit `query`, in its order."""
        import numpy as np

        data, index = self._opened.dataset(), self._index
        fits = np.ones(len(data), bool) if query.jis is None else data.jis == query.jis
        if query.split and self._split is not None:
            fits &= self._split == SPLITS.index(query.split) - 1
        if query.suspects:
            order = self._suspects()
            return SampleList(query, order[fits[order]], data, index, self._split)
        if index is not None and (query.errors or query.predicted is not None):
            first = np.where(index.row >= 0, index.predictions.jis[index.row, 0], data.jis)
            fits &= first != data.jis if query.predicted is None else first == query.predicted
        order = np.flatnonzero(fits)
        if query.order == "confidence" and index is not None:
            rows = index.row[order]
            confidence = np.where(rows >= 0, index.predictions.probability[rows, 0], 2.0)
            order = order[np.argsort(confidence, kind="stable")]
        return SampleList(query, order, data, index, self._split)

    def samples_and_first(self, query: Query) -> tuple[SampleList, Sample | None]:
        """The samples that fit `query`, and everything about the first of them."""
        found = self.samples(query)
        return found, self.sample(found.numbers(0, 1)[0]) if len(found) else None

    def _suspects(self) -> "np.ndarray":
        """The numbers of the samples with suspected label errors, most suspect first."""
        import numpy as np

        from kanji_tui.recognition.suspects import rank_suspects

        if self._index is None:
            return np.empty(0, np.int64)
        found = self._index.predictions
        rows, _ = rank_suspects(found, self._opened.dataset().jis[found.index])
        numbers: np.ndarray = found.index[rows]
        return numbers

    def write_suspects(self) -> tuple[Path, int]:
        """Write all suspected label errors as a table; returns the file and their number."""
        from kanji_tui.recognition.suspects import find_suspects, write_tsv

        if self._index is None:
            raise KanjiError("no sample is predicted yet", "p predicts all samples")
        found = find_suspects(self._opened.dataset(), self._index.predictions, self._split, MODEL)
        write_tsv(SUSPECTS_FILE, found.suspects)
        return SUSPECTS_FILE, len(found.suspects)

    def sample(self, number: int) -> Sample:
        """Everything about one sample."""
        import numpy as np

        data, index = self._opened.dataset(), self._index
        jis = int(data.jis[number])
        candidates: tuple[Candidate, ...] = ()
        own: float | None = None
        if index is not None and index.row[number] >= 0:
            row, found = index.row[number], index.predictions
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
            split=SPLITS[int(self._split[number]) + 1] if self._split is not None else "",
            candidates=candidates,
            label_probability=own if own == own else None,  # not a number: a class that the model lacks
            other=self._typical(int(candidates[0].jis, 16)) if wrong else None,
        )

    def _typical(self, jis: int) -> Thumbnail | None:
        """The sample of a class that the model predicts best; None for a class without samples."""
        import numpy as np

        data, index = self._opened.dataset(), self._index
        members = np.flatnonzero(data.jis == jis)
        if not len(members):
            return None
        best = int(members[0])
        if index is not None:
            rows = index.row[members]
            likelihood = np.where(rows >= 0, -index.predictions.loss[rows], -np.inf)
            best = int(members[np.nan_to_num(likelihood, nan=-np.inf).argmax()])
        return Thumbnail(character_of(jis), data.images([best])[0].tobytes(), data.size)


def _read_index(data: "Dataset") -> PredictionIndex | None:
    """The published model's predictions on this dataset; of several splits those of the largest."""
    import numpy as np

    from kanji_tui.recognition.predictions import load_predictions

    existing = [path for _, path in _prediction_files() if path.is_file()]
    if not existing or not MODEL.is_file():
        return None
    digest = sha256(MODEL)
    for path in existing:
        found = load_predictions(path, digest, data.digest)
        if found is not None and len(found) and int(found.index[-1]) < len(data):
            row = np.full(len(data), -1, np.int64)
            row[found.index] = np.arange(len(found))
            return PredictionIndex(found, row)
    return None


def _prediction_files() -> list[tuple[str, Path]]:
    """Where the published model's predictions may be: (split, file), the largest split first."""
    from kanji_tui.recognition.predictions import predictions_file

    folder = predictions_folder(MODEL)
    return [(split, predictions_file(folder, MODEL, split)) for split in ("all", "test", "val", "train")]


def _known_classes(data: "Dataset") -> "np.ndarray":
    """Which classes the published model has an output for, bool (C,); all where its metadata cannot be read."""
    import numpy as np

    from kanji_tui.networks.card import ModelCard

    try:
        card = ModelCard.from_json(read_json(MODELS_DIR / MODEL_INFO), str(MODELS_DIR / MODEL_INFO))
    except KanjiError:
        return np.ones(len(data.classes), bool)
    return np.isin(np.array(data.classes), list(card.output_of))


@dataclass(frozen=True)
class _Trained:
    """What is read of the published model's metadata."""

    split: dict[str, Any]


def _read_splits(data: "Dataset") -> "np.ndarray | None":
    """The split (train, val, test) of each sample in the published model's training, by `split_of_samples`."""
    from kanji_tui.recognition.predictions import split_of_samples

    try:
        split = read_as(_Trained, MODELS_DIR / MODEL_INFO).split
    except KanjiError:
        return None
    return split_of_samples(data, split)
