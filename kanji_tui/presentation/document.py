"""Documents as data: lines, key-value lists and tables, which are drawn by Rich, by Textual or as plain text."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

from kanji_tui.system.visible import visible

Item = TypeVar("Item")


@dataclass(frozen=True)
class Styled:
    """Text with styles out of quiet, faint, strong, good, warning, bad, accent, primary; separated by spaces."""

    text: str
    style: str


Part = str | Styled
Line = Part | tuple[Part, ...]  # parts side by side


@dataclass(frozen=True)
class Column:
    """`right` aligns to the right, for numbers. In the workbench `width` is in cells (0: the remaining width), and
    `tail` keeps the end of a long text instead of its beginning.
    """

    title: str
    width: int = 0
    right: bool = False
    tail: bool = False


@dataclass(frozen=True)
class Row:
    """`key` identifies the row when the table is shown again; a `heading` cannot be selected.

    `details`: everything about the row, since cells are short.
    """

    key: str
    cells: tuple[Line, ...]
    heading: bool = False
    details: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Table:
    """`about` is shown between the title and the rows."""

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
    """A row for each of `items`, made on demand: thousands cost no more than the visible ones."""

    def __init__(self, items: Sequence[Item], row: Callable[[Item], Row]) -> None:
        self._items, self._row = items, row

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self._row(item) for item in self._items[index]]
        return self._row(self._items[index])


def parts_of(line: Line) -> tuple[Part, ...]:
    """The parts of a line, with nothing hidden in their texts; only a part that is a line feed begins a line."""
    return tuple(map(_visible_part, line if isinstance(line, tuple) else (line,)))


def _visible_part(part: Part) -> Part:
    if isinstance(part, Styled):
        return part if part.text.isprintable() else Styled(visible(part.text), part.style)
    return part if part == "\n" else visible(part)


def text_of(line: Line) -> str:
    """The line without its styles."""
    return "".join(part.text if isinstance(part, Styled) else part for part in parts_of(line))


def cells_of(text: str) -> int:
    """The terminal cells of a text: two for a character of Japanese."""
    return sum(1 + (unicodedata.east_asian_width(each) in "WF") for each in text)


def quiet(text: str) -> Styled:
    """Text in the quiet style."""
    return Styled(text, "quiet")


def join(separator: str, lines: Sequence[Line]) -> Line:
    """The lines as one, with the separator between them."""
    joined: list[Part] = []
    for line in lines:
        if joined:
            joined.append(separator)
        joined.extend(parts_of(line))
    return tuple(joined)


def stack(tables: Sequence[Table], title: str = "", about: str = "") -> Table:
    """Tables with the same columns as one table, each title a heading above its rows."""
    rows = [row for table in tables for row in (Row(table.title, (table.title,), heading=True), *table.rows)]
    return Table(tables[0].columns, rows, title, about)
