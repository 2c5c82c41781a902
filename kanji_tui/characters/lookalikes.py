"""Characters that one shape cannot tell apart: 口 and ロ, へ and ヘ, 0 and O.

A model that learns several of a group has one output for them. Which is meant depends on what is being read: a
character set, where one is asked for, else the order kanji and hiragana, katakana, digits, Latin letters, others.

Small and large kana differ in size and place alone. They are classes of their own, which a model tells apart in
whole frames; where an image was cropped to its ink they too are one group.
"""

from collections.abc import Collection, Iterable
from functools import cache

from kanji_tui.characters.character_sets import SMALL_KANA
from kanji_tui.characters.jis import character_of, character_to_jis, script

GROUPS = (
    *("へヘ", "べベ", "ぺペ", "りリ", "口ロ", "一ー―", "二ニ", "力カ", "夕タ", "工エ", "八ハ", "卜ト"),
    *("０Ｏｏ〇", "１ｌＩ", "Ｃｃ", "Ｐｐ", "Ｓｓ", "Ｖｖ", "Ｗｗ", "Ｘｘ", "Ｚｚ"),
)
LARGE_OF = {"ヵ": "カ", "ヶ": "ケ"}  # of the other small kana it is the next code


@cache
def lookalikes_of(jis: int) -> tuple[int, ...]:
    """The group of a character, itself among it, the one shown first first; only itself where it has none."""
    return next((group for group in _groups() if jis in group), (jis,))


def outputs_of(codes: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The outputs of a model that learns these characters: by the member shown first, all members among them.

    The outputs come in the order in which their first member comes.
    """
    known = dict.fromkeys(codes)
    members = (tuple(each for each in lookalikes_of(code) if each in known) for code in known)
    return {group[0]: group for group in members}


@cache
def large_kana(jis: int) -> int:
    """The large kana of a small one, by JIS code; of any other character itself."""
    character = character_of(jis)
    if character not in SMALL_KANA:
        return jis
    return _code(LARGE_OF[character]) if character in LARGE_OF else jis + 1


def shown_first(group: Collection[int], asked: Collection[int] = ()) -> int:
    """Of a group the member in the set asked for, else the first by script; large kana before small ones."""
    return min(group, key=lambda jis: (jis not in asked, _rank(jis), large_kana(jis) != jis, jis))


@cache
def _groups() -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(sorted(map(_code, group), key=lambda jis: (_rank(jis), jis))) for group in GROUPS)


def _rank(jis: int) -> int:
    """0 for kanji and hiragana, 1 katakana, 2 digits, 3 Latin letters, 4 others."""
    found = script(jis)
    if found != "symbol":
        return int(found == "katakana")
    return 2 + (jis > 0x2339) if jis >> 8 == 0x23 else 4


def _code(character: str) -> int:
    code = character_to_jis(character)
    assert code is not None, f"{character} is no character of JIS X 0208"
    return code
