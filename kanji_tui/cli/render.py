"""Documents on stdout: drawn by Rich for a person's terminal, or as plain text for a screen reader."""

import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

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

PIPE_WIDTH = 160  # a pipe has no width, so nothing is folded to one
PLAIN_WIDTH = 100
stdout = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)
RICH_STYLES = {
    "quiet": "dim",
    "faint": "dim",
    "strong": "bold",
    "good": "green",
    "warning": "yellow",
    "bad": "red",
    "accent": "magenta",
    "primary": "cyan",
}


def print_document(document: Document) -> None:
    """Print every block, a blank line before each table and before facts with a title."""
    for number, block in enumerate(document):
        if number and isinstance(block, Table | KeyValues):
            stdout.print()
        stdout.print(rich_block(block))


def rich_block(block: Block) -> Text | RichTable:
    """A block as Rich draws it."""
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
            text.append(part.text, " ".join(RICH_STYLES.get(word, "") for word in part.style.split()).strip())
        else:
            text.append(part)
    return text


def _rich_table(table: Table) -> RichTable:
    title = "\n".join(text for text in (table.title, table.about) if text)
    made = RichTable(box=None, pad_edge=False, title=title or None, title_justify="left", title_style="bold")
    for column in table.columns:
        made.add_column(column.title, justify="right" if column.right else "left", overflow="fold")
    for row in table.rows:
        made.add_row(*(rich_line(cell) for cell in row.cells), style="bold" if row.heading else None)
    return made


def _rich_pairs(facts: KeyValues) -> RichTable:
    made = RichTable(
        box=None,
        pad_edge=False,
        show_header=False,
        title=facts.title or None,
        title_justify="left",
        title_style="bold",
    )
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in facts.pairs:
        made.add_row(name, rich_line(value))
    return made


# Plain text, without frames, colours or cursor movements: what a screen reader reads well.


def plain_lines(document: Iterable[Block]) -> Iterator[str]:
    """Every block as plain lines: sentences folded, tables in columns two spaces apart, facts as `name: value`."""
    for block in document:
        if isinstance(block, Table):
            yield from (fold(text) for text in (block.title, block.about) if text)
            yield from _plain_table(block.columns, block.rows)
        elif isinstance(block, KeyValues):
            if block.title:
                yield f"{block.title}:"
            for name, value in block.pairs:
                yield from fold_lines(f"{name}: {text_of(value)}", "  ")
        else:
            text = text_of(block)
            yield from fold_lines(text) if text else ("",)


def fold(text: str) -> str:
    return "\n".join(fold_lines(text))


def fold_lines(text: str, indent: str = "") -> list[str]:
    """Text folded to lines; no word is cut."""
    return textwrap.wrap(
        text,
        PLAIN_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plain_table(columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[str]:
    texts = [[text_of(cell) for cell in row.cells] for row in rows if not row.heading]
    names = [column.title for column in columns]
    widths = [
        max([cell_len(name), *(cell_len(cells[place]) for cells in texts)]) for place, name in enumerate(names)
    ]
    shown = iter(texts)
    if any(names):
        yield _plain_row(columns, names, widths)
    for row in rows:
        if row.heading:
            yield f"{text_of(row.cells[0])}:"
        else:
            yield _plain_row(columns, next(shown), widths)


def _plain_row(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        gap = " " * (width - cell_len(cell))
        padded.append(gap + cell if column.right else cell + gap)
    return ("  " + "  ".join(padded)).rstrip()
