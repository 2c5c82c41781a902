"""Converting JIS X 0208 codes to characters and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanji_tui.characters.jis import character_of, character_to_jis, jis_to_character, script


@pytest.mark.parametrize(
    ("jis", "character"),
    [
        (0x4544, "田"),
        (0x3021, "亜"),
        (0x4F53, "腕"),
        (0x5021, "弌"),
        (0x2422, "あ"),
        (0x2473, "ん"),
        (0x2135, "ゝ"),
    ],
)
def test_known_codes(jis: int, character: str) -> None:
    assert jis_to_character(jis) == character
    assert character_to_jis(character) == jis


def test_every_code_of_the_table_converts_to_a_character_and_back() -> None:
    found = {}
    for row in range(0x21, 0x7F):
        for cell in range(0x21, 0x7F):
            jis = row * 256 + cell
            character = jis_to_character(jis)
            if character is not None:
                assert len(character) == 1
                assert character_to_jis(character) == jis, f"{jis:04X}"
                found[jis] = character
    assert len(found) == 6879  # JIS X 0208-1990: 524 symbols, letters and kana, 6,355 kanji
    assert len(set(found.values())) == 6879
    assert sum(script(jis) == "kanji" for jis in found) == 6355
    assert sum(script(jis) == "hiragana" for jis in found) == 83
    assert sum(script(jis) == "katakana" for jis in found) == 86


@given(st.integers(-(2**40), 2**40))
def test_numbers_outside_the_table_have_no_character(number: int) -> None:
    row, cell = divmod(number, 256)
    if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
        assert jis_to_character(number) is None


@given(st.text(max_size=3))
def test_any_text_converts_to_a_code_and_back_or_has_none(text: str) -> None:
    jis = character_to_jis(text)
    assert jis is None or jis_to_character(jis) == text


@given(st.characters(codec="ascii"))
def test_ascii_is_not_in_the_table(character: str) -> None:
    assert character_to_jis(character) is None


def test_a_code_without_a_character_is_shown_as_a_question_mark() -> None:
    assert character_of(0x4544) == "田"
    assert character_of(0x2FFF) == "?"
