"""The readings of kanji, the romaji of kana, and what a typed reading finds."""

import pytest

from kanji_tui.characters.classes import etl9g_classes
from kanji_tui.characters.readings import is_kana, readings_of, sounds_like


def test_every_kanji_of_level_1_has_readings_in_kana() -> None:
    for known in etl9g_classes():
        found = readings_of(known.character)
        assert found, known
        if known.jis >= 0x3000:
            assert all(is_kana(each.replace(".", "").replace("-", "")) for each in found), known


@pytest.mark.parametrize(
    ("character", "readings"),
    [
        ("日", ("ニチ", "ジツ", "ひ", "-び", "-か")),
        ("田", ("デン", "た")),
        ("込", ("-こ.む", "こ.む", "こ.み", "-こ.み", "こ.める")),
        *(("し", ("shi",)), ("ツ", ("tsu",)), ("づ", ("zu",)), ("ヂ", ("ji",)), ("を", ("o",)), ("ん", ("n",))),
        *(("っ", ()), ("ャ", ()), ("ー", ()), ("々", ()), ("Ａ", ()), ("?", ()), ("亞", ())),
    ],
)
def test_readings(character: str, readings: tuple[str, ...]) -> None:
    assert readings_of(character) == readings


@pytest.mark.parametrize(
    ("character", "text"),
    [
        *(
            ("日", text)
            for text in ("にち", "ニチ", "ﾆﾁ", "nichi", "niti", "NICHI", "ni", "jitsu", "zitu", "び", "hi")
        ),
        *(("主", text) for text in ("shu", "syu", "シュ", "しゅ")),
        *(("茶", text) for text in ("cha", "tya", "sa")),
        *(("送", text) for text in ("okuru", "おく.る", "おくる", "sou", "sō")),
        *(("打", text) for text in ("dasu", "だーす", "utsu")),
        *(("信", text) for text in ("shin", "しん")),
        *(("亜", text) for text in ("tsugu", "tugu")),
        *(("八", text) for text in ("やっつ", "yattsu", "yattu")),
        *(("が", text) for text in ("が", "ガ", "ga")),
        ("ッ", "tsu"),
    ],
)
def test_a_character_sounds_like(character: str, text: str) -> None:
    assert sounds_like(character, text)


@pytest.mark.parametrize(
    ("character", "text"),
    [("日", "ち"), ("日", "itsu"), ("日", ""), ("日", "."), ("日", "-"), ("か", "が"), ("々", "no"), ("Ａ", "a")],
)
def test_a_character_does_not_sound_like(character: str, text: str) -> None:
    assert not sounds_like(character, text)
