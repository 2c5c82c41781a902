"""The search for classes by character, JIS code, code point, reading, stroke count or script."""

from typing import Protocol

from kanji_tui.characters.jis import kind, name_jis


class Known(Protocol):
    """What the search knows of a class; the reading is ASCII, its parts joined by full stops: `TA.DEN`."""

    @property
    def jis(self) -> int: ...
    @property
    def character(self) -> str: ...
    @property
    def reading(self) -> str: ...
    @property
    def strokes(self) -> int | None: ...


def matches(known: Known, text: str) -> bool:
    """Whether `text` finds this class; an empty text finds every class."""
    wanted = text.strip().upper()
    if not wanted or known.character in text:
        return True
    if wanted.startswith("U+"):
        return f"U+{ord(known.character[0]):04X}".startswith(wanted)
    if wanted.isdigit() and len(wanted) <= 2:
        return known.strokes == int(wanted)
    if len(wanted) >= 3 and name_jis(known.jis).startswith(wanted):
        return True
    return wanted == kind(known.jis).upper() or _reads(known.reading.upper(), wanted)


def _reads(reading: str, wanted: str) -> bool:
    """Whether the reading, or one of its parts, begins with `wanted`."""
    joined = wanted.replace(".", "")
    return bool(joined) and any(part.startswith(joined) for part in (reading.replace(".", ""), *reading.split(".")))
