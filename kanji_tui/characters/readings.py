"""How characters are read: kanji by KANJIDIC2 (facts/README.md has source and licence), kana by their romaji."""

import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

SMALL = "LETTER SMALL"
KANA = re.compile("[ぁ-ゖァ-ヺー]+")
NOT_SPOKEN = re.compile(r"[\s.\-'’\u0304]")  # the last is a macron
CONTRACTED = re.compile("(?<=[a-z])i~y")  # ki and small ya: kya
DOUBLED = re.compile("~tu(?=([a-z]))")
OTHER_IN_HEPBURN = "sy sh, ty ch, zy j, dy j, si shi, ti chi, tu tsu, hu fu, zi ji, di ji, du zu, wo o"
HEPBURN = dict(pair.split() for pair in OTHER_IN_HEPBURN.split(","))
OTHERWISE = re.compile("|".join(HEPBURN))


def is_kana(text: str) -> bool:
    """Whether the text has kana alone, at least one."""
    return bool(KANA.fullmatch(text))


@cache
def readings_of(character: str) -> tuple[str, ...]:
    """The readings of a character; none where they are not known.

    Of a kanji the on-readings in katakana, then the kun-readings in hiragana: a full stop stands before the
    okurigana, a hyphen where something precedes or follows (`-び`). Of a large kana its romaji.
    """
    if not is_kana(character):
        return _kanji_readings().get(character, ())
    letters = _to_letters()[ord(character)]
    return (_hepburn(letters),) if letters and not letters.startswith("~") else ()


@cache
def _kanji_readings() -> dict[str, tuple[str, ...]]:
    text = (files("kanji_tui.characters") / "facts" / "readings.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[3:])
    return {kanji: (*on.split(), *kun.split()) for kanji, on, kun in rows}


def sounds_like(character: str, text: str) -> bool:
    """Whether a reading of the character begins with `text`: hiragana, katakana or romaji of either system."""
    spoken = _spoken(text)
    return bool(spoken) and f" {spoken}" in _sounds(character)


@lru_cache(maxsize=16)
def _spoken(text: str) -> str:
    """The text as readings are searched: in small letters and hiragana, without marks."""
    apart = unicodedata.normalize("NFKD", text.lower())
    return _hiragana(unicodedata.normalize("NFKC", NOT_SPOKEN.sub("", apart)))


@cache
def _sounds(character: str) -> str:
    """All readings in hiragana and romaji, a space before each."""
    kana = character if is_kana(character) else " ".join(readings_of(character))
    hiragana = _hiragana(kana.replace(".", "").replace("-", ""))
    nihon = _nihon(hiragana)
    return f" {hiragana} {nihon} {_hepburn(nihon)}" if hiragana else ""


def _hiragana(text: str) -> str:
    """The text with hiragana for its katakana."""
    return text.translate(_to_hiragana())


def _nihon(kana: str) -> str:
    """The romaji of kana in Nihon-shiki, in which every kana has letters of its own; ー has none."""
    letters = kana.translate(_to_letters())
    return DOUBLED.sub(r"\1", CONTRACTED.sub("y", letters)).replace("~", "") if "~" in letters else letters


def _hepburn(nihon: str) -> str:
    return OTHERWISE.sub(lambda found: HEPBURN[found[0]], nihon)


@cache
def _to_hiragana() -> dict[int, int]:
    return {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}


@cache
def _to_letters() -> dict[int, str]:
    """The letters of each kana, from its name in Unicode; those of a small one after `~`."""
    found = {ord("ー"): ""}
    for code in (*range(ord("ぁ"), ord("ゖ") + 1), *range(ord("ァ"), ord("ヺ") + 1)):
        name = unicodedata.name(chr(code))
        found[code] = ("~" if SMALL in name else "") + name.rpartition(" ")[2].lower()
    return found
