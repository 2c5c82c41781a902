"""The 3,036 classes of ETL9G."""

import pytest

from kanji_tui.characters.classes import (
    classes_by_jis,
    etl9g_classes,
    global_ranks,
    record_order,
    strokes,
)
from kanji_tui.characters.jis import character_to_jis, jis_to_character, script

SMALL_AND_OLD = set("ぁぃぅぇぉっゃゅょゎゐゑ")


def test_the_classes_are_71_hiragana_and_all_2965_level_1_kanji() -> None:
    codes = [each.jis for each in etl9g_classes()]
    assert len(codes) == 3036
    assert codes == sorted(set(codes))
    hiragana = [jis for jis in codes if script(jis) == "hiragana"]
    kanji = [jis for jis in codes if script(jis) == "kanji"]
    assert hiragana == [j for j in range(0x2421, 0x2474) if jis_to_character(j) not in SMALL_AND_OLD]
    assert len(hiragana) == 71
    level_1 = [row * 256 + cell for row in range(0x30, 0x50) for cell in range(0x21, 0x7F)]
    assert kanji == [jis for jis in level_1 if jis_to_character(jis) is not None]
    assert len(kanji) == 2965


def test_each_class_converts_to_unicode_and_back() -> None:
    for each in etl9g_classes():
        assert jis_to_character(each.jis) == each.character
        assert character_to_jis(each.character) == each.jis
        assert classes_by_jis()[each.jis] is each


def test_ta_is_4544_and_class_2080() -> None:
    assert classes_by_jis()[0x4544].character == "田"
    assert global_ranks()[0x4544] == 2080
    assert etl9g_classes()[2080].character == "田"


@pytest.mark.parametrize(
    ("character", "count"),
    # counted by hand from school tables
    [("一", 1), ("田", 5), ("永", 5), ("語", 14), ("鷹", 24), ("あ", 3), ("の", 1), ("ぽ", 5)],
)
def test_stroke_counts(character: str, count: int) -> None:
    found = classes_by_jis()[character_to_jis(character)]
    assert found.strokes == strokes(found.jis) == count


def test_every_stroke_count_is_between_1_and_29() -> None:
    counts = [each.strokes for each in etl9g_classes()]
    assert min(counts) == 1
    assert max(counts) <= 29  # 鬱, the most of any kanji in common use
    assert strokes(0x2421) is None  # ぁ is no class


def test_the_record_order_holds_each_class_once_at_its_known_position() -> None:
    order = record_order()
    assert len(order) == 3036
    assert set(order) == set(global_ranks())
    positions = {jis_to_character(jis): position for position, jis in enumerate(order)}
    assert [positions[character] for character in "亜あいう"] == [0, 15, 31, 47]
    kanji = [jis for jis in order if script(jis) == "kanji"]
    hiragana = [jis for jis in order if script(jis) == "hiragana"]
    assert kanji == sorted(kanji)
    assert hiragana == sorted(hiragana)
