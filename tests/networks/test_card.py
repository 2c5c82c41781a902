import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard, all_classes_card


def test_a_card_comes_back_from_json_as_it_was():
    card = ModelCard("kanjinet", (0x2422, 0x4544), 48, 0.1, 0.3, "kmnist", "pictures", {"seed": 1}, {"top1": 0.5})
    assert ModelCard.from_json(card.to_json(), "here") == card
    assert card.to_json()["classes"] == ["2422", "4544"]
    assert card.characters == ("あ", "田")


def test_what_is_no_card_is_refused_by_name():
    with pytest.raises(KanjiError, match=r"some\.onnx"):
        ModelCard.from_json({"network": "kanjinet"}, "some.onnx")


def test_the_card_of_all_classes():
    card = all_classes_card("v2.1")
    assert len(card.classes) == 3036
    assert card.characters[2080] == "田"
