"""The character sets that a synthetic sample can have, as JIS X 0208 codes in record order.

`etl9g`: the 3,036 classes. `kana`: hiragana and katakana without the small letters, and ー. `all`: both, and the
small kana, 々 〆 〇, digits and Latin letters.
"""

from functools import cache

from kanji_tui.characters.classes import record_order
from kanji_tui.characters.jis import character_of

CHARACTER_SETS = ("etl9g", "kana", "all")
SMALL_KANA = frozenset("ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ")
LONG_VOWEL, ITERATION, CLOSING, ZERO = 0x213C, 0x2139, 0x213A, 0x213B  # ー 々 〆 〇
HIRAGANA, KATAKANA = range(0x2421, 0x2474), range(0x2521, 0x2577)
DIGITS, CAPITALS, LETTERS = range(0x2330, 0x233A), range(0x2341, 0x235B), range(0x2361, 0x237B)


@cache
def codes_of(name: str) -> tuple[int, ...]:
    """The codes of the set with this name, one of CHARACTER_SETS; あ or 亜 first."""
    match name:
        case "etl9g":
            return record_order()
        case "kana":
            large = (code for code in (*HIRAGANA, *KATAKANA) if character_of(code) not in SMALL_KANA)
            return (*large, LONG_VOWEL)
        case "all":
            others = (*HIRAGANA, *KATAKANA, LONG_VOWEL, ITERATION, CLOSING, ZERO, *DIGITS, *CAPITALS, *LETTERS)
            known = set(record_order())
            return (*record_order(), *(code for code in others if code not in known))
    raise ValueError(f"unknown character set {name}")
