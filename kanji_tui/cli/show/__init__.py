"""The results that no document shows yet."""

from typing import Any

from kanji_tui.cli.show import inspection, models, recognition
from kanji_tui.runs.process import as_json

SHOWN = {
    "Evaluation": models.evaluated,
    "Predicted": models.predicted,
    "Suspects": recognition.suspects,
    "Explanations": recognition.saliency,
    "ExportedOnnx": models.exported,
    "ExportedSafetensors": models.exported,
    "ExportedMapping": models.exported,
    "Inspected": inspection.inspected,
    "Compared": inspection.compared,
    "PoolingTable": inspection.pooled,
}


def show_old(result: Any, nodes: bool = False) -> None:
    (inspection.inspected_nodes if nodes else SHOWN[type(result).__name__])(as_json(result))
