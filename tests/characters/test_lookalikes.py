"""Characters of one shape: which they are, and which of them is shown."""

import unicodedata

import pytest

from kanji_tui.characters.character_sets import SMALL_KANA, codes_of
from kanji_tui.characters.jis import character_of, character_to_jis
from kanji_tui.characters.lookalikes import GROUPS, large_kana, lookalikes_of, outputs_of, shown_first


def codes(text: str) -> tuple[int, ...]:
    return tuple(map(character_to_jis, text))


def test_no_character_is_in_two_groups():
    members = [character for group in GROUPS for character in group]
    assert len(set(members)) == len(members)


@pytest.mark.parametrize(
    ("group", "first"), [("ロ口", "口"), ("ヘへ", "へ"), ("ー一―", "一"), ("〇ｏＯ０", "０"), ("ｌＩ１", "１")]
)
def test_kanji_and_hiragana_are_shown_before_katakana_digits_and_latin_letters(group, first):
    assert {lookalikes_of(code) for code in codes(group)} == {lookalikes_of(*codes(first))}
    assert character_of(lookalikes_of(codes(group)[0])[0]) == first
    assert character_of(shown_first(codes(group))) == first


def test_a_member_of_the_set_that_is_asked_for_is_shown_first():
    assert character_of(shown_first(codes("口ロ"), codes_of("kana"))) == "ロ"
    assert character_of(shown_first(codes("力カ"), codes_of("etl9g"))) == "力"
    assert character_of(shown_first(codes("っつ"), codes_of("all"))) == "つ"


@pytest.mark.parametrize("small", sorted(SMALL_KANA))
def test_every_small_kana_has_its_large_one(small):
    large = character_of(large_kana(*codes(small)))
    assert large not in SMALL_KANA
    assert unicodedata.name(large) == unicodedata.name(small).replace("SMALL ", "")
    assert large_kana(*codes(large)) == codes(large)[0]


def test_a_model_has_one_output_for_a_group_and_all_others_alone():
    etl9g, everything = outputs_of(codes_of("etl9g")), outputs_of(codes_of("all"))
    assert tuple(etl9g) == codes_of("etl9g")  # no two of its characters are alike
    assert sorted(code for group in everything.values() for code in group) == sorted(codes_of("all"))
    assert everything[codes("口")[0]] == codes("口ロ")
    assert codes("ロ")[0] not in everything
    assert everything[codes("っ")[0]] == codes("っ")
