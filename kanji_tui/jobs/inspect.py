"""The job `inspect`: the operators of ONNX files, and which engines support them."""

from dataclasses import dataclass
from pathlib import Path

from kanji_tui.events import Report
from kanji_tui.inspection.results import Inspected


@dataclass(frozen=True)
class Spec:
    models: tuple[Path, ...]


def run(spec: Spec, report: Report) -> Inspected:
    from kanji_tui.inspection.inspect import inspect_models

    return inspect_models(spec.models, report)
