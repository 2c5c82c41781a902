"""The names of exported files: dataset, size, classes and target as they truly are."""

from pathlib import Path

from kanji_tui.errors import UsageError
from kanji_tui.networks.card import ModelCard

ENHANCED_MAPPING = "kanji_etl9g_enhanced_mapping.json"


def export_name(card: ModelCard, target: str = "", change: str = "") -> str:
    """`kanji_model_etl9g_64x64_3036classes_tract`, without an ending; parts that are empty are left out.

    `change` says what makes the file another than the target's plain one: `int8_static`, `fp16`, `fixed_max`.
    """
    name = f"kanji_model_{card.dataset}_{card.size}x{card.size}_{len(card.classes)}classes"
    return "_".join(part for part in (name, target, change) if part)


def export_path(model_path: Path, output_path: Path | None, name: str, ending: str) -> Path:
    """Where an export goes: `output_path`, or `name` beside the model. UsageError for another ending."""
    if output_path is None:
        return Path(model_path).parent / f"{name}{ending}"
    if output_path.suffix != ending:
        raise UsageError(
            f"{output_path} does not end in {ending}, as the file it would hold",
            f"write --output-path {output_path.with_suffix(ending)}",
        )
    return output_path
