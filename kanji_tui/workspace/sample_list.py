"""Which samples are listed; a line is read when it is asked for, so 607,200 cost no more than those shown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

from kanji_tui.characters.jis import character_of, jis_to_character

if TYPE_CHECKING:
    import numpy as np

    from kanji_tui.data.dataset import Dataset
    from kanji_tui.recognition.predictions import Predictions

PARTS = ("", "train", "val", "test")
ORDERS = ("file", "confidence")


@dataclass(frozen=True)
class Query:
    """Which samples to list. `jis` None: of all classes; `predicted`: only those predicted as this code.

    `suspects`: only suspected label errors, the most suspect first. `order`: that of the files, or the lowest
    confidence first.
    """

    jis: int | None = None
    predicted: int | None = None
    errors: bool = False
    suspects: bool = False
    part: str = ""
    order: str = "file"

    def turned(self, **changes: Any) -> "Query":
        return replace(self, **changes)

    @property
    def title(self) -> str:
        """What the list holds, in words."""
        if self.suspects:
            words = ["suspected label errors"]
        else:
            words = [character_of(self.jis) if self.jis is not None else "all"]
        if self.predicted is not None:
            words.append(f"predicted as {jis_to_character(self.predicted) or '?'}")
        if self.errors:
            words.append("errors")
        if self.part:
            words.append(self.part)
        if self.order == "confidence" and not self.suspects:
            words.append("by confidence")
        return " ".join(words)


@dataclass(frozen=True, eq=False)
class PredictionIndex:
    """A model's predictions; `place` (N,) int64 is a sample's row among them, -1 for one without."""

    predictions: "Predictions"
    place: "np.ndarray"


@dataclass(frozen=True)
class SampleLine:
    """One sample of a list. `predicted` is empty and `confidence` None where there is no prediction."""

    number: int
    character: str
    predicted: str
    correct: bool
    confidence: float | None
    part: str
    file: str
    record: int
    set: int


class SampleList(Sequence[SampleLine]):
    """The samples `order` that a query found."""

    def __init__(
        self,
        query: Query,
        order: "np.ndarray",
        dataset: "Dataset",
        index: PredictionIndex | None,
        part: "np.ndarray | None",
    ) -> None:
        self.query = query
        self._order, self._dataset, self._index, self._part = order, dataset, index, part

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, place: int) -> SampleLine: ...

    @overload
    def __getitem__(self, place: slice) -> list[SampleLine]: ...

    def __getitem__(self, place: int | slice) -> SampleLine | list[SampleLine]:
        if isinstance(place, slice):
            return [self._line(int(number)) for number in self._order[place]]
        return self._line(int(self._order[place]))

    def numbers(self, start: int, count: int) -> tuple[int, ...]:
        """The sample numbers of `count` lines from `start` on."""
        return tuple(int(number) for number in self._order[start : start + count])

    def _line(self, number: int) -> SampleLine:
        data, index = self._dataset, self._index
        label = int(data.jis[number])
        predicted, correct, confidence = "", False, None
        if index is not None and index.place[number] >= 0:
            place = index.place[number]
            first = int(index.predictions.jis[place, 0])
            predicted, correct = character_of(first), first == label
            confidence = float(index.predictions.probability[place, 0])
        return SampleLine(
            number=number,
            character=character_of(label),
            predicted=predicted,
            correct=correct,
            confidence=confidence,
            part=PARTS[int(self._part[number]) + 1] if self._part is not None else "",
            file=data.files[int(data.file[number])],
            record=int(data.record[number]),
            set=int(data.set[number]),
        )
