"""The search for classes by character, JIS code, code point, reading, stroke count or script."""

from typing import Protocol

from kanji_tui.characters.jis import name_jis, script
from kanji_tui.characters.readings import is_kana, sounds_like


class Known(Protocol):
    """What the search knows of a class; the reading, of its records, is ASCII: `DEN`, `TA.DEN`."""

    @property
    def jis(self) -> int: ...
    @property
    def character(self) -> str: ...
    @property
    def reading(self) -> str: ...
    @property
    def strokes(self) -> int | None: ...


def matches(known: Known, text: str) -> bool:
    """Whether `text` finds this class; an empty text finds every class.

    Several kana are a reading, which finds what is read so, not a list of characters.
    """
    wanted = text.strip().upper()
    if not wanted:
        return True
    if known.character in text and (len(wanted) == 1 or not is_kana(wanted)):
        return True
    if wanted.startswith("U+"):
        return f"U+{ord(known.character[0]):04X}".startswith(wanted)
    if wanted.isdigit() and len(wanted) <= 2:
        return known.strokes == int(wanted)
    if len(wanted) >= 3 and name_jis(known.jis).startswith(wanted):
        return True
    if wanted == script(known.jis).upper():
        return True
    return sounds_like(known.character, wanted) or _recorded(known.reading.upper(), wanted)


def _recorded(reading: str, wanted: str) -> bool:
    """Whether the reading of its records, or a part of it, begins with `wanted`."""
    joined = wanted.replace(".", "")
    return bool(joined) and any(part.startswith(joined) for part in (reading.replace(".", ""), *reading.split(".")))
