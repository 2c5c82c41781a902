"""Rows made when they are drawn: thousands cost no more than the few that are seen."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, overload

from kanji_tui.tui.widgets.list_table import Row

Item = TypeVar("Item")


class LazyRows(Sequence[Row], Generic[Item]):
    """A row for each of `items`, as `row` makes it."""

    def __init__(self, items: Sequence[Item], row: Callable[[Item], Row]) -> None:
        self._items, self._row = items, row

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self._row(item) for item in self._items[place]]
        return self._row(self._items[place])
