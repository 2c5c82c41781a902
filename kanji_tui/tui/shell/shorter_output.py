"""What the terminal is sent, in half the bytes: styles as differences, and no move to where the cursor is.

Textual sends every word in a full style of up to 40 bytes and resets it behind the word: a first look at the
Browser took 78 kB. Nothing is remembered from one output to the next.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from textual.driver import Driver

STYLE_OR_PLACE = re.compile(r"\x1b\[([\d;]*)([mH])")
LINE_ENDS = re.compile(r"\n(?=\x1b\[\d+;\d+H)")  # a place is given behind them
ON_BLANKS = frozenset(("4", "7", "9", "21", "53"))  # attributes that one sees on a blank


class Style(NamedTuple):
    """Foreground and background as parts of an escape sequence, "" for the terminal's own colour."""

    attributes: frozenset[str] = frozenset()
    foreground: str = ""
    background: str = ""


PLAIN = Style()


def shorter(output: str) -> str:
    """Output that shows the same. It begins and ends in the terminal's plain style, as `output` must."""
    parts = STYLE_OR_PLACE.split(LINE_ENDS.sub("", output))
    out, now, wanted = [parts[0]], PLAIN, PLAIN
    here = there = ""  # where the cursor is and where it is wanted: as `row;column`, or not known
    for numbers, kind, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if kind == "m":
            wanted = parsed(numbers, wanted)
        else:
            there = numbers
        if not text:
            continue
        if there != here:
            out.append(f"\x1b[{there}H")
        needed = _on_blanks(now, wanted) if text.isspace() else wanted
        if needed != now:
            out.append(difference(now, needed))
            now = needed
        out.append(text)
        here = there = _behind(there, text)
    if there != here:
        out.append(f"\x1b[{there}H")
    if now != PLAIN:
        out.append("\x1b[0m")
    return "".join(out)


def _behind(place: str, text: str) -> str:
    """The place behind a text, where every terminal gives it the same width, else empty."""
    row, _, column = place.partition(";")
    return f"{row};{int(column) + len(text)}" if column and text.isascii() and text.isprintable() else ""


@lru_cache(4096)
def parsed(numbers: str, before: Style) -> Style:
    """The style after a sequence of these numbers, as `1;38;2;9;9;9`, where `before` holds."""
    style, waiting = before, iter(numbers.split(";"))
    for number in waiting:
        if number in ("", "0"):
            style = PLAIN
        elif number in ("38", "48"):
            kind = next(waiting, "")
            colour = ";".join((number, kind, *(next(waiting, "") for _ in range(3 if kind == "2" else 1))))
            style = style._replace(foreground=colour) if number == "38" else style._replace(background=colour)
        elif number in ("39", "49"):
            style = style._replace(foreground="") if number == "39" else style._replace(background="")
        elif number[:-1] in ("3", "9"):
            style = style._replace(foreground=number)
        elif number[:-1] in ("4", "10"):
            style = style._replace(background=number)
        else:
            style = style._replace(attributes=style.attributes | {number})
    return style


@lru_cache(4096)
def difference(before: Style, after: Style) -> str:
    """The shortest sequence from one style to another."""
    if after == PLAIN:
        return "\x1b[0m"
    numbers = [] if before.attributes <= after.attributes else ["0"]
    if numbers:
        before = PLAIN
    numbers += sorted(after.attributes - before.attributes)
    if after.foreground != before.foreground:
        numbers.append(after.foreground or "39")
    if after.background != before.background:
        numbers.append(after.background or "49")
    return f"\x1b[{';'.join(numbers)}m"


@lru_cache(4096)
def _on_blanks(now: Style, wanted: Style) -> Style:
    """The style to write blanks in: that of now, where one cannot see the difference."""
    seen = ON_BLANKS & (now.attributes | wanted.attributes)
    return wanted if seen or now.background != wanted.background else now


@lru_cache(1)
def sending_less(driver: type[Driver]) -> type[Driver]:
    """The driver, with all that it writes made shorter."""

    class Shorter(driver):  # type: ignore[misc, valid-type]
        def write(self, data: str) -> None:
            super().write(shorter(data))

    return Shorter
