"""What a child computes of the sample under the cursor, and of the next ones at once."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

Found = TypeVar("Found")


class ComputedAhead(Generic[Found]):
    """Found by sample number, while `shown`. One child at a time: `start` begins it, `end` ends it."""

    def __init__(self, start: Callable[[tuple[int, ...]], None], end: Callable[[], None], kept: int) -> None:
        self._start, self._end, self._kept = start, end, kept
        self._found: OrderedDict[int, Found] = OrderedDict()
        self._computing = False
        self.shown = False

    def of(self, number: int) -> Found | None:
        """What is to be shown of a sample, as far as it is there."""
        return self._found.get(number) if self.shown else None

    def awaits(self, number: int) -> bool:
        """Whether the sample is to be shown and not there yet."""
        return self.shown and number not in self._found

    def want(self, numbers: Sequence[int]) -> None:
        """Start a child for those of these samples that are not there, if the first is not and none computes."""
        if numbers and self.awaits(numbers[0]) and not self._computing:
            self._computing = True
            self._start(tuple(number for number in dict.fromkeys(numbers) if number not in self._found))

    def add(self, found: Mapping[int, Found]) -> bool:
        """Take the child's answer, unless it was ended meanwhile; the oldest go. Returns whether it was taken."""
        if not self._computing:
            return False
        self._computing = False
        self._found.update(found)
        while len(self._found) > self._kept:
            self._found.popitem(last=False)
        return True

    def fail(self) -> None:
        """The child has failed: nothing is shown."""
        self.shown = self._computing = False

    def hide(self) -> None:
        """Show nothing, and end the child."""
        self.shown = False
        self._drop()

    def forget(self) -> None:
        """What was found is of another model: forget it, and end the child."""
        self._found.clear()
        self._drop()

    def _drop(self) -> None:
        if self._computing:
            self._computing = False
            self._end()
