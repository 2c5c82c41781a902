"""Plain sentences and tables, without frames, colours or cursor movements: what a screen reader reads well."""

import textwrap
from collections.abc import Iterable, Sequence

from rich.cells import cell_len

from kanji_tui.cli.show.words import percent, size
from kanji_tui.events import Gpu
from kanji_tui.system.check import Check

WIDTH = 100

Lines = Iterable[str]


def check_lines(checks: Sequence[Check]) -> Lines:
    """How many there are of each verdict, then each check in a sentence with what to do."""
    verdicts = ("ok", "warning", "failed", "not applicable")
    counts = {verdict: sum(check.verdict == verdict for check in checks) for verdict in verdicts}
    yield f"{len(checks)} checks: " + ", ".join(f"{count} {name}" for name, count in counts.items() if count) + "."
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            yield f"{group}:"
        yield from sentence(f"{check.verdict}, {check.name}: {check.found}", "  ")
        if check.remedy and check.verdict != "ok":
            yield f"    To do: {check.remedy}"


def gpu_lines(gpus: Sequence[Gpu]) -> Lines:
    """Each GPU in a sentence."""
    if not gpus:
        yield "This machine has no NVIDIA GPU that can be read."
    for gpu in gpus:
        busy = "its load is not known" if gpu.utilisation is None else f"{percent(gpu.utilisation)} busy"
        power = "" if gpu.power is None else f", {gpu.power:.0f} W"
        warmth = "" if gpu.temperature is None else f", {gpu.temperature:.0f} C"
        yield from sentence(
            f"GPU {gpu.index}, {gpu.name}: {busy}, {bytes_or_dash(gpu.memory_used)} used{power}{warmth}."
        )


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


def count_or_dash(count: int | None) -> str:
    """`12,300`; `-` for None."""
    return "-" if count is None else f"{count:,}"
