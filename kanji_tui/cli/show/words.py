"""What all results are shown with: the console, tables, sizes, shares."""

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from kanji_tui.cli.console import escape

PIPE_WIDTH = 160  # nobody folds a pipe
stdout = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PIPE_WIDTH)
Result = dict[str, Any]


def table(*columns: str, title: str | None = None) -> Table:
    """An unboxed table; a column whose name starts with '>' is right-aligned."""
    made = Table(box=None, pad_edge=False, title=title, title_justify="left", title_style="bold")
    for column in columns:
        made.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left", overflow="fold")
    return made


def size(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def percent(fraction: float | None) -> str:
    """A fraction in percent, or a dash where there is none."""
    return "-" if fraction is None else f"{fraction:.2%}"


def fields(value: Result) -> None:
    """The plain values of a result, one a line."""
    for name, item in value.items():
        if not isinstance(item, dict | list):
            stdout.print(f"{name.replace('_', ' '):>20}  {escape(str(item))}")
