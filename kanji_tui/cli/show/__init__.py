"""Results on stdout: one JSON object with --json, else tables and sentences for a person."""

import json
from collections.abc import Callable

from kanji_tui.cli.show import data, inspection, models, training
from kanji_tui.cli.show.words import Result, fields


def result(name: str, value: Result, as_json: bool) -> None:
    """Print the result of the command `name`."""
    if as_json:
        print(json.dumps(value, ensure_ascii=False))
    else:
        SHOWN.get(name, fields)(value)


SHOWN: dict[str, Callable[[Result], None]] = {
    "preflight": data.checks,
    "sample": data.sample,
    "prepare": data.prepared,
    "verify": data.verified,
    "train": training.trained,
    "started": training.started,
    "stop": training.ended,
    "publish": training.ended,
    "delete": training.ended,
    "runs": training.runs,
    "networks": training.networks,
    "evaluate": models.evaluated,
    "predict": models.predicted,
    "export_onnx": models.exported,
    "export_safetensors": models.exported,
    "export_mapping": models.exported,
    "inspect": inspection.inspected,
    "compare": inspection.compared,
    "pooling": inspection.pooled,
}
