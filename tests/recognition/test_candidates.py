"""Which candidates a model's logits become where characters look alike."""

import numpy as np

from kanji_tui.characters.jis import character_to_jis
from kanji_tui.networks.card import ModelCard
from kanji_tui.recognition.candidates import most_probable
from kanji_tui.system.plain_data import to_plain

CLASSES = tuple(map(character_to_jis, "口田つっ力ヵ"))
CARD = ModelCard(
    "kanjinet", CLASSES, 64, lookalikes=(tuple(map(character_to_jis, "口ロ")), tuple(map(character_to_jis, "力カ")))
)


def read(shares: dict[str, float], characters: str | None = None, card: ModelCard = CARD):
    logits = np.log(np.array([shares.get(character, 1e-9) for character in card.characters]))
    return most_probable(logits, card, 3, characters)


def test_an_output_of_look_alikes_names_them_all():
    first = read({"口": 0.75, "田": 0.25})[0]
    assert (first.character, first.lookalikes) == ("口", ("ロ",))
    assert round(first.probability, 6) == 0.75


def test_readings_are_those_of_the_character_shown():
    shares = {"口": 0.75, "田": 0.25}
    assert [found.readings for found in read(shares)[:2]] == [("コウ", "ク", "くち"), ("デン", "た")]
    assert read(shares, "kana")[0].readings == ("ro",)
    assert "readings" in to_plain(read(shares)[0])


def test_the_character_set_decides_which_is_shown():
    first = read({"口": 0.75, "田": 0.25}, "kana")[0]
    assert (first.character, first.jis, first.lookalikes) == ("ロ", "256D", ("口",))


def test_small_and_large_kana_are_one_candidate_with_the_sum_of_their_probabilities():
    first, second, *_ = read({"つ": 0.3, "っ": 0.3, "田": 0.4})
    assert (first.character, first.lookalikes, round(first.probability, 6)) == ("つ", ("っ",), 0.6)
    assert (second.character, second.lookalikes) == ("田", ())


def test_a_small_kana_joins_the_group_of_its_large_one():
    assert read({"ヵ": 1.0})[0].character == "力"
    assert set(read({"ヵ": 1.0})[0].lookalikes) == {"カ", "ヵ"}


def test_a_model_without_look_alikes_has_every_class_alone():
    card = ModelCard("kanjinet", tuple(map(character_to_jis, "口田")), 64)
    assert [found.lookalikes for found in read({"口": 0.6, "田": 0.4}, card=card)] == [(), ()]
    assert "lookalikes" not in to_plain(read({"口": 0.6, "田": 0.4}, card=card)[0])


def test_the_card_keeps_its_look_alikes():
    assert ModelCard.from_json(CARD.to_json(), "card") == CARD
    assert CARD.output_of[character_to_jis("ロ")] == CARD.output_of[character_to_jis("口")] == 0


def test_the_first_candidates_are_those_of_all_also_where_probabilities_are_equal():
    classes = tuple(map(character_to_jis, "亜唖娃阿哀愛挨姶逢葵茜穐悪握渥"))
    card = ModelCard("kanjinet", classes, 64)
    logits = np.random.default_rng(0).integers(0, 4, len(classes)).astype(np.float32)
    ranked = most_probable(logits, card, len(classes))
    order = sorted(range(len(classes)), key=lambda output: -logits[output])
    assert [found.character for found in ranked] == [card.characters[output] for output in order]
    for count in range(1, len(classes) + 2):
        assert most_probable(logits, card, count) == ranked[:count]
