"""Writes class numbers and their characters as JSON, in the format of the original scripts.

{model_info {dataset, total_classes, description, ...}, num_classes, characters {"0": {character, jis_code,
stroke_count[, lookalikes]}}, statistics}; the enhanced mapping of all 3,036 classes has no num_classes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kanji_tui.characters.classes import etl9g_classes, strokes
from kanji_tui.characters.jis import character_of, jis_to_character, name_jis, script
from kanji_tui.events import Progress, Report
from kanji_tui.export.naming import ENHANCED_MAPPING, export_path
from kanji_tui.export.results import ExportedMapping
from kanji_tui.networks.card import ModelCard
from kanji_tui.paths import MODELS_DIR
from kanji_tui.system.files import write_json


def export_mapping(model_path: Path | None, output_path: Path | None, report: Report) -> ExportedMapping:
    """Write the mapping of a model; without a model, the enhanced mapping of all 3,036 classes.

    Raises KanjiError for a model that cannot be read or a file that cannot be written.
    """
    if model_path is None:
        path = export_path(MODELS_DIR / "-", output_path, ENHANCED_MAPPING.removesuffix(".json"), ".json")
        mapping = enhanced_mapping()
    else:
        from kanji_tui.recognition.models import open_model  # slow to import, and only needed for a model

        card = open_model(model_path).card
        path = export_path(model_path, output_path, f"{card.export_name()}_mapping", ".json")
        mapping = model_mapping(card)
    write_json(path, mapping)
    count = len(mapping["characters"])
    report(Progress("mapping", count, count, "classes", path.name))
    return ExportedMapping(str(path), path.stat().st_size, count, mapping["statistics"])


def enhanced_mapping() -> dict[str, Any]:
    """All 3,036 ETL9G classes in the order of their JIS codes."""
    codes = [known.jis for known in etl9g_classes()]
    info = {
        "dataset": "ETL9G",
        "total_classes": len(codes),
        "description": "Enhanced character mapping with Unicode characters and stroke counts",
    }
    return {"model_info": info, "characters": list_characters(codes), "statistics": count_scripts(codes)}


def model_mapping(card: ModelCard) -> dict[str, Any]:
    """The classes of one model, in output order; an output of look-alikes names the others."""
    info = {
        "dataset": card.dataset,
        "total_classes": len(card.classes),
        "description": f"Character of each output of a {card.network} recogniser",
        "network": card.network,
        "image_size": card.size,
        "source": card.source,
        **({"license": card.license} if card.license else {}),
    }
    characters = list_characters(card.classes)
    for group in card.lookalikes:
        characters[str(card.output_of[group[0]])]["lookalikes"] = [character_of(jis) for jis in group[1:]]
    return {
        "model_info": info,
        "num_classes": len(card.classes),
        "characters": characters,
        "statistics": count_scripts(card.classes),
    }


def list_characters(codes: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Character, JIS code and stroke count by class number; the count is None outside the 3,036."""
    return {
        str(number): {
            "character": jis_to_character(jis) or "",
            "jis_code": name_jis(jis),
            "stroke_count": strokes(jis),
        }
        for number, jis in enumerate(codes)
    }


def count_scripts(codes: Sequence[int]) -> dict[str, int | float]:
    """The number of characters of each script, and of strokes; the average is over known stroke counts."""
    kinds = [script(jis) for jis in codes]
    counts = [count for jis in codes if (count := strokes(jis)) is not None]
    return {
        "total_characters": len(codes),
        "hiragana_count": kinds.count("hiragana"),
        "katakana_count": kinds.count("katakana"),
        "kanji_count": kinds.count("kanji"),
        "total_stroke_count": sum(counts),
        "average_stroke_count": round(sum(counts) / len(counts), 1) if counts else 0.0,
    }
