"""What the browser shows, read from the dataset, the published model's papers and its kept predictions.

Only the worker thread asks a library; what it returns is frozen, and lists make their rows when they are drawn.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kanji_tui.characters.classes import strokes
from kanji_tui.characters.jis import character_of
from kanji_tui.errors import KanjiError
from kanji_tui.jobs.evaluate import predictions_folder
from kanji_tui.paths import MODEL_INFO, MODELS_DIR, WEIGHTS
from kanji_tui.system.files import read_json, sha256
from kanji_tui.workspace.opened_dataset import OpenedDataset
from kanji_tui.workspace.sample_list import PARTS, PredictionIndex, Query, SampleList
from kanji_tui.workspace.snapshot import time_written
from kanji_tui.workspace.thumbnails import Candidate, Thumbnail

if TYPE_CHECKING:
    import numpy as np

    from kanji_tui.data.dataset import Dataset

CONFUSIONS = 200
MODEL = MODELS_DIR / WEIGHTS
SUSPECTS_FILE = MODELS_DIR / "suspects.tsv"


@dataclass(frozen=True)
class ClassLine:
    """A class of the dataset; `accuracy` is the share of its judged samples read right, None where none was."""

    jis: int
    character: str
    reading: str
    strokes: int | None
    count: int
    accuracy: float | None


@dataclass(frozen=True)
class Catalogue:
    """All classes. `confusions` are (class, character read, its code, times), most frequent first.

    `read` is the split that the published model has read: all, test, val, train, or empty for none.
    """

    classes: tuple[ClassLine, ...]
    confusions: tuple[tuple[ClassLine, str, int, int], ...]
    accuracy: float | None
    read: str
    parts_known: bool


@dataclass(frozen=True)
class Sample:
    """One sample: its picture as `size` x `size` bytes, where it comes from, what the model says of it.

    `label_probability` is what the model gives the sample's own label, None where it did not read it. `other`, for
    a sample read wrong: the sample of the class it was read as that the model reads best.
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
        self._judged: PredictionIndex | None = None
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
            self._judged = _read_judged(data)
            self._part = _read_parts(data)
            self._readings = data.readings()
            self._catalogue = self._make_catalogue(data)
            self._key = key
        return self._catalogue

    def _make_catalogue(self, data: "Dataset") -> Catalogue:
        import numpy as np

        counts = np.bincount(data.labels, minlength=len(data.classes))
        right, seen = _tally(data, self._judged)
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
            confusions=_confusions(data, self._judged, classes),
            accuracy=float(right.sum() / total) if total else None,
            read=self._judged.predictions.split if self._judged is not None else "",
            parts_known=self._part is not None,
        )

    def samples(self, query: Query) -> SampleList:
        """The samples that fit `query`, in its order."""
        import numpy as np

        data, judged = self._shelf.dataset(), self._judged
        fits = np.ones(len(data), bool) if query.jis is None else data.jis == query.jis
        if query.part and self._part is not None:
            fits &= self._part == PARTS.index(query.part) - 1
        if query.suspects:
            order = self._suspects()
            return SampleList(query, order[fits[order]], data, judged, self._part)
        if judged is not None and (query.errors or query.predicted is not None):
            first = np.where(judged.place >= 0, judged.predictions.jis[judged.place, 0], data.jis)
            fits &= first != data.jis if query.predicted is None else first == query.predicted
        order = np.flatnonzero(fits)
        if query.order == "unsure" and judged is not None:
            places = judged.place[order]
            sure = np.where(places >= 0, judged.predictions.probability[places, 0], 2.0)
            order = order[np.argsort(sure, kind="stable")]
        return SampleList(query, order, data, judged, self._part)

    def opened(self, query: Query) -> tuple[SampleList, Sample | None]:
        """The samples that fit `query`, and the first of them: what a screen shows at once."""
        found = self.samples(query)
        return found, self.sample(found.numbers(0, 1)[0]) if len(found) else None

    def _suspects(self) -> "np.ndarray":
        """The numbers of the samples with suspect labels, most suspect first."""
        import numpy as np

        from kanji_tui.recognition.suspects import rank_suspects

        if self._judged is None:
            return np.empty(0, np.int64)
        found = self._judged.predictions
        places, _ = rank_suspects(found, self._shelf.dataset().jis[found.index])
        numbers: np.ndarray = found.index[places]
        return numbers

    def write_suspects(self) -> tuple[Path, int]:
        """Write all suspect labels as a table; the file, and how many it holds."""
        from kanji_tui.recognition.suspects import find_suspects, write_tsv

        if self._judged is None:
            raise KanjiError("the model has read no sample yet", "p lets it read every sample")
        found = find_suspects(self._shelf.dataset(), self._judged.predictions, self._part, MODEL)
        write_tsv(SUSPECTS_FILE, found.suspects)
        return SUSPECTS_FILE, len(found.suspects)

    def sample(self, number: int) -> Sample:
        """Everything about one sample."""
        import numpy as np

        data, judged = self._shelf.dataset(), self._judged
        jis = int(data.jis[number])
        candidates: tuple[Candidate, ...] = ()
        own: float | None = None
        if judged is not None and judged.place[number] >= 0:
            row, found = judged.place[number], judged.predictions
            own = float(np.exp(-found.loss[row]))
            candidates = tuple(
                Candidate(character_of(int(code)), int(code), float(share), int(code) == jis)
                for code, share in zip(found.jis[row], found.probability[row], strict=True)
                if code  # a model of fewer than five classes
            )
        wrong = bool(candidates) and not candidates[0].right
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
            other=self._typical(candidates[0].jis) if wrong else None,
        )

    def _typical(self, jis: int) -> Thumbnail | None:
        """The sample of a class that the model reads best; None for a class without samples."""
        import numpy as np

        data, judged = self._shelf.dataset(), self._judged
        members = np.flatnonzero(data.jis == jis)
        if not len(members):
            return None
        best = int(members[0])
        if judged is not None:
            places = judged.place[members]
            sure = np.where(places >= 0, -judged.predictions.loss[places], -np.inf)
            best = int(members[np.nan_to_num(sure, nan=-np.inf).argmax()])
        return Thumbnail(character_of(jis), data.images([best])[0].tobytes(), data.size)


def _tally(data: "Dataset", judged: PredictionIndex | None) -> tuple["np.ndarray", "np.ndarray"]:
    """Samples read right, and samples read at all, by class index."""
    import numpy as np

    size = len(data.classes)
    if judged is None:
        return np.zeros(size, np.int64), np.zeros(size, np.int64)
    found = judged.predictions
    labels = data.labels[found.index]
    right = found.jis[:, 0] == data.jis[found.index]
    return np.bincount(labels[right], minlength=size), np.bincount(labels, minlength=size)


def _confusions(
    data: "Dataset", judged: PredictionIndex | None, classes: tuple[ClassLine, ...]
) -> tuple[tuple[ClassLine, str, int, int], ...]:
    import numpy as np

    if judged is None:
        return ()
    found = judged.predictions
    first = found.jis[:, 0].astype(np.int64)
    wrong = first != data.jis[found.index]
    labels = data.labels[found.index].astype(np.int64)
    pairs, times = np.unique(labels[wrong] * 65536 + first[wrong], return_counts=True)
    order = np.argsort(-times, kind="stable")[:CONFUSIONS]
    listed = [(*divmod(int(pairs[place]), 65536), int(times[place])) for place in order]
    return tuple((classes[label], character_of(jis), jis, count) for label, jis, count in listed)


def _read_judged(data: "Dataset") -> PredictionIndex | None:
    """The published model's predictions on this dataset; of several splits those of the largest."""
    import numpy as np

    from kanji_tui.recognition.predictions import read_kept

    there = [(split, path) for split, path in _kept_files() if path.is_file()]
    if not there or not MODEL.is_file():
        return None
    digest = sha256(MODEL)
    for _, path in there:
        found = read_kept(path, digest, data.digest)
        if found is not None and len(found) and int(found.index[-1]) < len(data):
            place = np.full(len(data), -1, np.int64)
            place[found.index] = np.arange(len(found))
            return PredictionIndex(found, place)
    return None


def _kept_files() -> list[tuple[str, Path]]:
    """Where the published model's predictions may be: (split, file)."""
    from kanji_tui.recognition.predictions import kept_path

    folder = predictions_folder(MODEL)
    return [(split, kept_path(folder, MODEL, split)) for split in ("all", "test", "val", "train")]


def _read_parts(data: "Dataset") -> "np.ndarray | None":
    """The part of each sample by the published model's split, as `parts_of` gives it."""
    from kanji_tui.recognition.predictions import parts_of

    try:
        split = read_json(MODELS_DIR / MODEL_INFO)["split"]
    except (KanjiError, KeyError):
        return None
    return parts_of(data, split) if isinstance(split, dict) else None
