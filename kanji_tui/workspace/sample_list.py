"""Lists of samples; a line is read when it is shown, so a list of 607,200 costs no more than its visible lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from kanji_tui.characters.jis import jis_to_character

if TYPE_CHECKING:
    import numpy as np

    from kanji_tui.data.dataset import Dataset
    from kanji_tui.recognition.predictions import Predictions

SPLITS = ("", "train", "val", "test")
ORDERS = ("file", "confidence")


@dataclass(frozen=True)
class Query:
    """Which samples to list. `jis` None: those of all classes; `predicted`: only those predicted as this code.

    `suspects`: only suspected label errors, the most suspect first. `order`: by file, or by confidence, the lowest
    first.
    """

    jis: int | None = None
    predicted: int | None = None
    errors: bool = False
    suspects: bool = False
    split: str = ""
    order: str = "file"

    @property
    def title(self) -> str:
        """The heading of the list: `田 predicted as 由 val by confidence`."""
        if self.suspects:
            words = ["suspected label errors"]
        else:
            words = [jis_to_character(self.jis) or "?" if self.jis is not None else "all"]
        if self.predicted is not None:
            words.append(f"predicted as {jis_to_character(self.predicted) or '?'}")
        if self.errors:
            words.append("errors")
        if self.split:
            words.append(self.split)
        if self.order == "confidence" and not self.suspects:
            words.append("by confidence")
        return " ".join(words)


@dataclass(frozen=True, eq=False)
class PredictionIndex:
    """A model's predictions; `row` (N,) int64 is the row of each sample in them, -1 for one without."""

    predictions: "Predictions"
    row: "np.ndarray"


@dataclass(frozen=True)
class SampleLine:
    """One sample of a list. Without a prediction `predicted` is empty and `confidence` None."""

    number: int
    character: str
    predicted: str
    correct: bool
    confidence: float | None
    split: str
    file: str
    record: int
    set: int


class SampleList(Sequence[SampleLine]):
    """The samples that a query found; `order` holds their numbers."""

    def __init__(
        self,
        query: Query,
        order: "np.ndarray",
        dataset: "Dataset",
        index: PredictionIndex | None,
        split: "np.ndarray | None",
    ) -> None:
        self.query = query
        self._order, self._dataset, self._index, self._split = order, dataset, index, split

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> SampleLine: ...

    @overload
    def __getitem__(self, index: slice) -> list[SampleLine]: ...

    def __getitem__(self, index: int | slice) -> SampleLine | list[SampleLine]:
        if isinstance(index, slice):
            return [self._line(int(number)) for number in self._order[index]]
        return self._line(int(self._order[index]))

    def numbers(self, start: int, count: int) -> tuple[int, ...]:
        """The sample numbers of `count` lines from `start` on."""
        return tuple(int(number) for number in self._order[start : start + count])

    def _line(self, number: int) -> SampleLine:
        data, index = self._dataset, self._index
        label = int(data.jis[number])
        predicted, correct, confidence = "", False, None
        if index is not None and index.row[number] >= 0:
            row = index.row[number]
            first = int(index.predictions.jis[row, 0])
            predicted, correct = jis_to_character(first) or "?", first == label
            confidence = float(index.predictions.probability[row, 0])
        return SampleLine(
            number=number,
            character=jis_to_character(label) or "?",
            predicted=predicted,
            correct=correct,
            confidence=confidence,
            split=SPLITS[int(self._split[number]) + 1] if self._split is not None else "",
            file=data.files[int(data.file[number])],
            record=int(data.record[number]),
            set=int(data.set[number]),
        )
