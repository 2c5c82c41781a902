"""Results on stdout: as one JSON object, drawn by Rich, or as plain text for screen readers."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from kanji_tui.cli.output import put_json, stdout
from kanji_tui.presentation.document import (
    Block,
    Column,
    Document,
    KeyValues,
    Line,
    Row,
    Styled,
    Table,
    parts_of,
    text_of,
)
from kanji_tui.presentation.present import present
from kanji_tui.runs.process import as_json

PLAIN_WIDTH = 100
RICH_STYLES = {
    "quiet": "dim",
    "faint": "dim",
    "strong": "bold",
    "good": "green",
    "warning": "yellow",
    "bad": "red",
    "accent": "magenta",
    "primary": "cyan",
    "rule": "dim",
}


def show(result: Any, json: bool, document_of: Callable[[Any], Document] = present) -> None:
    """Print a command's result, with `json` as one JSON object, else as its document."""
    if json:
        put_json(as_json(result))
    else:
        print_document(document_of(result))


# For a terminal.


def print_document(document: Document) -> None:
    """Print all blocks, with a blank line before tables and before key-values with a title."""
    for number, block in enumerate(document):
        if number and (isinstance(block, Table) or (isinstance(block, KeyValues) and block.title)):
            stdout.print()
        stdout.print(rich_block(block))


def rich_block(block: Block) -> RenderableType:
    """A block for Rich."""
    if isinstance(block, Table):
        return _rich_table(block)
    if isinstance(block, KeyValues):
        return _rich_pairs(block)
    return rich_line(block)


def rich_line(line: Line) -> Text:
    """A line in Rich's styles."""
    text = Text()
    for part in parts_of(line):
        if isinstance(part, Styled):
            text.append(part.text, " ".join(RICH_STYLES[word] for word in part.style.split()))
        else:
            text.append(part)
    return text


def _rich_table(table: Table) -> RenderableType:
    """A table for each group of rows between two headings, all with the same column widths."""
    rows = list(table.rows)
    widths = _widths(table.columns, rows)
    parts: list[RenderableType] = [Text(text, "bold") for text in (table.title, table.about) if text]
    named = any(column.title for column in table.columns)
    starts = [number for number, row in enumerate(rows) if row.heading]
    for start, end in zip([0, *starts], [*starts, len(rows)], strict=True):
        section = rows[start:end]
        if section and section[0].heading:
            parts += [Text()] if parts else []
            parts.append(Text(text_of(section[0].cells[0]), "bold"))
            section = section[1:]
        if section or not starts:
            parts.append(_rich_section(table.columns, widths, section, named))
            named = False
    return Group(*parts)


def _rich_section(columns: Sequence[Column], widths: Sequence[int], rows: Sequence[Row], named: bool) -> RichTable:
    made = RichTable(box=None, pad_edge=False, show_header=named)
    for number, (column, width) in enumerate(zip(columns, widths, strict=True)):
        made.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            overflow="fold",
            min_width=None if number == len(columns) - 1 else width,
        )
    for row in rows:
        made.add_row(*map(rich_line, row.cells))
    return made


def _rich_pairs(key_values: KeyValues) -> RenderableType:
    made = RichTable(box=None, pad_edge=False, show_header=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in key_values.pairs:
        made.add_row(name, rich_line(value))
    return Group(Text(key_values.title, "bold"), made) if key_values.title else made


# For screen readers: no frames, colours or cursor movements.


def plain_lines(document: Iterable[Block]) -> Iterator[str]:
    """All blocks as plain lines: tables in columns two spaces apart, pairs as `name: value`, sentences folded.

    A line of several parts is not folded, since it may contain a command to copy.
    """
    for block in document:
        if isinstance(block, Table):
            yield from (fold(text) for text in (block.title, block.about) if text)
            yield from _plain_table(block.columns, list(block.rows))
        elif isinstance(block, KeyValues):
            if block.title:
                yield f"{block.title}:"
            for name, value in block.pairs:
                yield from fold_lines(f"{name}: {text_of(value)}", "  ")
        else:
            yield from (
                fold_lines(text_of(block)) if isinstance(block, str) and block else (text_of(block).rstrip(),)
            )


def fold(text: str) -> str:
    return "\n".join(fold_lines(text))


def fold_lines(text: str, indent: str = "") -> list[str]:
    """The text folded to lines, without cutting words."""
    return textwrap.wrap(
        text,
        PLAIN_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _widths(columns: Sequence[Column], rows: Sequence[Row]) -> list[int]:
    """The width that each column needs, in cells."""
    texts = [[text_of(cell) for cell in row.cells] for row in rows if not row.heading]
    return [
        max([cell_len(column.title), *(cell_len(cells[index]) for cells in texts)])
        for index, column in enumerate(columns)
    ]


def _plain_table(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[str]:
    widths = _widths(columns, rows)
    names = [column.title for column in columns]
    if any(names):
        yield _plain_row(columns, names, widths)
    for row in rows:
        if row.heading:
            yield f"{text_of(row.cells[0])}:"
        else:
            yield _plain_row(columns, [text_of(cell) for cell in row.cells], widths)


def _plain_row(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        gap = " " * (width - cell_len(cell))
        padded.append(gap + cell if column.right else cell + gap)
    return ("  " + "  ".join(padded)).rstrip()
