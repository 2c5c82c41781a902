"""The 3,036 classes of ETL9G: 2,965 JIS level-1 kanji and 71 hiragana, with their stroke counts.

A class's global rank is its index among all 3,036 JIS codes in ascending order: hiragana first, 田 (4544) is 2080.
Stroke counts come from KANJIDIC and KanjiVG (see facts/README.md for sources and licences).
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class CharacterClass:
    """One class of ETL9G; `strokes` is its stroke count, at least 1."""

    jis: int
    character: str
    strokes: int


@cache
def etl9g_classes() -> tuple[CharacterClass, ...]:
    """All 3,036 classes in ascending order of their JIS codes."""
    text = (files("kanji_tui.characters") / "facts" / "stroke_counts.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line[:1] not in ("#", "j"))
    return tuple(CharacterClass(int(row[0], 16), row[1], int(row[2])) for row in rows)


@cache
def classes_by_jis() -> dict[int, CharacterClass]:
    """Every ETL9G class by its JIS code."""
    return {each.jis: each for each in etl9g_classes()}


@cache
def global_ranks() -> dict[int, int]:
    """The global rank, 0-3035, of every ETL9G JIS code."""
    return {each.jis: rank for rank, each in enumerate(etl9g_classes())}


def strokes(jis: int) -> int | None:
    """The stroke count of a class, or None for a character outside the 3,036."""
    found = classes_by_jis().get(jis)
    return found.strokes if found else None


@cache
def record_order() -> tuple[int, ...]:
    """The JIS codes of one ETL9G data set in the order of its 3,036 records.

    Kanji come in JIS order, with one hiragana after every fifteen kanji until the 71 hiragana are used up. The rule
    is inferred from the known positions 亜 0, あ 15, い 31, う 47. Readers use each record's own code instead.
    """
    codes = [each.jis for each in etl9g_classes()]
    hiragana = iter([jis for jis in codes if jis < 0x3000])
    order: list[int] = []
    for number, kanji in enumerate((jis for jis in codes if jis >= 0x3000), start=1):
        order.append(kanji)
        if number % 15 == 0:
            order.extend([syllable for syllable in [next(hiragana, None)] if syllable is not None])
    return tuple(order)
