"""Plain sentences and tables, without frames, colours or cursor movements: what a screen reader reads well."""

import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from kanji_tui.cli.show.words import size

WIDTH = 100

Lines = Iterable[str]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Lines:
    """ListTable under their column names, two spaces apart; a name that starts with '>' is right-aligned."""
    names = [name.lstrip(">") for name in columns]
    widths = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    for row in (names, *rows):
        cells = []
        for name, width, cell in zip(columns, widths, row, strict=True):
            gap = " " * (width - cell_len(cell))
            cells.append(gap + cell if name.startswith(">") else cell + gap)
        yield "  " + "  ".join(cells).rstrip()


def sentence(text: str, indent: str = "") -> Lines:
    """Words folded to lines; nothing in them is cut."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def bytes_or_dash(count: int | None) -> str:
    """Bytes as a person reads them; `-` for None."""
    return "-" if count is None else size(count)
