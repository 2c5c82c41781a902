"""What a result looks like, as data: lines, key-value lists, tables; Rich, Textual and plain text draw it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

Item = TypeVar("Item")


@dataclass(frozen=True)
class Styled:
    """Text in a style: words of quiet, faint, strong, good, warning, bad, accent, primary; apart by spaces."""

    text: str
    style: str


Part = str | Styled
Line = Part | tuple[Part, ...]  # pieces side by side


@dataclass(frozen=True)
class Column:
    """`right` aligns numbers. Of a list in the workbench: `width` in cells (0: what the others leave), and `tail`
    keeps the end of a long text.
    """

    title: str
    width: int = 0
    right: bool = False
    tail: bool = False


@dataclass(frozen=True)
class Row:
    """`key` names the row from one table to the next; a `heading` cannot be chosen.

    `details`: everything about the row, where the cells had to be short.
    """

    key: str
    cells: tuple[Line, ...]
    heading: bool = False
    details: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Table:
    """`about` stands above the rows."""

    columns: tuple[Column, ...]
    rows: Sequence[Row]
    title: str = ""
    about: str = ""


@dataclass(frozen=True)
class KeyValues:
    """Names and their values, one pair a line; `title` may be empty."""

    pairs: tuple[tuple[str, Line], ...]
    title: str = ""


Block = Line | KeyValues | Table
Document = tuple[Block, ...]


class LazyRows(Sequence[Row], Generic[Item]):
    """A row for each of `items`, made when it is asked for: thousands cost no more than the few that are shown."""

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


def parts_of(line: Line) -> tuple[Part, ...]:
    """The pieces of a line."""
    return line if isinstance(line, tuple) else (line,)


def text_of(line: Line) -> str:
    """The line without its styles."""
    return "".join(part.text if isinstance(part, Styled) else part for part in parts_of(line))


def quiet(text: str) -> Styled:
    """Text that may be overlooked."""
    return Styled(text, "quiet")


def join(separator: str, lines: Sequence[Line]) -> Line:
    """The lines one after the other with the separator between them."""
    joined: list[Part] = []
    for line in lines:
        if joined:
            joined.append(separator)
        joined.extend(parts_of(line))
    return tuple(joined)


def stack(tables: Sequence[Table], title: str = "", about: str = "") -> Table:
    """Tables of the same columns as one: each one's title is a heading above its rows."""
    rows = [row for table in tables for row in (Row(table.title, (table.title,), heading=True), *table.rows)]
    return Table(tables[0].columns, rows, title, about)
