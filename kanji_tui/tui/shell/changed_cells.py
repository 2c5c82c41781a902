"""What the terminal is sent: the cells that change, and what their styles have that those before had not.

Textual paints each widget whole, every word in a full style: a first look at the Browser took 75 kB, and a screen
that was only a little different came again in full. Over a slow line that is what one waits for.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from rich.cells import cell_len, get_character_cell_size
from textual.driver import Driver

SEQUENCES = re.compile(
    r"\x1b\[(?P<style>[\d;]*)m"
    r"|\x1b\[(?P<row>\d+);(?P<column>\d+)H"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<line>\n)"
    r"|(?P<harmless>\x1b\[\?2026[hl]|\x1b\](?:22|52);[^\x07\x1b]*(?:\x07|\x1b\\))"
    r"|(?P<other>\x1b\[[?>=<]?[\d;:]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x1f\x7f-\x9f])",
    re.DOTALL,
)
ATTRIBUTES = frozenset(("1", "2", "3", "4", "5", "6", "7", "8", "9", "21", "53"))
ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))  # attributes that one sees on a blank
BEGUN = re.compile(r"\x1b(?:\[[\d;?]*)?\Z")  # a sequence whose end comes with the next output
NEAR = 6  # equal cells between two that change are sent again: moving the cursor over them takes as many bytes


class CellStyle(NamedTuple):
    """Attributes, foreground and background as numbers of an escape sequence; "" is the terminal's own colour."""

    attributes: frozenset[str] = frozenset()
    foreground: str = ""
    background: str = ""

    @property
    def shows_on_blanks(self) -> bool:
        return not self.attributes.isdisjoint(ON_BLANKS)


PLAIN = CellStyle()


class ChangedCells:
    """Knows what the terminal shows, as far as it came through `shortened`."""

    def __init__(self) -> None:
        self._letters: dict[int, list[str | None]] = {}  # by row; None: not known, "": right half of a wide one
        self._styles: dict[int, list[CellStyle]] = {}
        self._style: CellStyle | None = None  # that the terminal writes in
        self._at: tuple[int, int] | None = None  # the terminal's cursor: row and column from 1
        self._wanted_style = PLAIN
        self._wanted_at: tuple[int, int] | None = None
        self._begun = ""
        self._out: list[str] = []

    def forget(self) -> None:
        """From now on nothing is known of what the terminal shows."""
        self._letters, self._styles = {}, {}
        self._style = self._at = None

    def shortened(self, painted: str) -> str:
        """Output with the same effect as `painted` on the terminal as it is."""
        painted = self._begun + painted
        begun = BEGUN.search(painted)
        self._begun = begun[0] if begun else ""
        for found in SEQUENCES.finditer(painted.removesuffix(self._begun)):
            match found.lastgroup:
                case "text":
                    self._write(found[0])
                case "style":
                    self._set_style(found["style"])
                case "column":
                    self._wanted_at = int(found["row"]), int(found["column"])
                case "line":
                    self._wanted_at = (self._wanted_at[0] + 1, 1) if self._wanted_at else None
                case "harmless":
                    self._out.append(found[0])
                case _:
                    self._pass_on(found[0])
        self._move()
        if self._wanted_style == PLAIN and self._style is not None:
            self._change_style(PLAIN)
        out, self._out = self._out, []
        return "".join(out)

    def _set_style(self, numbers: str) -> None:
        wanted = parsed(numbers, self._wanted_style)
        if wanted is None:
            self._pass_on(f"\x1b[{numbers}m")
        else:
            self._wanted_style = wanted

    def _pass_on(self, sequence: str) -> None:
        """Send what may change anything, after what was held back."""
        self._move()
        if self._style is not None or self._wanted_style != PLAIN:
            self._change_style(self._wanted_style)
        self._out.append(sequence)
        self.forget()

    def _move(self) -> None:
        """Send the cursor where it is wanted."""
        if self._wanted_at is None or self._wanted_at == self._at:
            return
        row, column = self._wanted_at
        if self._at is not None and row == self._at[0] and 0 < (step := column - self._at[1]) < 100:
            self._out.append(f"\x1b[{step}C" if step > 1 else "\x1b[C")
        else:
            self._out.append(f"\x1b[{row};{column}H")
        self._at = self._wanted_at

    def _change_style(self, style: CellStyle) -> None:
        if style != self._style:
            self._out.append(difference(self._style, style))
            self._style = style

    def _write(self, text: str) -> None:
        """Write text at the wanted place in the wanted style, as far as it changes what is there."""
        cells = cells_of(text)
        if cells is None or self._wanted_at is None:
            self._write_unknown(text)
            return
        row, column = self._wanted_at
        style, count = self._wanted_style, len(cells)
        styles = [style] * count
        if " " in text and not style.shows_on_blanks:
            blank = blank_of(style.background)
            styles = [blank if letter == " " else style for letter in cells]
        letters, own = self._row(row, column - 1 + count)
        start = column - 1
        if letters[start : start + count] != cells or own[start : start + count] != styles:
            for first, last in _changed(letters, own, cells, styles, start):
                self._wanted_at = row, column + first
                self._send(cells[first:last], styles[first:last])
                _put(letters, own, start + first, cells[first:last], styles[first:last])
        self._wanted_at = row, column + count

    def _row(self, row: int, length: int) -> tuple[list[str | None], list[CellStyle]]:
        """What is known of a row, at least `length` cells of it."""
        letters, styles = self._letters.setdefault(row, []), self._styles.setdefault(row, [])
        missing = length - len(letters)
        if missing > 0:
            letters.extend([None] * missing)
            styles.extend([PLAIN] * missing)
        return letters, styles

    def _send(self, letters: list[str], styles: list[CellStyle]) -> None:
        self._move()
        seen = next((style for letter, style in zip(letters, styles, strict=True) if letter != " "), None)
        wanted, now = seen or styles[0], self._style
        plain = now is not None and not (now.shows_on_blanks or wanted.shows_on_blanks)
        if seen or not plain or now is None or now.background != wanted.background:
            self._change_style(wanted)
        self._out.append("".join(letters))
        if self._at is not None:
            self._at = self._at[0], self._at[1] + len(letters)

    def _write_unknown(self, text: str) -> None:
        """Write text that not every terminal gives the same width, or at a place that is not known."""
        self._move()
        self._change_style(self._wanted_style)
        self._out.append(text)
        if self._wanted_at is not None:
            row, column = self._wanted_at
            self._letters.pop(row, None)
            self._styles.pop(row, None)
            self._wanted_at = row, column + cell_len(text)
        self._at = None


def _changed(
    letters: list[str | None], own: list[CellStyle], cells: list[str], styles: list[CellStyle], start: int
) -> list[tuple[int, int]]:
    """The ranges of `cells` that differ from the row's from `start` on; both halves of a wide letter are in one."""
    ranges: list[tuple[int, int]] = []
    for index, letter in enumerate(cells):
        if letters[start + index] == letter and own[start + index] == styles[index]:
            continue
        first, last = index, index + 1
        while first > 0 and cells[first] == "":
            first -= 1
        while last < len(cells) and cells[last] == "":
            last += 1
        if ranges and first - ranges[-1][1] <= NEAR:
            ranges[-1] = ranges[-1][0], last
        else:
            ranges.append((first, last))
    return ranges


def _put(
    letters: list[str | None], own: list[CellStyle], start: int, cells: list[str], styles: list[CellStyle]
) -> None:
    """Note what was written; the other half of a wide letter that was overwritten is not known."""
    end = start + len(cells)
    if start > 0 and letters[start] == "":
        letters[start - 1] = None
    if end < len(letters) and letters[end] == "":
        letters[end] = None
    letters[start:end], own[start:end] = cells, styles


@lru_cache(256)
def blank_of(background: str) -> CellStyle:
    """The style of a blank; its foreground and what is bold are not seen."""
    return CellStyle(background=background)


@lru_cache(2048)
def _cells(text: str) -> tuple[str, ...] | None:
    if text.isascii():
        return tuple(text)
    cells: list[str] = []
    for letter in text:
        width = get_character_cell_size(letter)
        if not width:
            return None
        cells.append(letter)
        if width > 1:
            cells.append("")
    return tuple(cells) if len(cells) == cell_len(text) else None


def cells_of(text: str) -> list[str] | None:
    """The letter in each cell of a text, "" behind a wide one; None where letters are drawn over each other."""
    found = _cells(text)
    return None if found is None else list(found)


@lru_cache(4096)
def parsed(numbers: str, before: CellStyle) -> CellStyle | None:
    """The style after an escape sequence with these numbers; None if one of them is not known."""
    attributes, foreground, background = before.attributes, before.foreground, before.background
    parts = iter(numbers.split(";"))
    for part in parts:
        number = int(part or 0)
        if number == 0:
            attributes, foreground, background = frozenset(), "", ""
        elif part in ATTRIBUTES:
            attributes |= {part}
        elif number in (38, 48):
            kind = next(parts, "")
            rest = [next(parts, "") for _ in range({"5": 1, "2": 3}.get(kind, 0))]
            colour = ";".join([part, kind, *rest])
            foreground, background = (colour, background) if number == 38 else (foreground, colour)
        elif number in (*range(30, 38), *range(90, 98)):
            foreground = part
        elif number in (*range(40, 48), *range(100, 108)):
            background = part
        elif number in (39, 49):
            foreground, background = ("", background) if number == 39 else (foreground, "")
        else:
            return None
    return CellStyle(attributes, foreground, background)


@lru_cache(4096)
def difference(before: CellStyle | None, after: CellStyle) -> str:
    """The shortest escape sequence that changes one style into another; `before` None: from any."""
    whole = ["0", *sorted(after.attributes), *filter(None, (after.foreground, after.background))]
    if before is None or not before.attributes <= after.attributes:
        return f"\x1b[{';'.join(whole)}m"
    parts = sorted(after.attributes - before.attributes)
    if before.foreground != after.foreground:
        parts.append(after.foreground or "39")
    if before.background != after.background:
        parts.append(after.background or "49")
    return min((f"\x1b[{';'.join(numbers)}m" for numbers in (parts, whole)), key=len)


class SendsChanges(Driver):
    """A driver that sends the terminal only what changes on it; `forget` makes it send everything again."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._cells = ChangedCells()

    def write(self, data: str) -> None:
        super().write(self._cells.shortened(data))  # type: ignore[safe-super]

    def forget(self) -> None:
        self._cells.forget()


def sending_changes(driver: type[Driver]) -> type[Driver]:
    """This driver, which sends the terminal only what changes on it."""
    return type(driver.__name__, (SendsChanges, driver), {})
