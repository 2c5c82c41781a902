"""The paths of exported files."""

from pathlib import Path

from kanji_tui.errors import UsageError
from kanji_tui.paths import BUILT_IN, MODELS_DIR
from kanji_tui.system.files import inside

ENHANCED_MAPPING = "kanji_etl9g_enhanced_mapping.json"


def export_path(model_path: Path, output_path: Path | None, name: str, ending: str) -> Path:
    """`output_path`, or `name` beside the model if that is None. Raises UsageError if it lacks `ending`.

    An export of the built-in model lies in the home's models folder.
    """
    if output_path is None:
        folder = MODELS_DIR if model_path == BUILT_IN else Path(model_path).parent
        return inside(folder, f"{name}{ending}")
    if output_path.suffix != ending:
        raise UsageError(
            f"{output_path} does not end in {ending}",
            f"write --output-path {output_path.with_suffix(ending)}",
        )
    return output_path
