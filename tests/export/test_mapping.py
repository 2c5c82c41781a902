"""Mappings of class numbers to characters and stroke counts."""

import json
from pathlib import Path

import pytest

from kanji_tui.errors import KanjiError
from kanji_tui.export.mapping import enhanced_mapping, export_mapping, model_mapping
from kanji_tui.networks.card import ModelCard
from tests.export.conftest import copy_of


def test_the_enhanced_mapping_has_correct_characters_and_stroke_counts() -> None:
    mapping = enhanced_mapping()
    assert list(mapping) == ["model_info", "characters", "statistics"]
    assert mapping["model_info"]["total_classes"] == len(mapping["characters"]) == 3036
    assert mapping["characters"]["2080"] == {"character": "田", "jis_code": "4544", "stroke_count": 5}
    assert mapping["characters"]["0"] == {"character": "あ", "jis_code": "2422", "stroke_count": 3}
    assert mapping["characters"]["71"] == {"character": "亜", "jis_code": "3021", "stroke_count": 7}
    assert mapping["characters"]["3035"]["character"] == "腕"
    by_character = {entry["character"]: entry["stroke_count"] for entry in mapping["characters"].values()}
    assert len(by_character) == 3036
    assert [by_character[character] for character in "一口木国語"] == [1, 3, 4, 8, 14]


def test_the_statistics_match_the_characters() -> None:
    statistics = enhanced_mapping()["statistics"]
    assert statistics["total_characters"] == 3036
    assert statistics["hiragana_count"] == 71
    assert statistics["katakana_count"] == 0
    assert statistics["kanji_count"] == 2965
    total = sum(entry["stroke_count"] for entry in enhanced_mapping()["characters"].values())
    assert statistics["total_stroke_count"] == total
    assert statistics["average_stroke_count"] == round(total / 3036, 1)


def test_without_a_model_the_enhanced_mapping_is_written(
    tmp_path: Path, report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = export_mapping(None, None, report)
    assert made.path == "models/kanji_etl9g_enhanced_mapping.json"
    assert made.classes == 3036
    text = Path(made.path).read_text(encoding="utf-8")
    assert "田" in text
    assert made.bytes == len(text.encode())
    assert json.loads(text) == enhanced_mapping()


def test_the_mapping_of_a_model_has_its_classes_in_output_order(
    models: dict[str, Path], tmp_path: Path, report
) -> None:
    made = export_mapping(copy_of(models["kanjinet"], tmp_path / "models"), None, report)
    assert Path(made.path).name == "kanji_model_etl9g-sample_32x32_12classes_mapping.json"
    mapping = json.loads(Path(made.path).read_text(encoding="utf-8"))
    card = json.loads((tmp_path / "models" / "best_model_info.json").read_text(encoding="utf-8"))
    assert [mapping["characters"][str(n)]["jis_code"] for n in range(12)] == card["classes"]


def test_characters_outside_the_3036_have_no_stroke_count() -> None:
    card = ModelCard("kanjinet", (0x2135, 0x2470, 0x3021), 28, dataset="kuzushiji49")
    mapping = model_mapping(card)
    assert [entry["character"] for entry in mapping["characters"].values()] == ["ゝ", "ゐ", "亜"]
    assert [entry["stroke_count"] for entry in mapping["characters"].values()] == [None, None, 7]
    assert mapping["statistics"]["average_stroke_count"] == 7.0


def test_an_unwritable_path_is_an_error(tmp_path: Path, report) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KanjiError, match="could not be written"):
        export_mapping(None, tmp_path / "file" / "mapping.json", report)
