import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.networks.card import ModelCard, all_classes_card


def test_a_card_survives_the_round_trip_through_json():
    card = ModelCard("kanjinet", (0x2422, 0x4544), 48, 0.1, 0.3, "kmnist", "images", {"seed": 1}, {"top1": 0.5})
    assert ModelCard.from_json(card.to_json(), "here") == card
    assert card.to_json()["classes"] == ["2422", "4544"]
    assert card.characters == ("あ", "田")


def test_an_invalid_card_is_refused_and_the_file_named():
    with pytest.raises(KanjiError, match=r"some\.onnx"):
        ModelCard.from_json({"network": "kanjinet"}, "some.onnx")


def test_all_classes_card_has_all_3036_classes_in_order():
    card = all_classes_card("v2.1")
    assert len(card.classes) == 3036
    assert card.characters[2080] == "田"
