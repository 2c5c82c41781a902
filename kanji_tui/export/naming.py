"""The names of exported files: dataset, size, classes and target as they truly are."""

from pathlib import Path

from kanji_tui.errors import UsageError

ENHANCED_MAPPING = "kanji_etl9g_enhanced_mapping.json"


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
