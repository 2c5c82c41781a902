"""Results on stdout: one JSON object with --json, else tables and sentences for a person."""

from collections.abc import Callable
from typing import Any

from kanji_tui.cli.show import accounts, data, inspection, models, probing, recognition, training
from kanji_tui.cli.show.words import Result, fields
from kanji_tui.runs.process import as_json
from kanji_tui.system.files import strict_json


def result(name: str, value: Any, json: bool) -> None:
    """Print the result of the command `name`."""
    plain = as_json(value)
    if json:
        print(strict_json(plain))
    else:
        SHOWN.get(name, fields)(plain)


SHOWN: dict[str, Callable[[Result], None]] = {
    "preflight": data.checks,
    "sample": data.sample,
    "prepare": data.prepared,
    "verify": data.verified,
    "train": training.trained,
    "probe": probing.probed,
    "search": accounts.searched,
    "emissions": accounts.accounted,
    "folds": training.folds,
    "started": training.started,
    "stop": training.ended,
    "publish": training.ended,
    "delete": training.ended,
    "runs": training.runs,
    "networks": training.networks,
    "evaluate": models.evaluated,
    "predict": models.predicted,
    "suspects": recognition.suspects,
    "saliency": recognition.saliency,
    "export_onnx": models.exported,
    "export_safetensors": models.exported,
    "export_mapping": models.exported,
    "inspect": inspection.inspected,
    "inspect_nodes": inspection.inspected_nodes,
    "compare": inspection.compared,
    "pooling": inspection.pooled,
}
