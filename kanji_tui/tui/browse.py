"""What the browser shows, read from the dataset, the published model's papers and kept predictions.

Only the worker thread asks a library; what it returns is frozen, and lists make their rows when they are drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

from kanji_tui.characters.classes import strokes
from kanji_tui.characters.jis import jis_to_character, kind, name_jis
from kanji_tui.errors import KanjiError
from kanji_tui.jobs.publish import INFO, RECORD
from kanji_tui.system.files import read_json
from kanji_tui.tui.place import MODELS_DIR
from kanji_tui.tui.runs import RunView
from kanji_tui.tui.shelf import Shelf
from kanji_tui.tui.widgets.bars import Candidate
from kanji_tui.tui.widgets.rows import Row

if TYPE_CHECKING:
    import numpy as np

    from kanji_tui.data.dataset import Dataset

PREDICTIONS = "predictions.npz"
PARTS = ("", "train", "val", "test")
ORDERS = ("file", "unsure")
CONFUSIONS = 200


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
    """All classes. `confusions` are (class, character read, its code, times), most frequent first."""

    classes: tuple[ClassLine, ...]
    confusions: tuple[tuple[ClassLine, str, int, int], ...]
    accuracy: float | None
    predicted: bool
    model_changed: bool
    parts_known: bool


@dataclass(frozen=True)
class Query:
    """Which samples to list. `jis` None: of all classes; `predicted`: only those read as this code."""

    jis: int | None = None
    predicted: int | None = None
    errors: bool = False
    part: str = ""
    order: str = "file"

    def turned(self, **changes: Any) -> "Query":
        return replace(self, **changes)

    @property
    def title(self) -> str:
        """What the list holds, in words."""
        words = [jis_to_character(self.jis) or "?" if self.jis is not None else "all classes"]
        if self.predicted is not None:
            words.append(f"read as {jis_to_character(self.predicted)}")
        if self.errors:
            words.append("errors")
        if self.part:
            words.append(self.part)
        if self.order == "unsure":
            words.append("unsure first")
        return " ".join(words)


@dataclass(frozen=True)
class Sample:
    """One sample: its picture as `size` x `size` bytes, where it comes from, what the model says of it."""

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


@dataclass(frozen=True)
class Judged:
    """The predictions of a whole dataset: `place` (N,) int64 is a sample's row in the others, -1 for none."""

    run: str
    place: "np.ndarray"
    jis: "np.ndarray"
    probability: "np.ndarray"


class SampleList(Sequence[Row]):
    """The samples that a query found, as rows made when they are drawn."""

    def __init__(
        self,
        query: Query,
        order: "np.ndarray",
        dataset: "Dataset",
        judged: Judged | None,
        part: "np.ndarray | None",
    ) -> None:
        self.query = query
        self._order, self._dataset, self._judged, self._part = order, dataset, judged, part

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self._row(int(number)) for number in self._order[place]]
        return self._row(int(self._order[place]))

    def _row(self, number: int) -> Row:
        data, judged = self._dataset, self._judged
        read, sure = "", ""
        if judged is not None and judged.place[number] >= 0:
            first = int(judged.jis[judged.place[number], 0])
            read = jis_to_character(first) or "?"
            sure = f"{100 * float(judged.probability[judged.place[number], 0]):.1f}"
            sure = sure if first == int(data.jis[number]) else f"! {sure}"
        part = PARTS[int(self._part[number]) + 1] if self._part is not None and self._part[number] >= 0 else ""
        file = data.files[int(data.file[number])]
        return Row(str(number), (file, str(int(data.record[number])), str(int(data.set[number])), part, read, sure))


class Library:
    """The dataset of a shelf with the newest predictions that fit it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._judged: Judged | None = None
        self._part: np.ndarray | None = None
        self._part_key: object = None
        self._readings: dict[int, str] = {}

    def catalogue(self, runs: list[RunView]) -> Catalogue:
        """All classes; `runs` are the finished evaluations, newest first."""
        import numpy as np

        data = self._shelf.dataset()
        run = next((view for view in runs if _fits(view, data.digest)), None)
        self._judged = None if run is None else _read_predictions(run, len(data))
        self._part = self._split(data)
        self._readings = data.readings()
        counts = np.bincount(data.labels, minlength=len(data.classes))
        right, seen = self._tally(data)
        classes = tuple(
            ClassLine(
                jis,
                jis_to_character(jis) or "?",
                self._readings.get(jis, ""),
                strokes(jis),
                int(counts[label]),
                float(right[label] / seen[label]) if seen is not None and seen[label] else None,
            )
            for label, jis in enumerate(data.classes)
        )
        total = int(seen.sum()) if seen is not None else 0
        return Catalogue(
            classes=classes,
            confusions=self._confusions(data, classes),
            accuracy=float(right.sum() / total) if total else None,
            predicted=self._judged is not None,
            model_changed=run is not None and (run.result or {}).get("model_digest") != _published_digest(),
            parts_known=self._part is not None,
        )

    def samples(self, query: Query) -> SampleList:
        """The samples that fit `query`, in its order."""
        import numpy as np

        data, judged = self._shelf.dataset(), self._judged
        fits = np.ones(len(data), bool) if query.jis is None else data.jis == query.jis
        if query.part and self._part is not None:
            fits &= self._part == PARTS.index(query.part) - 1
        if judged is not None and (query.errors or query.predicted is not None):
            first = np.where(judged.place >= 0, judged.jis[judged.place, 0], data.jis)
            fits &= first != data.jis if query.predicted is None else first == query.predicted
        order = np.flatnonzero(fits)
        if query.order == "unsure" and judged is not None:
            sure = np.where(judged.place[order] >= 0, judged.probability[judged.place[order], 0], 2.0)
            order = order[np.argsort(sure, kind="stable")]
        return SampleList(query, order, data, judged, self._part)

    def sample(self, number: int) -> Sample:
        """Everything about one sample."""
        data, judged = self._shelf.dataset(), self._judged
        jis = int(data.jis[number])
        candidates: tuple[Candidate, ...] = ()
        if judged is not None and judged.place[number] >= 0:
            row = judged.place[number]
            candidates = tuple(
                Candidate(jis_to_character(int(code)) or "?", int(code), float(share), int(code) == jis)
                for code, share in zip(judged.jis[row], judged.probability[row], strict=True)
            )
        return Sample(
            number=number,
            jis=jis,
            character=jis_to_character(jis) or "?",
            reading=self._readings.get(jis, ""),
            strokes=strokes(jis),
            pixels=data.images([number])[0].tobytes(),
            size=data.size,
            file=data.files[int(data.file[number])],
            record=int(data.record[number]),
            set=int(data.set[number]),
            part=PARTS[int(self._part[number]) + 1] if self._part is not None else "",
            candidates=candidates,
        )

    def _tally(self, data: "Dataset") -> tuple[Any, Any]:
        """Samples read right, and samples read at all, by class index."""
        import numpy as np

        judged = self._judged
        if judged is None:
            return np.zeros(len(data.classes)), None
        read = np.flatnonzero(judged.place >= 0)
        right = judged.jis[judged.place[read], 0] == data.jis[read]
        size = len(data.classes)
        return np.bincount(data.labels[read][right], minlength=size), np.bincount(data.labels[read], minlength=size)

    def _confusions(
        self, data: "Dataset", classes: tuple[ClassLine, ...]
    ) -> tuple[tuple[ClassLine, str, int, int], ...]:
        import numpy as np

        judged = self._judged
        if judged is None:
            return ()
        read = np.flatnonzero(judged.place >= 0)
        first = judged.jis[judged.place[read], 0].astype(np.int64)
        wrong = first != data.jis[read]
        pairs, times = np.unique(
            data.labels[read][wrong].astype(np.int64) * 65536 + first[wrong], return_counts=True
        )
        order = np.argsort(-times, kind="stable")[:CONFUSIONS]
        found = [(*divmod(int(pairs[place]), 65536), int(times[place])) for place in order]
        return tuple((classes[label], jis_to_character(jis) or "?", jis, count) for label, jis, count in found)

    def _split(self, data: "Dataset") -> "np.ndarray | None":
        """The part (0 train, 1 validation, 2 test) of each sample by the published model's split; -1 for none."""
        import numpy as np

        from kanji_tui.data.splits import split_as_stored

        try:
            stored = read_json(MODELS_DIR / INFO)["split"]
            if stored["dataset_digest"] != data.digest:
                return None
            if stored != self._part_key:
                found = split_as_stored(data, stored)
        except (KanjiError, KeyError, TypeError, ValueError):
            return None
        if stored != self._part_key:
            part = np.full(len(data), -1, np.int8)
            for number, members in enumerate((found.train, found.validation, found.test)):
                part[members] = number
            self._part, self._part_key = part, stored
        return self._part


def matches(known: ClassLine, text: str) -> bool:
    """Whether a class is meant by what was typed: character, JIS code, code point, reading or stroke count."""
    wanted = text.upper()
    if not wanted:
        return True
    if known.character in text:
        return True
    if wanted.startswith("U+"):
        return f"U+{ord(known.character):04X}".startswith(wanted)
    if wanted.isdigit() and len(wanted) <= 2:
        return known.strokes == int(wanted)
    if name_jis(known.jis).startswith(wanted) and len(wanted) >= 3:
        return True
    return wanted in (kind(known.jis).upper(),) or known.reading.upper().replace(".", "").startswith(
        wanted.replace(".", "")
    )


def _fits(view: RunView, digest: str) -> bool:
    result = view.result or {}
    return result.get("dataset_digest") == digest and (view.path / PREDICTIONS).is_file()


def _read_predictions(run: RunView, samples: int) -> Judged:
    import numpy as np

    try:
        with np.load(run.path / PREDICTIONS) as kept:
            place = np.full(samples, -1, np.int64)
            place[kept["index"]] = np.arange(len(kept["index"]))
            return Judged(run.name, place, kept["jis"], kept["probability"])
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise KanjiError(f"{run.path / PREDICTIONS} cannot be read: {error}", "p reads all samples again") from None


def _published_digest() -> str:
    try:
        return str(read_json(MODELS_DIR / RECORD)["weights_sha256"])
    except (KanjiError, KeyError):
        return ""
